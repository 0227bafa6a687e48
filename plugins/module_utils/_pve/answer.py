# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What Proxmox VE's API answers about a guest, and about storages, as the text of the files that it read. Pure.

The API leaves out, without a word, every line of a config that Proxmox VE does not understand and drops on its next
write, and it hides passwords. But it gives the SHA-1 of the whole file. Proxmox VE writes a config in one way only, so
the file can be made again from the answer, and the SHA-1 proves that nothing was left out (it does for every recorded
answer).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .config import encode
from .json_config import JsonConfigError, of_pending

#: Special sections that Proxmox VE writes without lines: that of a guest whose cloud-init drive is up to date.
_EMPTY_SECTIONS: tuple[tuple[str, ...], ...] = ((), ("cloudinit",))


class Answer(NamedTuple):
    """A guest's config: its text, the digest of the file, and whether the text is the file, byte for byte."""

    raw: bytes
    digest: str
    whole: bool

    def has(self, key: str) -> bool:
        """Whether the config has a setting."""
        return f"\n{key}: ".encode("ascii") in b"\n" + self.raw


def config(items: Any, snapshots: Mapping[str, Mapping[str, Any]] | None = None) -> Answer:
    """The config that ``…/pending`` gives, with its snapshots (``…/snapshot/NAME/config`` by name).

    Raises JsonConfigError for what is not such an answer.
    """
    if not isinstance(items, list):
        raise JsonConfigError("is not the list of settings that …/pending gives")
    digest = next((item["value"] for item in items if isinstance(item, dict) and item.get("key") == "digest"), None)
    if not isinstance(digest, str):
        raise JsonConfigError("has no digest")
    texts = [encode(of_pending(items, specials, snapshots)) for specials in _EMPTY_SECTIONS]
    whole = next((raw for raw in texts if _sha1(raw) == digest), None)
    return Answer(texts[0] if whole is None else whole, digest, whole is not None)


def _sha1(raw: bytes) -> str:
    return hashlib.sha1(raw, usedforsecurity=False).hexdigest()


def storage_cfg(items: Iterable[Mapping[str, Any]]) -> str:
    """The text of storage.cfg of what ``/storage`` gives."""
    text = ""
    for item in items:
        text += f"{item['type']}: {item['storage']}\n"
        for key, value in sorted(item.items()):
            if key not in ("type", "storage", "digest") and isinstance(value, (str, int)):
                text += f"\t{key} {int(value) if isinstance(value, bool) else value}\n"
        text += "\n"
    return text
