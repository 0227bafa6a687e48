# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""XML of libvirt as elements that know which bytes of the text are theirs. Pure.

No entity is ever expanded: a text with a DOCTYPE, which is where entities are declared, is refused.
"""

from __future__ import annotations

import re
from xml.parsers import expat

#: How large a text may be, in bytes: libvirt's own limit (VIR_NET_MESSAGE_STRING_MAX, virnetprotocol.x).
MOST_BYTES = 4 << 20

#: How deep elements may lie in one another; the formats of libvirt have about ten levels.
MOST_LEVELS = 64

#: How many elements a text may have; a domain with a thousand disks has about ten thousand.
MOST_ELEMENTS = 100_000

_ENCODINGS = ("utf-8", "utf8", "us-ascii", "ascii")

# To the ">" of a start tag, past those in its attributes.
_START_TAG = re.compile(rb"""<[^>"']*(?:"[^"]*"[^>"']*|'[^']*'[^>"']*)*>""")


class XmlError(ValueError):
    """A text that is not read: the message says why, ``line`` where, None for the text as a whole."""

    def __init__(self, message: str, line: int | None) -> None:
        super().__init__(message)
        self.line = line


class Element:
    """An element. ``name`` and the keys of ``attributes`` are as written, with their prefix.

    ``text`` is the text right inside it, that between its children joined, with CDATA and character references
    resolved and line ends as ``\\n``. The text's bytes from ``start``, its ``<``, to ``open_end`` are its start tag,
    and those to ``end`` the whole element; both are the same for ``<a/>``. ``line`` is where it starts, from 1.
    """

    __slots__ = ("name", "attributes", "children", "text", "start", "_raw", "_closes")

    def __init__(self, raw: bytes, name: str, attributes: dict[str, str], start: int) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[Element] = []
        self.text = ""
        self.start = start
        self._raw = raw
        self._closes = start

    # Of a thousand definitions few elements are asked where they are.

    @property
    def line(self) -> int:
        """The line that it starts in."""
        return self._raw.count(b"\n", 0, self.start) + 1

    @property
    def open_end(self) -> int:
        """Where its start tag ends."""
        return _START_TAG.match(self._raw, self.start).end()  # type: ignore[union-attr]

    @property
    def end(self) -> int:
        """Where it ends."""
        open_end = self.open_end
        is_empty_tag = self._raw[open_end - 2 : open_end] == b"/>"
        return open_end if is_empty_tag else self._raw.index(b">", self._closes) + 1

    def child(self, name: str) -> Element | None:
        """The first child of that name; None where there is none."""
        for child in self.children:
            if child.name == name:
                return child
        return None

    def all(self, name: str) -> list[Element]:
        """The children of that name, in their order."""
        return [child for child in self.children if child.name == name]

    def at(self, path: str) -> list[Element]:
        """The elements at a path of names below this one: ``devices/disk``."""
        found = [self]
        for name in path.split("/"):
            found = [child for element in found for child in element.all(name)]
        return found


def parse(raw: bytes) -> Element:
    """The root element of a text. Raises XmlError: too large, too deep, not UTF-8, a DOCTYPE, not well-formed."""
    if len(raw) > MOST_BYTES:
        raise XmlError(f"it has {len(raw)} bytes; libvirt takes no more than {MOST_BYTES}", None)
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise XmlError("it is not UTF-8", raw.count(b"\n", 0, error.start) + 1) from None
    if b"\0" in raw:
        # Where expat finds one, it takes the text for UTF-16, whatever it was told.
        raise XmlError("it has a NUL byte: it is UTF-16, or no XML at all", raw.count(b"\n", 0, raw.index(b"\0")) + 1)
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    document = Element(raw, "", {}, 0)
    inside = [document]
    texts: list[list[str]] = [[]]
    count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > MOST_ELEMENTS or len(inside) > MOST_LEVELS:
            what = f"has more than {MOST_ELEMENTS} elements" if count > MOST_ELEMENTS else "is too deep"
            raise XmlError(f"it {what}: no definition of libvirt is like that", parser.CurrentLineNumber)
        element = Element(raw, name, attributes, parser.CurrentByteIndex)
        inside[-1].children.append(element)
        inside.append(element)
        texts.append([])

    def end(_name: str) -> None:
        element = inside.pop()
        element.text = "".join(texts.pop())
        element._closes = parser.CurrentByteIndex

    def text(data: str) -> None:
        texts[-1].append(data)

    def doctype(*_args: object) -> None:
        raise XmlError("it has a DOCTYPE; libvirt writes none, and none is read", parser.CurrentLineNumber)

    def declaration(_version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in _ENCODINGS:
            raise XmlError(f"its encoding is {encoding}; it must be UTF-8", parser.CurrentLineNumber)

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = doctype
    parser.XmlDeclHandler = declaration
    try:
        parser.Parse(raw, True)
    except expat.ExpatError as error:
        raise XmlError(f"it is not well-formed XML: {expat.ErrorString(error.code)}", error.lineno) from None
    finally:
        # They and the parser hold one another, and with them the whole text.
        parser.StartElementHandler = parser.EndElementHandler = parser.CharacterDataHandler = None
        parser.StartDoctypeDeclHandler = parser.XmlDeclHandler = None
    return document.children[0]
