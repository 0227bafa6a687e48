# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Versions of packages, compared as Debian compares them (deb-version(7)). Pure, no I/O."""

from __future__ import annotations

import dataclasses
import functools
import re

#: Numbers for what is not a number, in the order of dpkg: ``~`` before the end, the end before letters, letters before
#: all else.
_END, _TILDE, _AFTER_LETTERS = 0, -1, 256

_PARTS = re.compile(r"([^0-9]*)([0-9]*)", re.ASCII)
_VERSION = re.compile(r"(?:([0-9]{1,9}):)?([0-9][A-Za-z0-9.+~-]{0,99})", re.ASCII)

_Key = tuple[tuple[tuple[int, ...], int], ...]


@dataclasses.dataclass(frozen=True, order=True)
class Version:
    """``8.1.5-3``: versions compare, ``text`` is for people.

    ``revision`` tells whether it names a package's revision, such as the 3; upstream's own number has none.
    """

    _key: tuple[int, _Key, _Key] = dataclasses.field(repr=False)
    text: str = dataclasses.field(compare=False)
    revision: bool = dataclasses.field(compare=False)

    def __str__(self) -> str:
        return self.text


@functools.lru_cache(maxsize=4096)
def parse(text: str | None) -> Version | None:
    """The version, None where the text is not one."""
    match = _VERSION.fullmatch(text or "")
    if match is None:
        return None
    upstream, dash, revision = match[2].rpartition("-")
    if not dash:
        upstream, revision = match[2], ""
    # Without a revision it compares as with revision 0.
    return Version((int(match[1] or 0), _key(upstream), _key(revision or "0")), match[2], bool(dash))


def version(text: str) -> Version:
    """The version; raises ValueError where the text is not one."""
    found = parse(text)
    if found is None:
        raise ValueError(f"{text!r} is not a version")
    return found


def _key(part: str) -> _Key:
    """What sorts as dpkg sorts: words and numbers in turn, each word ended."""
    found = [((*map(_order, word), _END), int(number or 0)) for word, number in _PARTS.findall(part) if word or number]
    return (*found, ((_END,), 0))


def _order(character: str) -> int:
    if character == "~":
        return _TILDE
    return ord(character) if character.isalpha() else ord(character) + _AFTER_LETTERS
