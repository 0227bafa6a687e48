# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Edits of Proxmox VE's files that keep every other byte. Text in, text out."""

from __future__ import annotations

import re

from . import key_value

_PAIR = re.compile(r"(\s*\S+?:[ \t]*)(.*?)(\s*)\Z", re.ASCII | re.DOTALL)
_PROPERTY = re.compile(r"(\s+\S+)(\s+)?(.*?)(\s*)\Z", re.ASCII | re.DOTALL)


def set_pair(text: str, key: str, value: str | None) -> str:
    """A file of ``key: value`` lines with a key set, or without it (None).

    Of a key that is there twice the last line counts, so that is the one to change; to unset the key, all go.
    """
    lines = text.split("\n")
    while True:
        number = key_value.parse("\n".join(lines), {key: lambda _text: None}).lines.get(key)
        if number is None:
            break
        if value is not None:
            lines[number - 1] = _PAIR.sub(lambda found: f"{found[1]}{value}{found[3]}", lines[number - 1])
            return "\n".join(lines)
        del lines[number - 1]
    if value is not None:
        if lines[-1]:
            lines.append("")
        lines[-1:] = [f"{key}: {value}", ""]
    return "\n".join(lines)


def set_property(text: str, header: int, key: str, value: str | None) -> str:
    """A file of sections with a property set in the section whose header is line ``header``, or without it (None).

    Of a property that is there twice the first line counts, so that is the one to change; to unset it, all go. An empty
    line ends a section.
    """
    lines = text.split("\n")
    end = next((at for at in range(header, len(lines)) if lines[at] in ("", "0")), len(lines))
    there = [at for at in range(header, end) if _names(lines[at], key)]
    if value is None:
        for at in reversed(there):
            del lines[at]
    elif there:
        lines[there[0]] = _PROPERTY.sub(lambda found: f"{found[1]}{found[2] or ' '}{value}{found[4]}", lines[there[0]])
    else:
        lines.insert(end, f"\t{key} {value}")
    return "\n".join(lines)


def _names(line: str, key: str) -> bool:
    """Whether a line sets a property: indented, and no comment."""
    return line[:1].isspace() and line.split(None, 1)[:1] == [key]
