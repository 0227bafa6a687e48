# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The backup jobs of a cluster in jobs.cfg. Text in, jobs out.

Follows pve-common's SectionConfig.pm, PVE::Job::Registry and PVE::VZDump::JobBase, 9.1: a bad or unknown property is
dropped, the first of two equal ones counts, and a section without a schedule is no job.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypedDict

from .._shown import piece
from . import options as _options
from .key_value import Ignored, ignored
from .options import CHECKS, Options
from .property_string import FormatFault

_HEADER = re.compile(r"(\S+):\s*(\S+)\s*\Z", re.ASCII)
_PROPERTY = re.compile(r"\s+(\S+)(?:\s+(.*\S))?\s*\Z", re.ASCII)
_COMMENT = re.compile(r"\s*#", re.ASCII)
# A type of job that backs nothing up.
_OTHER_TYPES = ("realm-sync",)
# The other properties of a backup job: they are taken, and change nothing of what is judged.
_TAKEN = """
    comment compress exclude exclude-path mailnotification mailto node notes-template notification-mode lockwait
    pbs-change-detection-mode pigz pool protected prune-backups quiet remove repeat-missed schedule script stdexcludes
    stop stopwait tmpdir vmid zstd
""".split()


class Job(TypedDict):
    """A backup job. ``old`` is one of vzdump.cron, which has no id of its own and cannot be set.

    ``guests`` are the ids it names, ``exclude`` those that it leaves out, ``pool`` the pool whose guests it takes;
    ``all`` takes every guest. ``node`` is the only node it runs on, None for each. ``values`` are what it sets itself.
    """

    id: str
    file: str
    line: int
    old: bool
    enabled: bool
    comment: str | None
    schedule: str | None
    node: str | None
    all: bool
    guests: list[str]
    exclude: list[str]
    pool: str | None
    values: Options
    stored: dict[str, str | None]
    lines: dict[str, int]
    ignored: list[Ignored]


def _boolean(text: str) -> None:
    if text not in ("0", "1"):
        raise FormatFault(f"{piece(text)} is not 1 or 0")


_CHECKS: Mapping[str, Callable[[str], object]] = {
    **dict.fromkeys(_TAKEN, lambda text: None),
    **CHECKS,
    "all": _boolean,
    "enabled": _boolean,
}
# Properties that may be repeated.
_LISTS = ("exclude-path",)
_FLAGS = ("all", "enabled", "protected", "quiet", "remove", "repeat-missed", "stdexcludes", "stop")


def parse(text: str, path: str) -> tuple[list[Job], list[Ignored]]:
    """The jobs of jobs.cfg, and its lines that make no job."""
    reader = _Reader(path)
    for number, line in enumerate(text.split("\n"), 1):
        if not _COMMENT.match(line):
            reader.line(number, line)
    reader.line(0, "")
    return list(reader.jobs.values()), reader.ignored


class _Reader:
    def __init__(self, path: str) -> None:
        self.jobs: dict[str, Job] = {}
        self.ignored: list[Ignored] = []
        self._path = path
        # The open section: its line, its id (None: not a backup's, read and dropped), what it sets.
        self._open: tuple[int, str | None] | None = None
        self._values: dict[str, str] = {}
        self._stored: dict[str, str] = {}
        self._lines: dict[str, int] = {}
        self._faults: list[Ignored] = []

    def line(self, number: int, line: str) -> None:
        if line in ("", "0"):
            self._close()
        elif self._open is None:
            self._begin(number, line)
        elif self._open[1] is not None:
            self._add(number, line)

    def _begin(self, number: int, line: str) -> None:
        match = _HEADER.match(line)
        if not match:
            if line.strip():
                self.ignored.append(ignored(number, None, f"it is not 'vzdump: ID': {piece(line.strip())}"))
            return
        kind, name = match.groups()
        if kind not in ("vzdump", *_OTHER_TYPES):
            self.ignored.append(ignored(number, None, f"{piece(kind)} is not a type of job"))
        self._open = (number, name if kind == "vzdump" else None)
        self._values, self._stored, self._lines, self._faults = {}, {}, {}, []

    def _add(self, number: int, line: str) -> None:
        match = _PROPERTY.match(line)
        if not match:
            if line.strip():
                self._faults.append(ignored(number, None, f"it is not an indented 'KEY VALUE': {piece(line.strip())}"))
            return
        key, value = match[1], match[2]
        if value is None and key in _FLAGS:
            value = "1"
        if key in self._values and key not in _LISTS:
            first = self._lines[key]
            self._faults.append(ignored(number, key, f"line {first} has {key} already, and the first counts"))
            return
        try:
            if key not in _CHECKS:
                raise FormatFault(f"{piece(key)} is not a property of a backup job")
            if value is None:
                raise FormatFault("it has no value")
            self._stored.setdefault(key, value)
            self._lines.setdefault(key, number)
            _CHECKS[key](value)
        except FormatFault as exc:
            self._faults.append(ignored(number, key, str(exc)))
        else:
            self._values[key], self._stored[key], self._lines[key] = value, value, number

    def _close(self) -> None:
        line, name = self._open or (0, None)
        self._open = None
        if name is None:
            return
        self.jobs.pop(name, None)
        if "schedule" not in self._values:
            self.ignored.append(ignored(line, "schedule", f"job {piece(name)} has no schedule, so it is no job"))
            return
        self.jobs[name] = job(
            name, self._path, line, self._values, stored=self._stored, lines=self._lines, faults=self._faults
        )


def job(
    name: str,
    path: str,
    line: int,
    values: Mapping[str, str],
    *,
    old: bool = False,
    stored: Mapping[str, str] | None = None,
    lines: dict[str, int] | None = None,
    faults: list[Ignored] | None = None,
) -> Job:
    """A job of texts that Proxmox VE takes."""
    return {
        "id": name,
        "file": path,
        "line": line,
        "old": old,
        "enabled": values.get("enabled", "1") == "1",
        "comment": values.get("comment"),
        "schedule": values.get("schedule"),
        "node": values.get("node"),
        "all": values.get("all") == "1" or ("exclude" in values and "pool" not in values),
        "guests": words(values.get("vmid", "")),
        "exclude": words(values.get("exclude", "")),
        "pool": values.get("pool"),
        "values": _options.options(values),
        "stored": _options.stored(stored or {}),
        "lines": lines or {},
        "ignored": faults or [],
    }


def words(text: str) -> list[str]:
    """The words of a list as Proxmox VE splits it (pve-common ``split_list``)."""
    return [word for word in re.split(r"[,;\s]+", text) if word]
