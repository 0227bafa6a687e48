# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Text that came from a guest or a host, made fit to be shown.

A guest's name is whatever its owner typed. On a terminal an escape sequence or a right-to-left
override in it would be obeyed rather than shown, and a lone surrogate cannot be encoded at all.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from .._model import visible

NO_BREAK = "\u00a0"


def short(value, width: int = 128) -> str:
    """A name as ``visible`` gives it, cut to ``width`` columns: no name is long, unless somebody means harm."""
    text = visible(value)
    return text if columns(text) <= width else fit(text, width)


def plain(value) -> str:
    """A found or wanted value in a word: `unset` for null, YAML's words for booleans."""
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return " or ".join(plain(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join("%s %s" % (visible(key), plain(item)) for key, item in value.items())
    return visible(value)


def sentences(message, hint) -> str:
    """What is wrong and what to do as running text, on one line."""
    texts = [text.rstrip(".") for text in (visible(message), visible(hint)) if text]
    return ". ".join(texts) + "." if texts else ""


def columns(text: str) -> int:
    """How many columns of a terminal `text` takes: wide East Asian characters two, combining ones none."""
    if text.isascii():
        return len(text)
    total = 0
    for char in text:
        if not unicodedata.combining(char):
            total += 2 if unicodedata.east_asian_width(char) in "WF" else 1
    return total


def fit(text: str, width: int, cut: str = "~") -> str:
    """`text` cut or padded on the right to `width` columns; a cut shows as `cut`."""
    if columns(text) > width:
        while columns(text) > width - len(cut):
            text = text[:-1]
        text += cut
    return text + " " * (width - columns(text))


def wrap(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """`text` in lines of at most `width` columns; `first` and `rest` are the indents.

    Broken at blanks. A no-break space holds together what it stands between, and is printed as a blank.
    """
    lines = []
    line, empty = first, True
    for word in text.split(" "):
        if not empty and columns(line) + 1 + columns(word) > width:
            lines.append(line)
            line, empty = rest, True
        line += word if empty else " " + word
        empty = False
        while columns(line) > width:
            lines.append(fit(line, width, cut=""))
            line = rest + line[len(lines[-1]) :]
    return [line.replace(NO_BREAK, " ").rstrip() for line in lines + [line]]
