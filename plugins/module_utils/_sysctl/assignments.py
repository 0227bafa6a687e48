# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What systemd-sysctl reads from sysctl.d files, and in which order it writes it.

Source: sysctl.d(5), and systemd-sysctl 252 observed on generated files.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from typing import Any

Assignment = dict[str, Any]

DIRECTORIES = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d")
"""Highest precedence first: a file masks those of the same name in later directories."""

_WHITESPACE = " \t\n\r"


def normalize_key(key: str) -> str:
    """The path of a key below /proc/sys (sysctl.d(5)).

    Where the first separator is a dot, dots separate and slashes mean dots in a name
    (``net.ipv4.conf.eth0/10.forwarding``); where it is a slash, the key is a path already.
    """
    separators = [character for character in key if character in "./"]
    if separators and separators[0] == ".":
        key = key.translate(str.maketrans("./", "/."))
    parts = [part for part in key.split("/") if part not in ("", ".")]
    return "/".join(parts)


def is_glob(key: str) -> bool:
    """Whether systemd treats the key as a pattern."""
    return any(character in key for character in "*?[")


def matches(pattern: str, key: str) -> bool:
    """Whether a normalized pattern names ``key``; as in glob(7), a star never matches a slash."""
    pattern_parts, key_parts = pattern.split("/"), key.split("/")
    return len(pattern_parts) == len(key_parts) and all(
        fnmatch.fnmatchcase(part, wanted.replace("[^", "[!")) for part, wanted in zip(key_parts, pattern_parts)
    )


def parse(text: str) -> list[Assignment]:
    """The lines of one file that systemd acts on, in their order, as ``{line, key, value, text}``.

    line counts from 1; key is normalized and may be a pattern; value is None for an exclusion (``-key``, which keeps
    patterns off the key); text is the whole line. Comments (``#`` or ``;`` in front), empty lines and invalid lines are
    left out.
    """
    found = []
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip(_WHITESPACE)
        if not line or line[0] in "#;":
            continue
        key, assigned, value = line.partition("=")
        if not assigned and not key.startswith("-"):
            continue
        if key.startswith("-"):
            key = key[1:]
        key = normalize_key(key.strip(_WHITESPACE))
        if not key:
            continue
        found.append(
            {"line": number, "key": key, "value": value.strip(_WHITESPACE) if assigned else None, "text": line}
        )
    return found


def comment_out(raw: bytes, lines: Iterable[int], remark: str) -> bytes:
    """The bytes of a file with some lines turned into comments, and every other byte unchanged.

    ``lines`` are line numbers, counting from 1; ``remark`` is one line, put in front of each.
    """
    out = []
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if number in lines:
            out.append(b"# " + remark.encode("utf-8"))
            line = b"# " + line
        out.append(line)
    return b"\n".join(out)


def precedence(
    names_by_directory: Mapping[str, list[str]], directories: tuple[str, ...] = DIRECTORIES
) -> list[tuple[str, list[str]]]:
    """The files that systemd reads, in its order: ``(path, [paths it masks])``.

    ``names_by_directory`` is ``{directory: [names]}``, of ``directories``, names of any kind: in systemd 252 a
    directory or a dangling link masks a file too. The order is that of the names, as bytes, across the directories.
    modprobe.d(5) and tmpfiles.d(5) have the same rules for directories of their own.
    """
    chosen: dict[str, list[str]] = {}
    for directory in directories:
        for name in names_by_directory.get(directory, ()):
            if name.startswith(".") or not name.endswith(".conf"):
                continue
            chosen.setdefault(name, []).append(f"{directory}/{name}")
    names = sorted(chosen, key=lambda name: name.encode("utf-8", "surrogateescape"))
    return [(chosen[name][0], chosen[name][1:]) for name in names]


def write_order(assignments: Iterable[Assignment], keys: Iterable[str]) -> list[tuple[str, Assignment]]:
    """What systemd-sysctl writes to ``keys``, in its order: ``(key, assignment)``.

    ``assignments`` are those of all files, in reading order; ``keys`` are normalized.

    Three rules of systemd decide which value stays. A key that is assigned again *with another value* moves to the end
    of the order; assigned again with the same value, it keeps its early place (so a twin in between wins); an exclusion
    replaces an earlier assignment of its key. Patterns never set a key that is named anywhere, even by an exclusion.
    """
    options: dict[str, Assignment] = {}
    for assignment in assignments:
        key = assignment["key"]
        if key in options:
            if options[key]["value"] == assignment["value"]:
                continue
            del options[key]
        options[key] = assignment
    order = []
    for key, assignment in options.items():
        if assignment["value"] is None:
            continue
        if not is_glob(key):
            if key in keys:
                order.append((key, assignment))
            continue
        order.extend((name, assignment) for name in sorted(keys) if matches(key, name) and name not in options)
    return order
