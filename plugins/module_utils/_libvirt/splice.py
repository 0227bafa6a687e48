# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Changes of an XML text by its bytes, each in the form of what stands around it. Pure.

What is put in and later taken out leaves the text as it was, to the byte, and so does a value that is changed and
changed back. What is taken out and later put in comes back in libvirt's form and place. A value that is written with a
character reference could not come back: that is an EditError.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .._shown import piece
from .xml import Element

_ATTRIBUTE = re.compile(rb"""\s+([^\s=/>]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_TAG_NAME = re.compile(rb"<[^\s/>]+")


class EditError(ValueError):
    """A definition that cannot be edited as it is asked for; the message says why, and what to do about it."""


class Splice(NamedTuple):
    """The bytes from ``start`` to ``end`` become ``new``."""

    start: int
    end: int
    new: bytes


def spliced(raw: bytes, splices: Iterable[Splice]) -> bytes:
    """The text with these changes, no two of which touch the same bytes."""
    for splice in sorted(splices, reverse=True):
        raw = raw[: splice.start] + splice.new + raw[splice.end :]
    return raw


def lead(raw: bytes, element: Element) -> bytes:
    """The line break and the indentation in front of an element; empty where it does not begin its line."""
    blanks = raw[_end_of_text(raw, element.start) : element.start]
    line = blanks.rfind(b"\n")
    if line < 0:
        return b""
    return blanks[line - 1 if blanks[:line].endswith(b"\r") else line :]


def taken_out(raw: bytes, element: Element) -> Splice:
    """An element gone, with the blanks in front of it."""
    return Splice(_end_of_text(raw, element.start), element.end, b"")


def put_first(raw: bytes, parent: Element, around: Element, new: bytes) -> Splice:
    """A new first child of an element; ``around`` is the element that the parent is in."""
    if parent.children:
        return Splice(parent.open_end, parent.open_end, lead(raw, parent.children[0]) + new)
    if not raw[: parent.open_end].endswith(b"/>"):
        # Where no line break tells it, a blank tells first_taken_out that the end tag was there before.
        return Splice(parent.open_end, parent.open_end, new if lead(raw, parent) else b" " + new)
    indent, outer = lead(raw, parent), lead(raw, around)
    if indent:
        unit = indent[len(outer) :] if indent.startswith(outer) and len(indent) > len(outer) else b"  "
        new = indent + unit + new + indent
    return Splice(parent.open_end - 2, parent.open_end, b">" + new + b"</" + parent.name.encode() + b">")


def first_taken_out(raw: bytes, parent: Element, child: Element) -> Splice:
    """The first child gone; where ``put_first`` made the element's end tag for it, that goes too."""
    indent = lead(raw, parent)
    before, after = raw[parent.open_end : child.start], raw[child.end : parent.end]
    alone = not before.strip() and after.rpartition(b"</")[0] == indent
    if alone and bool(before) == bool(indent):
        return Splice(parent.open_end - 1, parent.end, b"/>")
    return taken_out(raw, child)


def attributes(tag: bytes) -> list[bytes]:
    """The names of a start tag's attributes, in their order."""
    return [found[1] for found in _ATTRIBUTE.finditer(tag)]


def quote(tag: bytes) -> bytes:
    """The quotes that a start tag has around its values; libvirt's own where it has none."""
    found = _ATTRIBUTE.search(tag)
    return b'"' if found and found[2] is not None else b"'"


def with_attributes(tag: bytes, values: Mapping[str, str | None], order: Sequence[str]) -> bytes:
    """A start tag with attributes set, and those of None taken out. Values need no escapes; ``order`` is libvirt's.

    Raises EditError where a value of these is written with a character reference.
    """
    for name, value in values.items():
        tag = _with_attribute(tag, name, value, order)
    return tag


def _with_attribute(tag: bytes, name: str, value: str | None, order: Sequence[str]) -> bytes:
    sooner = order[: order.index(name)]
    at = _TAG_NAME.match(tag).end()  # type: ignore[union-attr]
    for found in _ATTRIBUTE.finditer(tag):
        if found[1] == name.encode():
            if b"&" in found[0]:
                raise EditError(
                    f"a <driver> has {piece(found[0].decode().strip())}, with a character reference that a rollback"
                    " could not give back; write the letter itself"
                )
            if value is None:
                return tag[: found.start()] + tag[found.end() :]
            start, end = found.span(2) if found[2] is not None else found.span(3)
            return tag[:start] + value.encode() + tag[end:]
        if found[1].decode() in sooner:
            at = found.end()
    if value is None:
        return tag
    return tag[:at] + b" " + name.encode() + b"=" + quote(tag) + value.encode() + quote(tag) + tag[at:]


def _end_of_text(raw: bytes, end: int) -> int:
    """Where the blanks in front of a place begin."""
    return len(raw[:end].rstrip(b" \t\r\n"))
