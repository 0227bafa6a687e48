# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The kernel's write-back limits: two pairs of twins of which one is in force.

Source: Documentation/admin-guide/sysctl/vm.rst and the handlers in mm/page-writeback.c.
A *state* is a dict of the four integers of :data:`KEYS`. *Limits* are what is in force, one key
per pair: ``{"dirty_ratio": 2, "dirty_background_ratio": 1}``.
"""

from __future__ import annotations

import re

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
# kernel/sysctl.c, TMPBUFLEN: it refuses a number of that many characters, and one that does not fit.
_MOST_CHARACTERS = 20
_LARGEST = 2**64 - 1


def pair_of(key):
    """``dirty`` for ``dirty_bytes``."""
    return key.rpartition("_")[0]


def number(text):
    """The number the kernel reads out of what is written to the file, ``None`` where it refuses it.

    The base is C's (``0x10``, ``010`` are 16 and 8), and what follows a blank is ignored.
    """
    match = _NUMBER.match(str(text))
    if match is None:
        return None
    digits = match.group(1)
    if len(digits) > _MOST_CHARACTERS:
        return None
    if digits[:2] in ("0x", "0X"):
        value = int(digits, 16)
    elif len(digits) > 1 and digits[0] == "0":
        value = int(digits, 8) if set(digits) <= set("01234567") else None
    else:
        value = int(digits)
    return None if value is None or value > _LARGEST else value


def write(state, key, text):
    """The state after ``text`` was written to ``key``; the same state where the kernel refuses it.

    Writing one twin zeroes the other. For ``dirty_ratio`` and ``dirty_bytes`` only a *changed* value
    does so, for the background pair every accepted one.
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


def twin(key):
    """``dirty_bytes`` for ``dirty_ratio`` and back."""
    pair, _unused, unit = key.rpartition("_")
    return "{}_{}".format(pair, "bytes" if unit == "ratio" else "ratio")


def in_force(state):
    """The limits of a state: bytes where they are set, else the ratio."""
    limits = {}
    for pair in PAIRS:
        unit = "bytes" if state[pair + "_bytes"] else "ratio"
        key = f"{pair}_{unit}"
        limits[key] = state[key]
    return limits


def of_pair(limits, pair):
    """Of some limits that of one pair."""
    return {key: value for key, value in limits.items() if pair_of(key) == pair}


def spell(limits):
    """Limits for a person: ``vm.dirty_ratio 2, vm.dirty_background_ratio 1``."""
    return ", ".join("vm.%s %d" % item for item in limits.items())


def steps(state, limits):
    """The shortest list of ``(key, value)`` writes that puts ``limits`` in force."""
    writes = []
    current = in_force(state)
    for key, value in limits.items():
        if current.get(key) == value:
            continue
        if value == 0 and state[key] == 0:
            # the kernel takes an unchanged ratio for no change and would keep the bytes
            writes.append((key, 1))
        writes.append((key, value))
    return writes


def relevant(assignment):
    """Whether an assignment can touch the limits, by name or by glob."""
    key = assignment["key"]
    names = [PREFIX + name for name in KEYS]
    return any(matches(key, name) for name in names) if is_glob(key) else key in names


def parse_relevant(text):
    """The assignments of a file's text that can touch the limits."""
    return [assignment for assignment in parse(text) if relevant(assignment)]


def replay(assignments, state=None):
    """What systemd-sysctl makes of the limits.

    :param assignments: of all files in reading order, as :func:`.assignments.parse` gives them
    :param state: what it starts from, default a freshly booted kernel
    :returns: ``(state, deciders)`` as :func:`write_all`
    """
    writes = [
        (path.partition("/")[2], assignment["value"], assignment)
        for path, assignment in write_order(assignments, [PREFIX + key for key in KEYS])
    ]
    return write_all(dict(BOOT_STATE if state is None else state), writes)


def write_all(state, writes):
    """What a list of writes makes of the limits.

    :param writes: ``(key, text, who)``
    :returns: ``(state, deciders)``; deciders has, per pair, who wrote last what is in force, also where it was in force
        already (a file with the kernel's own defaults changes nothing, and still replaces another's line); ``None``
        where nobody did
    """
    last = {}
    for key, text, who in writes:
        after = write(state, key, text)
        # the same state is a refused write
        if after is not state:
            last[key] = who
        state = after
    keys = in_force(state)
    return state, {
        pair: next((last[key] for key in keys if key in last and pair_of(key) == pair), None) for pair in PAIRS
    }


def bytes_of(limits, available):
    """The limits as bytes; a percentage is of *available* memory. ``None`` where that is unknown."""
    amounts = {}
    for key, value in limits.items():
        if key.endswith("_bytes"):
            amounts[pair_of(key)] = value
        else:
            amounts[pair_of(key)] = None if available is None else available * value // 100
    return amounts
