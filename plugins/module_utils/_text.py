# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Values as text for people: escaped, counted, sorted. Pure."""

from __future__ import annotations

import collections
import re
from typing import Any

_MIB = 1 << 20


def word(value: Any) -> str:
    """An option's value for a person: ``on``, ``threads``."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def builtin(value: Any) -> Any:
    """The same value in Python's own types, for libraries that do not know Ansible's."""
    if isinstance(value, dict):
        return {builtin(key): builtin(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [builtin(item) for item in value]
    return str.__str__(value) if isinstance(value, str) else value


def natural_key(text: str) -> tuple[str, int, str]:
    """Sort key that puts scsi2 before scsi10 and guest 99 before guest 100."""
    head = text.rstrip("0123456789")
    tail = text[len(head) :]
    digits = tail.lstrip("0")
    # Not int(): Python refuses to read a number of more than 4,300 digits.
    return (head, len(digits) if tail else -1, digits)


def plural(count: int, one: str, many: str | None = None) -> str:
    """``1 guest``, ``2 guests``."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def amount(number: int) -> str:
    """A number of bytes for a person, rounded: ``256 MiB``, ``23.5 GiB``."""
    if number >= 1024 * _MIB:
        return f"{number / (1024 * _MIB):.1f} GiB".replace(".0 ", " ")
    return f"{number // _MIB} MiB" if number >= _MIB else f"{number} bytes"


def exact_amount(number: int) -> str:
    """The same of a setting, where nothing is rounded away: ``256 MiB``, but ``268435457 bytes``."""
    if not number or number % _MIB:
        return f"{number} bytes"
    return f"{number // _MIB} MiB" if number % (1024 * _MIB) else amount(number)


def failed_guests(results: list[dict[str, Any]], most: int = 10) -> str:
    """``3 guests failed (refused: 101, 103; busy: 102)`` for failed results; of each reason no more than ``most``
    guests are named.
    """
    times = collections.Counter(result["guest"] for result in results)
    reasons: dict[str, list[str]] = {}
    for result in results:
        name = f"{result['guest']} on {result['node']}" if times[result["guest"]] > 1 else result["guest"]
        reasons.setdefault(str(result["reason"] or "no reason given").replace("_", " "), []).append(name)
    words = (
        f"{reason}: {', '.join(names[:most])}{f' and {len(names) - most} more' if len(names) > most else ''}"
        for reason, names in reasons.items()
    )
    return f"{plural(len(results), 'guest')} failed ({'; '.join(words)})"


# What a CI that reads the output would obey instead of showing it: GitHub's workflow commands, of which the first form
# counts at the start of a line, to which a text can be wrapped, and the second anywhere (actions/runner,
# ActionCommand.cs and ActionCommandManager.cs); Azure Pipelines' ##vso[ and TeamCity's ##teamcity[.
_COMMAND = re.compile(
    r"::(?=(?:add-mask|add-matcher|add-path|debug|echo|endgroup|error|group|internal-set-repo-path|notice|remove-matcher"
    r"|save-state|set-env|set-output|stop-commands|warning)(?: |::|\Z))|##(?=\w*\[)",
    re.IGNORECASE,
)


def visible(value: Any) -> str:
    """A value as one line of text, every character that would not be seen written as an escape.

    So is the first character of what a CI would take for a command to itself. None becomes "", other values their
    ``str``.
    """
    if value is None:
        return ""
    text = value if isinstance(value, str) else _text(value)
    if not text.isprintable():
        text = "".join(c if c.isprintable() else _escape(c) for c in text)
    if "::" in text or "##" in text:
        text = _COMMAND.sub(lambda found: _escape(found[0][0]) + found[0][1:], text)
    return text


def one_line(value: Any) -> str:
    """A text for a person, such as a message or what a command printed, on one line: lines are joined with "; ".

    Not for names, in which a line break must be seen: see ``visible``.
    """
    text = value if isinstance(value, str) else visible(value)
    if "\n" in text or "\r" in text:
        text = "; ".join(part for part in map(str.strip, re.split("[\r\n]+", text)) if part)
    return visible(text)


def _text(value: Any) -> str:
    try:
        return str(value)
    except ValueError:
        # Python refuses to print a number of more than 4,300 digits.
        return "a number too long to print"


def _escape(char: str) -> str:
    if char in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[char]
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
