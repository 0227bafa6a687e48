# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a boot sets: sysctl.d, modprobe.d and tmpfiles.d. Texts in, the last word out; no I/O.

Sources: sysctl.d(5), modprobe.d(5), tmpfiles.d(5); kmod hands all options of a module to the kernel in the order of the
files, and the kernel takes them one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._sysctl import assignments

MODPROBE_DIRECTORIES = ("/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d")
TMPFILES_DIRECTORIES = ("/etc/tmpfiles.d", "/run/tmpfiles.d", "/usr/local/lib/tmpfiles.d", "/usr/lib/tmpfiles.d")

SYSCTL_FILE = "/etc/sysctl.d/99-hypervisor-io-hardening-host.conf"
#: After zfs.conf, which Proxmox VE's installer writes.
MODPROBE_FILE = "/etc/modprobe.d/zz-hypervisor-io-hardening.conf"
TMPFILES_FILE = "/etc/tmpfiles.d/zz-hypervisor-io-hardening.conf"

THP = "/sys/kernel/mm/transparent_hugepage/enabled"

_HEAD = "# Written by the hypervisor.io_hardening collection (role io_host); edits are overwritten.\n"

#: Where something is set: its value as it is spelled, its file and line.
Setting = dict[str, Any]


def sysctl_settings(texts: Iterable[tuple[str, str]], keys: Iterable[str]) -> dict[str, Setting | None]:
    """Key (``vm.swappiness``) → what systemd-sysctl sets it to; None where no file does.

    ``texts`` are ``(path, text)`` in the order of :func:`.._sysctl.assignments.precedence`.
    """
    lines = [{**line, "file": path} for path, text in texts for line in assignments.parse(text)]
    paths = {assignments.normalize_key(key): key for key in keys}
    found: dict[str, Setting | None] = dict.fromkeys(paths.values())
    for path, line in assignments.write_order(lines, paths):
        found[paths[path]] = {"value": line["value"], "file": line["file"], "line": line["line"]}
    return found


def module_settings(texts: Iterable[tuple[str, str]], module: str, options: Iterable[str]) -> dict[str, Setting | None]:
    """Option → what modprobe.d gives a module when it is loaded; None where no file does. ``texts`` as above."""
    found: dict[str, Setting | None] = dict.fromkeys(options)
    for path, text in texts:
        for number, words in _logical_lines(text):
            if len(words) < 3 or words[0] != "options" or words[1].replace("-", "_") != module:
                continue
            for word in words[2:]:
                option, equals, value = word.partition("=")
                if equals and option in found:
                    found[option] = {"value": value.strip('"'), "file": path, "line": number}
    return found


def tmpfiles_settings(texts: Iterable[tuple[str, str]], target: str) -> list[Setting]:
    """What tmpfiles.d writes into a file at boot. Where several lines do, their order is not promised."""
    found = []
    for path, text in texts:
        for number, words in _logical_lines(text):
            if len(words) >= 7 and words[0].rstrip("!-=~^+$") == "w" and words[1] == target:
                found.append({"value": " ".join(words[6:]), "file": path, "line": number})
    return found


def _logical_lines(text: str) -> list[tuple[int, list[str]]]:
    """``(number, words)``; a backslash joins a line with the next, as modprobe.d(5) has it."""
    found, number, joined = [], 0, ""
    for count, line in enumerate(text.split("\n"), start=1):
        number = number if joined else count
        if line.endswith("\\"):
            joined += line[:-1] + " "
            continue
        words = (joined + line).split()
        joined = ""
        if words and not words[0].startswith("#"):
            found.append((number, words))
    return found


def sysctl_text(values: dict[str, str]) -> str:
    """The text of :data:`SYSCTL_FILE`."""
    return _HEAD + "".join(f"{key} = {value}\n" for key, value in sorted(values.items()))


def modprobe_text(values: dict[str, str]) -> str:
    """The text of :data:`MODPROBE_FILE`."""
    return _HEAD + "".join(f"options zfs {key}={value}\n" for key, value in sorted(values.items()))


def tmpfiles_text(values: dict[str, str]) -> str:
    """The text of :data:`TMPFILES_FILE`."""
    return _HEAD + "".join(f"w {THP} - - - - {value}\n" for value in values.values())
