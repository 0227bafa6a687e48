# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The kernel's write-back limits: two pairs of twins; of each pair one is in force.

Source: Documentation/admin-guide/sysctl/vm.rst and the handlers in mm/page-writeback.c.
A *state* has the four integers of :data:`KEYS`. *Limits* are what is in force, one key per pair:
``{"dirty_ratio": 2, "dirty_background_ratio": 1}``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from .._text import exact_amount
from .assignments import is_glob, matches, parse, write_order

State = dict[str, int]
Limits = dict[str, int]

PAIRS = ("dirty", "dirty_background")
KEYS = ("dirty_ratio", "dirty_bytes", "dirty_background_ratio", "dirty_background_bytes")
PREFIX = "vm/"
BOOT_STATE = {"dirty_ratio": 20, "dirty_bytes": 0, "dirty_background_ratio": 10, "dirty_background_bytes": 0}
"""What a kernel starts with."""

PAGE = 4096
_NUMBER = re.compile(r"\s*(0[xX][0-9a-fA-F]+|[0-9]+)(?=\s|\Z)", re.ASCII)
# kernel/sysctl.c, TMPBUFLEN: it refuses a number with more characters, and one that does not fit.
_MOST_CHARACTERS = 20
_LARGEST = 2**64 - 1


def pair_of(key: str) -> str:
    """``dirty`` for ``dirty_bytes``."""
    return key.rpartition("_")[0]


def number(text: str | int) -> int | None:
    """The number that the kernel reads from what is written to the file; None where it refuses it.

    The base is that of C (``0x10`` is 16, ``010`` is 8), and everything after a blank is ignored.
    """
    match = _NUMBER.match(str(text))
    if match is None:
        return None
    digits = match.group(1)
    if len(digits) > _MOST_CHARACTERS:
        return None
    base = 16 if digits[:2] in ("0x", "0X") else 8 if len(digits) > 1 and digits[0] == "0" else 10
    try:
        value = int(digits, base)
    except ValueError:
        return None
    return value if value <= _LARGEST else None


def write(state: State, key: str, text: str | int) -> State:
    """The state after ``text`` is written to ``key``; the same object where the kernel refuses it.

    Writing one twin zeroes the other. For ``dirty_ratio`` and ``dirty_bytes`` only a *changed* value does so, for the
    background pair every accepted one.
    """
    value = number(text)
    pair, _unused, unit = key.rpartition("_")
    if value is None:
        return state
    if unit == "ratio" and value > 100:
        return state
    if unit == "bytes" and value < (2 * PAGE if pair == "dirty" else 1):
        return state
    after = dict(state)
    after[key] = value
    if pair == "dirty_background" or value != state[key]:
        after[twin(key)] = 0
    return after


def twin(key: str) -> str:
    """``dirty_bytes`` for ``dirty_ratio`` and back."""
    pair, _unused, unit = key.rpartition("_")
    return f"{pair}_{'bytes' if unit == 'ratio' else 'ratio'}"


def in_force(state: State) -> Limits:
    """The limits of a state: of each pair the bytes where they are set, else the ratio."""
    limits = {}
    for pair in PAIRS:
        key = f"{pair}_bytes" if state[f"{pair}_bytes"] else f"{pair}_ratio"
        limits[key] = state[key]
    return limits


def of_pair(limits: Limits, pair: str) -> Limits:
    """The limit of one pair."""
    return {key: value for key, value in limits.items() if pair_of(key) == pair}


def spell(limits: Limits) -> str:
    """Limits for a person: ``vm.dirty_ratio 2, vm.dirty_background_ratio 1``, ``vm.dirty_bytes 256 MiB, …``."""
    return ", ".join(
        f"vm.{key} {exact_amount(value) if key.endswith('_bytes') else value}" for key, value in limits.items()
    )


def steps(state: State, limits: Limits) -> list[tuple[str, int]]:
    """The shortest list of writes, ``(key, value)``, that puts ``limits`` in force."""
    writes = []
    current = in_force(state)
    for key, value in limits.items():
        if current.get(key) == value:
            continue
        if value == 0 and state[key] == 0:
            # An unchanged ratio is not a change to the kernel: it would keep the bytes.
            writes.append((key, 1))
        writes.append((key, value))
    return writes


def relevant(assignment: dict[str, Any]) -> bool:
    """Whether an assignment can set a limit, by name or by a pattern."""
    key = assignment["key"]
    names = [PREFIX + name for name in KEYS]
    return any(matches(key, name) for name in names) if is_glob(key) else key in names


def parse_relevant(text: str) -> list[dict[str, Any]]:
    """The assignments in a file's text that can set a limit."""
    return [assignment for assignment in parse(text) if relevant(assignment)]


def replay(assignments: Iterable[dict[str, Any]], state: State | None = None) -> tuple[State, dict[str, Any]]:
    """What systemd-sysctl makes of the limits: ``(state, deciders)`` as of :func:`write_all`.

    ``assignments`` are those of all files in reading order (:func:`.assignments.parse`), ``state`` is what it starts
    from, a freshly booted kernel by default.
    """
    writes = [
        (path.partition("/")[2], assignment["value"], assignment)
        for path, assignment in write_order(assignments, [PREFIX + key for key in KEYS])
    ]
    return write_all(dict(BOOT_STATE if state is None else state), writes)


def write_all(state: State, writes: Iterable[tuple[str, str, Any]]) -> tuple[State, dict[str, Any]]:
    """What a list of writes, ``(key, text, who)``, makes of the limits: ``(state, deciders)``.

    deciders has, per pair, who wrote last what is in force; None where nobody did. A write that changes nothing counts
    too: a file with the kernel's own defaults still replaces another file's line.
    """
    last: dict[str, Any] = {}
    for key, text, who in writes:
        after = write(state, key, text)
        # The kernel refused the write.
        if after is not state:
            last[key] = who
        state = after
    keys = in_force(state)
    return state, {
        pair: next((last[key] for key in keys if key in last and pair_of(key) == pair), None) for pair in PAIRS
    }


def bytes_of(limits: Limits, available: int | None) -> dict[str, int | None]:
    """The limits in bytes, by pair; a percentage is of the *available* memory. None where that is not known."""
    amounts: dict[str, int | None] = {}
    for key, value in limits.items():
        if key.endswith("_bytes"):
            amounts[pair_of(key)] = value
        else:
            amounts[pair_of(key)] = None if available is None else available * value // 100
    return amounts
