# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The text of a guest config as Proxmox VE writes it, byte for byte. Pure.

From qemu-server 9.2.6 (``write_vm_config``) and pve-common (``encode_text``): keys sorted by their bytes, a description
as comments on top of its section, [PENDING] first, then special sections, then snapshots by their names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

#: The characters of a description that are written as they are; the others, ``%`` and ``:`` among them, as %XX.
_PLAIN = frozenset(range(0x20, 0x7F)) - {ord("%"), ord(":")}


def config(
    main: Mapping[str, str],
    pending: Mapping[str, str] | None = None,
    deletes: Collection[str] = (),
    specials: Collection[str] = (),
    snapshots: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """The text of a config from its settings; ``description`` is one of them, as a person wrote it.

    ``deletes`` are the keys that [PENDING] removes, ``!`` in front of those that it removes by force. ``specials`` are
    names of special sections that are empty.
    """
    waiting = dict(pending or {})
    if deletes:
        waiting["delete"] = ",".join(sorted(deletes, key=lambda key: key.lstrip("!")))
    text = _section(main)
    if waiting:
        text += "\n[PENDING]\n" + _section(waiting)
    text += "".join(f"\n[special:{name}]\n" for name in sorted(specials))
    return text + "".join(f"\n[{name}]\n{_section(of)}" for name, of in sorted((snapshots or {}).items()))


def _section(settings: Mapping[str, str]) -> str:
    lines = [f"{key}: {value}\n" for key, value in sorted(settings.items()) if key != "description"]
    return _description(settings.get("description")) + "".join(lines)


def _description(text: str | None) -> str:
    # As Perl's split does, without the empty lines at the end.
    lines = (text or "").rstrip("\n").split("\n") if text and text.strip("\n") else []
    return "".join(f"#{_encoded(line)}\n" for line in lines)


def _encoded(line: str) -> str:
    raw = line.encode("utf-8", "surrogatepass")
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in raw)
