# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""JSON text read member by member: of a plan of 100 MB only what is needed is ever in memory as values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_BLANK = re.compile(r"[ \t\n\r]*")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
# Half of a pair without the other is no character, and no report can hold it. Each escape is looked at in its order, so
# that one behind a backslash that is escaped itself is none.
_HEX = "[0-9a-fA-F]{2}"
_ESCAPE = re.compile(
    rf"\\(?:u[dD][89abAB]{_HEX}\\u[dD][c-fC-F]{_HEX}|(u[dD][89a-fA-F]{_HEX})|.)",
    re.DOTALL,
)
_DECODER = json.JSONDecoder()


class JsonError(ValueError):
    """The text is not JSON; the message says what is wrong and in which line."""


def _whole(escape: re.Match[str]) -> str:
    return r"\ufffd" if escape[1] else escape[0]


class Reader:
    """A place in JSON text, which moves on as values are read."""

    def __init__(self, text: str) -> None:
        self._text = _ESCAPE.sub(_whole, text) if ("\\ud" in text or "\\uD" in text) else text
        self._at = 0

    def members(self) -> Iterator[str]:
        """The names of the members of the object that begins here. The caller reads or skips the value of each.

        Raises JsonError where no object begins here, and where it is not whole.
        """
        self._expect("{", "an object")
        if self._found("}"):
            return
        while True:
            self._blank()
            name = self.value() if self._text.startswith('"', self._at) else None
            if not isinstance(name, str):
                raise self._error("a name in double quotes is expected")
            self._expect(":", "a colon")
            yield name
            if not self._found(","):
                break
        self._expect("}", "a comma or the end of the object")

    def items(self) -> Iterator[Any]:
        """The values of the list that begins here. Raises JsonError as ``members``."""
        self._expect("[", "a list")
        if self._found("]"):
            return
        while True:
            yield self.value()
            if not self._found(","):
                break
        self._expect("]", "a comma or the end of the list")

    def value(self) -> Any:
        """The value that begins here. Raises JsonError, also for one that is nested too deeply."""
        self._blank()
        try:
            value, self._at = _DECODER.raw_decode(self._text, self._at)
        except json.JSONDecodeError as exc:
            raise JsonError(f"{exc.msg} in line {exc.lineno}") from None
        except RecursionError:
            raise self._error("a value is nested too deeply") from None
        return value

    def value_or_skip(self) -> Any:
        """The same; None for a value that is nested too deeply. Raises JsonError."""
        self._blank()
        try:
            value, self._at = _DECODER.raw_decode(self._text, self._at)
        except json.JSONDecodeError as exc:
            raise JsonError(f"{exc.msg} in line {exc.lineno}") from None
        except RecursionError:
            self._skip_deep()
            return None
        return value

    def skip(self) -> None:
        """Move behind the value that begins here, however deeply it is nested. Raises JsonError."""
        self.value_or_skip()

    def end(self) -> None:
        """Raise JsonError where more than blanks follow."""
        self._blank()
        if self._at < len(self._text):
            raise self._error("there is more text after the end")

    def _skip_deep(self) -> None:
        depth = 0
        for token in _TOKEN.finditer(self._text, self._at):
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
            if depth == 0:
                self._at = token.end()
                return
        self._at = len(self._text)
        raise self._error("the text ends within a value")

    def _blank(self) -> None:
        match = _BLANK.match(self._text, self._at)
        self._at = match.end() if match else self._at

    def _found(self, char: str) -> bool:
        self._blank()
        if not self._text.startswith(char, self._at):
            return False
        self._at += 1
        return True

    def _expect(self, char: str, what: str) -> None:
        if not self._found(char):
            ended = self._at >= len(self._text)
            raise self._error(f"the text ends where {what} is expected" if ended else f"{what} is expected")

    def _error(self, text: str) -> JsonError:
        return JsonError(f"{text} in line {self._text.count(chr(10), 0, self._at) + 1}")
