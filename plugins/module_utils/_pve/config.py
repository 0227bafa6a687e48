# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The text of a Proxmox VE guest config: its sections and lines, read and edited losslessly.

Text in, values out. Nothing here knows what an option means. The reading follows qemu-server's ``parse_vm_config``: a
line that it skips or would drop on its next write is an unsafe line here, because a write through ``qm`` loses it.
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from . import settings as _settings

MAIN = ""
PENDING = "pending"

_BLANKS = " \t\r\f\v"
_PENDING = re.compile(r"^\[PENDING\]\s*$", re.ASCII | re.IGNORECASE)
_SPECIAL = re.compile(r"^\[special:(cloudinit|fleecing)\]\s*$", re.ASCII | re.IGNORECASE)
_SNAPSHOT = re.compile(r"^\[([a-z][a-z0-9_\-]+)\]\s*$", re.ASCII | re.IGNORECASE)
_SECTION = re.compile(r"^\[([^\]]*)\]\s*$", re.ASCII)
_SNAPSTATE = re.compile(r"snapstate:\s*(prepare|delete)\s*$", re.ASCII)
_KEY = re.compile(r"^([a-z][a-z_\-]*\d*):", re.ASCII)


class Entry(NamedTuple):
    """One ``key: value`` line. ``start`` and ``end`` bound the value in the text."""

    key: str
    value: str
    line: int
    start: int
    end: int


class Unsafe(NamedTuple):
    """A line that Proxmox VE does not understand and drops on its next write."""

    line: int
    text: str
    reason: str


class Section:
    """One section: ``kind`` is main, pending, special or snapshot."""

    __slots__ = ("entries", "insert_at", "kind", "name")

    def __init__(self, kind: str, name: str, insert_at: int) -> None:
        self.kind = kind
        self.name = name
        self.entries: dict[str, Entry] = {}
        self.insert_at = insert_at

    def get(self, key: str) -> str | None:
        """The value of a key, None where the section does not have it."""
        entry = self.entries.get(key)
        return None if entry is None else entry.value


class Config:
    """A parsed guest config, with the text it came from."""

    __slots__ = ("main", "pending", "snapshots", "special", "text", "unknown_keys", "unsafe")

    def __init__(self, text: str) -> None:
        self.text = text
        self.main = Section("main", MAIN, 0)
        self.pending: Section | None = None
        self.special: dict[str, Section] = {}
        self.snapshots: dict[str, Section] = {}
        self.unsafe: list[Unsafe] = []
        self.unknown_keys: list[Entry] = []

    @property
    def pending_deletes(self) -> list[str]:
        """Keys that ``delete:`` in [PENDING] removes, without their leading ``!`` (force)."""
        value = self.pending.get("delete") if self.pending else None
        return [part.lstrip("!") for part in re.split(r"[,;\s]+", value or "") if part.lstrip("!")]

    def next(self, key: str) -> str | None:
        """A key's value after the next cold start: that in [PENDING], else that of the main section."""
        if self.pending is None:
            return self.main.get(key)
        pending = self.pending.get(key)
        if pending is None and key not in self.pending_deletes:
            return self.main.get(key)
        return pending


def decode(raw: bytes) -> str:
    """Bytes to text, so that ``encode`` gives the same bytes back."""
    return raw.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The bytes that ``decode`` made the text from."""
    return text.encode("utf-8", "surrogateescape")


def digest(raw: bytes) -> str:
    """The SHA-1 of the whole file, which is what ``qm set --digest`` compares."""
    return hashlib.sha1(raw, usedforsecurity=False).hexdigest()


def printable(text: str) -> str:
    """Text that any report can hold: bytes that are not UTF-8 become U+FFFD."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def parse(text: str) -> Config:
    """Read a guest config; never fails. What is not understood is in ``unsafe``.

    The last of two equal keys counts and the last of two equal sections replaces the first, as in ``parse_vm_config``;
    both lose text on the next write and are therefore unsafe too.
    """
    config = Config(text)
    section: Section | None = config.main
    offset = 0
    for number, line in enumerate(text.split("\n"), 1):
        start = offset
        offset += len(line) + 1
        if not line.strip(_BLANKS):
            continue
        if line[0] == "[":
            section, known = _open_section(config, line, number, min(offset, len(text)))
            if known:
                continue
        if section is None:
            config.unsafe.append(Unsafe(number, line, "in a section that Proxmox VE skips"))
            continue
        _read_line(config, section, line, number, start)
        section.insert_at = min(offset, len(text))
    return config


