# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""QEMU's option syntax: an argument vector in, options and values out. No I/O.

There are two syntaxes: ``key=value,key=value`` (a comma in a value is doubled, dots nest)
and JSON, which QEMU takes for -blockdev, -object and (from 6.2 on) -device.
Source: QEMU's documentation of invocation, "util/keyval.c" and "util/qemu-option.c".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, overload

#: As deep as JSON, block nodes and dotted keys are followed.
MAX_DEPTH = 64
_MOST_DIGITS = 20

# Options without a value, so that a bare argument after them is a disk image and not their value.
_FLAGS = frozenset(
    (
        "S",
        "s",
        "h",
        "help",
        "version",
        "enable-kvm",
        "no-kvm",
        "no-user-config",
        "nodefaults",
        "nodefconfig",
        "snapshot",
        "no-reboot",
        "no-shutdown",
        "daemonize",
        "nographic",
        "no-acpi",
        "no-hpet",
        "no-fd-bootchk",
        "win2k-hack",
        "singlestep",
        "one-insn-per-tb",
        "semihosting",
        "portrait",
        "usb",
        "full-screen",
        "alt-grab",
        "ctrl-grab",
        "no-quit",
        "no-frame",
        "curses",
        "sdl",
        "mem-prealloc",
        "only-migratable",
        "preconfig",
        "enable-sync-profile",
        "async-teardown",
        "xen-attach",
        "xen-domid-restrict",
        "old-param",
    )
)

_TRUE = frozenset(("on", "yes", "true", "y"))
_FALSE = frozenset(("off", "no", "false", "n"))


@overload
def as_bool(value: object, default: bool) -> bool:
    """With a default, always a value."""


@overload
def as_bool(value: object, default: bool | None = None) -> bool | None:
    """Without one, None for anything else."""


def as_bool(value: object, default: bool | None = None) -> bool | None:
    """True or False for the spellings QEMU takes ("on", "no", True, ...), ``default`` for anything else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return True if value in _TRUE else False if value in _FALSE else default
    return default


def split_options(text: str, implied: str | None = None) -> dict[str, str]:
    """Split ``key=value,key=value`` into a dict; the last of a repeated key wins, as in QEMU.

    ``implied`` is the key of a first part without ``=`` (the driver of -device). Another part without ``=`` is a
    switch: ``key`` means on, ``nokey`` is kept under its own name.
    """
    values: dict[str, str] = {}
    for number, part in enumerate(_split_commas(text)):
        key, equals, value = part.partition("=")
        if equals:
            values[key] = value
        elif number == 0 and implied is not None:
            values[implied] = part
        elif part:
            values[part] = "on"
    return values


def _split_commas(text: str) -> list[str]:
    # QEMU doubles a comma that belongs to a value. NUL cannot occur in an argument.
    return [part.replace("\0", ",") for part in text.replace(",,", "\0").split(",")]


def nest(values: Mapping[str, Any]) -> dict[str, Any]:
    """Turn dotted keys into nested dicts: {"file.driver": "x"} becomes {"file": {"driver": "x"}}.

    -drive allows ``file=PATH`` with ``file.OPTION=…``: the path then becomes the nested "filename".
    """
    nested: dict[str, Any] = {}
    for key, value in values.items():
        *parents, last = key.split(".")
        level = nested
        for parent in parents:
            below = level.get(parent)
            if not isinstance(below, dict):
                below = {} if below is None else {"filename": below}
                level[parent] = below
            level = below
        if isinstance(level.get(last), dict):
            level[last]["filename"] = value
        else:
            level[last] = value
    return nested


def parse_object(text: str, implied: str) -> dict[str, Any]:
    """One -blockdev, -device or -object value, in either syntax, as a nested dict; raises ValueError as parse_json."""
    return parse_json(text) if text.startswith("{") else nest(split_options(text, implied))


def parse_json(text: str) -> dict[str, Any]:
    """A JSON object as QEMU takes it, every string printable: a lone surrogate becomes its escape.

    Raises ValueError where it is not an object in JSON, is nested more than MAX_DEPTH deep, or has a number of more
    than 20 digits.
    """
    try:
        value = json.loads(text, parse_int=_bounded_number)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return {_printable(key, MAX_DEPTH): _printable(item, MAX_DEPTH - 1) for key, item in value.items()}


def _bounded_number(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError(f"a number of {len(text)} digits")
    return int(text)


def _printable(value: Any, depth: int) -> Any:
    if depth == 0:
        raise ValueError("nested too deeply")
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {_printable(key, depth): _printable(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_printable(item, depth - 1) for item in value]
    return value


def walk(argv: list[str]) -> Iterator[tuple[str, str | None]]:
    """Every option of an argument vector, without its dashes, with its value.

    The value is None for an option without one. A bare argument, which QEMU takes for a disk image, comes as
    ("", argument). An option that is not known here takes the next argument unless that is an option.
    """
    position = 1
    while position < len(argv):
        argument = argv[position]
        position += 1
        if not argument.startswith("-") or argument == "-":
            yield "", argument
            continue
        name = argument[2:] if argument.startswith("--") else argument[1:]
        if name in _FLAGS or position >= len(argv) or _is_option(argv[position]):
            yield name, None
            continue
        yield name, argv[position]
        position += 1


def _is_option(argument: str) -> bool:
    # No option that matters here takes a value with a leading dash; a value such as "-5" or "-" is not an option.
    return len(argument) > 1 and argument[0] == "-" and (argument[1].isalpha() or argument[1] == "-")
