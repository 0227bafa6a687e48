# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Text from a guest or a host, made fit to be shown on a terminal.

A guest's name is whatever its owner typed. A terminal would obey an escape sequence or a right-to-left
override in it instead of showing it, and a lone surrogate cannot be encoded at all.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any

from ansible.utils.display import get_text_width

from ...module_utils._text import one_line, plural, visible

NO_BREAK = "\u00a0"
#: Before what to do.
ARROW = "-> "


class Line(str):
    """A line with the ``tone`` in which a terminal shows it: error, warning, waits (for a restart), ok, or none."""

    tone: str | None = None


def toned(tone: str | None, lines: Iterable[str]) -> list[str]:
    """The lines in a tone."""
    found: list[str] = []
    for text in lines:
        line = Line(text)
        line.tone = tone
        found.append(line)
    return found


def brief(value: Any, width: int = 1000) -> str:
    """``one_line`` cut to ``width`` columns, for the terminal: the reports have all of it."""
    return short(one_line(value), width)


def short(value: Any, width: int = 128) -> str:
    """A name as ``visible`` returns it, cut to ``width`` columns: no sensible name is longer."""
    text = visible(value)
    return fit(text, width) if len(text) > width or columns(text) > width else text


def called(guest: Mapping[str, Any]) -> list[Any]:
    """A guest's id, and its name where that is another one."""
    return [text for text in dict.fromkeys((guest.get("guest"), guest.get("name"))) if text]


def who(guest: Mapping[str, Any]) -> str:
    """A guest's id and name, and the node ``on`` it is where its host has another guest of the id."""
    on = [f"on {short(guest['on'])}"] if guest.get("on") else []
    return " ".join([*map(short, called(guest)), *on])


def count(number: int, word: str) -> str:
    """``1 guest``, ``2,000 guests``: with thousands separated, where there is room for a comma."""
    return f"{number:,} {plural(number, word).split(' ', 1)[1]}"


def plain(value: Any) -> str:
    """A found or wanted value in words: ``unset`` for null, YAML's words for booleans."""
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return " or ".join(plain(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{visible(key)} {plain(item)}" for key, item in value.items())
    return visible(value)


def sentences(message: Any, hint: Any) -> str:
    """What is wrong and what to do as running text, on one line."""
    texts = [text.rstrip(".") for text in (one_line(message), one_line(hint)) if text]
    return ". ".join(texts) + "." if texts else ""


def location(finding: Mapping[str, Any], line: str = ":") -> str:
    """A finding's file and line, with ``line`` between them; "" without a file."""
    file = visible(finding.get("file"))
    return f"{file}{line}{finding['line']}" if file and finding.get("line") is not None else file


def columns(text: str) -> int:
    """How many columns of a terminal ``text`` takes: wide East Asian characters two, combining ones none."""
    return len(text) if text.isascii() else sum(map(_columns, text))


@functools.lru_cache(maxsize=4096)
def _columns(char: str) -> int:
    """Of one character, so that the parts of a text add up to the whole."""
    try:
        return int(get_text_width(char))
    except OSError:
        # The C library does not know it, but this Python does: most new characters are emoji, which are wide.
        return 2


def fit(text: str, width: int) -> str:
    """``text`` cut or padded on the right to ``width`` columns; a tilde marks a cut."""
    end, used = _reach(text, 0, width)
    if end < len(text):
        end, used = _reach(text, 0, width - 1)
        text, used = f"{text[:end]}~", used + 1
    return text + " " * (width - used)


def _reach(text: str, start: int, width: int) -> tuple[int, int]:
    """(end, columns) of the longest part of ``text`` from ``start`` on that takes at most ``width`` columns."""
    if text.isascii():
        end = min(start + max(width, 0), len(text))
        return end, end - start
    used = 0
    for at in range(start, len(text)):
        wide = _columns(text[at])
        if used + wide > width:
            return at, used
        used += wide
    return len(text), used


def wrap(text: str, width: int, first: str = "", rest: str = "") -> list[str]:
    """``text`` in lines of at most ``width`` columns; ``first`` and ``rest`` are the indents.

    Lines break at blanks, and inside a word that is longer than a line. A no-break space keeps two words together and
    is printed as a blank. The time is proportional to the length of the text, however long a word is.
    """
    lines = []
    parts, used, empty = [first], columns(first), True
    for word in text.split(" "):
        wanted = columns(word)
        if not empty and used + 1 + wanted > width:
            lines.append("".join(parts))
            parts, used, empty = [rest], columns(rest), True
        if not empty:
            parts.append(" ")
            used += 1
        empty = False
        at = 0
        while used + wanted > width:
            end, taken = _reach(word, at, width - used)
            if end == at and used <= columns(rest):
                # Not even one character fits next to the indent.
                end, taken = at + 1, _columns(word[at])
            parts.append(word[at:end])
            lines.append("".join(parts))
            parts, used = [rest], columns(rest)
            at, wanted = end, wanted - taken
        parts.append(word[at:])
        used += wanted
    lines.append("".join(parts))
    return [one.replace(NO_BREAK, " ").rstrip() for one in lines]


def wrap_all(lines: Iterable[str], width: int) -> list[str]:
    """Each line in lines of at most ``width`` columns; what follows its first is indented by two blanks more.

    After an arrow it is indented to the text. Each keeps its tone.
    """
    wrapped = []
    for line in lines:
        text = line.lstrip(" ")
        indent = " " * (len(line) - len(text))
        rest = indent + (" " * len(ARROW) if text.startswith(ARROW) else "  ")
        wrapped += toned(getattr(line, "tone", None), wrap(text, width, indent, rest))
    return wrapped