def _open_section(config: Config, line: str, number: int, insert_at: int) -> tuple[Section | None, bool]:
    section: Section | None = None
    if _PENDING.match(line):
        section = Section("pending", PENDING, insert_at)
        previous, config.pending = config.pending, section
    elif match := _SPECIAL.match(line):
        section = Section("special", match[1], insert_at)
        previous = config.special.get(section.name)
        config.special[section.name] = section
    elif match := _SNAPSHOT.match(line):
        section = Section("snapshot", match[1], insert_at)
        previous = config.snapshots.get(section.name)
        config.snapshots[section.name] = section
    elif match := _SECTION.match(line):
        config.unsafe.append(Unsafe(number, line, f"unknown section '{match[1]}'"))
        return None, True
    else:
        return config.main, False
    if previous is not None:
        config.unsafe.append(Unsafe(number, line, "second section with this name: it replaces the first"))
    return section, True


def _read_line(config: Config, section: Section, line: str, number: int, start: int) -> None:
    described = line.startswith("description:") and line[len("description:") :].strip(_BLANKS)
    if line[0] == "#" or described or ("snapstate" in line and _SNAPSTATE.search(line)):
        return
    match = _KEY.match(line)
    # By strip: a pattern takes time that grows with the square of the number of blanks in a line.
    value = line[match.end() :].strip(_BLANKS) if match else ""
    if not match or not value:
        config.unsafe.append(Unsafe(number, line, "not a line of the form 'key: value'"))
        return
    key = match[1]
    if key == "delete" and section.kind != "pending":
        config.unsafe.append(Unsafe(number, line, "'delete' is only allowed in [PENDING]"))
        return
    begin = start + line.index(value, match.end())
    entry = Entry("ide2" if key == "cdrom" else key, value, number, begin, begin + len(value))
    if section.kind != "special":
        if entry.key in section.entries:
            first = section.entries[entry.key]
            config.unsafe.append(
                Unsafe(
                    first.line,
                    text_line(config.text, first),
                    f"'{entry.key}' is repeated on line {number}, which takes precedence",
                )
            )
        fault = _settings.rejected(key, entry.value)
        if fault:
            config.unsafe.append(Unsafe(number, line, fault))
            return
        if key != "delete" and not _settings.known(key):
            config.unknown_keys.append(entry)
    section.entries[entry.key] = entry


def text_line(text: str, entry: Entry) -> str:
    """The whole line of an entry, without its end."""
    start = text.rfind("\n", 0, entry.start) + 1
    end = text.find("\n", entry.end)
    return text[start:] if end < 0 else text[start:end]


def edit(config: Config, values: dict[str, str | None], pending_keys: frozenset[str] = frozenset()) -> str:
    """The config's text with the given keys set, and every other byte as it was.

    ``values`` maps key to new value; None removes the key's line. A key in ``pending_keys`` is edited in [PENDING],
    where it must be already. A key that the main section does not have is put after the last main line that sorts
    before it, which is where Proxmox VE would write it in a sorted file. A key that is set is taken out of ``delete``
    in [PENDING], as ``qm set`` does (PVE::QemuConfig, remove_from_pending_delete).
    """
    splices: list[tuple[int, int, str, str]] = []
    for key, value in values.items():
        section = config.pending if key in pending_keys and config.pending else config.main
        entry = section.entries.get(key)
        if value is None:
            splices += [] if entry is None else [(*_line_of(config.text, entry), key, "")]
        elif entry is None:
            at = _insert_position(section, config.text, key)
            splices.append((at, at, key, f"{key}: {value}\n"))
        else:
            splices.append((entry.start, entry.end, key, value))
    splices += _without_deletes(config, {key for key, value in values.items() if value is not None})
    return _spliced(config.text, splices)


def _without_deletes(config: Config, keys: set[str]) -> list[tuple[int, int, str, str]]:
    """What takes the keys out of ``delete`` in [PENDING]."""
    entry = config.pending.entries.get("delete") if config.pending else None
    if entry is None or not keys.intersection(config.pending_deletes):
        return []
    left = [part for part in re.split(r"[,;\s]+", entry.value) if part and part.lstrip("!") not in keys]
    return [(entry.start, entry.end, "", ",".join(left)) if left else (*_line_of(config.text, entry), "", "")]


def _spliced(text: str, splices: list[tuple[int, int, str, str]]) -> str:
    """The text with each (start, end, key, new) put in its place; a new line starts on a line of its own."""
    out, done = "", 0
    for start, end, _key, new in sorted(splices):
        out += text[done:start]
        if start == end and out and not out.endswith("\n"):
            out += "\n"
        out, done = out + new, end
    return out + text[done:]


def _line_of(text: str, entry: Entry) -> tuple[int, int]:
    """Where the whole line of an entry starts and ends."""
    end = text.find("\n", entry.end)
    return text.rfind("\n", 0, entry.start) + 1, len(text) if end < 0 else end + 1


def _insert_position(section: Section, text: str, key: str) -> int:
    before = [entry for name, entry in section.entries.items() if name < key]
    if not before:
        first = min(section.entries.values(), key=lambda entry: entry.start, default=None)
        return section.insert_at if first is None else text.rfind("\n", 0, first.start) + 1
    end = text.find("\n", max(entry.end for entry in before))
    return len(text) if end < 0 else end + 1
