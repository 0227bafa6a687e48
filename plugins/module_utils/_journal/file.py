# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The journal on a host: one file for each run; each line is on disk before the work goes on."""

from __future__ import annotations

import contextlib
import datetime
import errno
import fcntl
import os
import secrets
import shlex
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .. import _shown
from .._host import whole_file as _whole_file
from .._model.findings import Change
from .._model.operations import JournalEntry
from .._model.records import Problem, problem
from .._shown import piece
from . import lines, settings_lines
from .settings_lines import SettingEntry

#: Where a host keeps its journal; a tree has its own below its root.
DIRECTORY = "/var/lib/hypervisor-io-hardening/journal"

_SUFFIX = ".jsonl"


class Journal:
    """One run's journal. Its file appears with the first guest that is written; a run without changes leaves none.

    ``top`` is the directory that no link may lead out of: ``/``, or the root of a tree, which is often somebody's Git
    repository, so that the journal is kept out of it with a .gitignore.
    """

    def __init__(
        self,
        directory: str,
        run: str | None,
        policy: str | None = None,
        rolls_back: str | None = None,
        top: str = "/",
    ) -> None:
        self.run = run or _now().replace("-", "").replace(":", "")
        if not lines.RUN_ID.match(self.run):
            raise ValueError(
                f"run is {_shown.shown(self.run)}; it takes up to 64 letters, digits, dots, dashes and underscores"
            )
        self._top = os.path.realpath(top)
        self._directory = directory
        self.path = os.path.join(self._directory, self.run + _SUFFIX)
        self._why = {"policy": policy, "rolls_back": rolls_back}
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raise OSError where a line could not be written; writes nothing."""
        _is_there(self.path)
        place, missing = self._directory, []
        while not _is_there(place):
            place, name = os.path.split(place)
            missing.append(name)
        self._keep_inside(place)
        if not os.path.isdir(place):
            raise OSError(0, f"{place} is not a directory")
        if not os.access(place, os.W_OK | os.X_OK):
            raise OSError(0, f"{place} cannot be written")
        for name in missing:
            if len(os.fsencode(name)) > os.pathconf(place, "PC_NAME_MAX"):
                raise OSError(errno.ENAMETOOLONG, f"{piece(name)} is too long for the name of a file")
        if place == self._directory:
            _refuse_others(place, os.stat(place))
            with contextlib.suppress(FileNotFoundError):
                _refuse_others(self.path, os.lstat(self.path))

    def intent(self, entry: Mapping[str, Any], digest: str, changes: list[Change], config: bytes) -> str:
        """Note what is about to be written, and the whole config as it is; the line's id.

        Raises OSError, and then nothing may be written.
        """
        line_id = secrets.token_hex(8)
        self._append(lines.intent(self.run, _now(), line_id, entry, digest, changes, self._why, config))
        return line_id

    def outcome(self, line_id: str, guest: str, written: bool | None, result: Mapping[str, Any]) -> None:
        """Note what became of the intent of that id; raises OSError."""
        self._append(lines.outcome(self.run, _now(), line_id, guest, written, result))

    def setting(self, subject: str, key: str, changes: list[Change]) -> str:
        """Note what is about to be set of an object of the host; the line's id. Raises OSError: nothing may be set."""
        line_id = secrets.token_hex(8)
        self._append(settings_lines.setting(self.run, _now(), line_id, subject, key, changes, self._why))
        return line_id

    def set(self, line_id: str, written: bool | None, result: Mapping[str, Any]) -> None:
        """Note what became of the setting of that id; raises OSError."""
        self._append(settings_lines.was_set(self.run, _now(), line_id, written, result))

    def _append(self, line: Mapping[str, Any]) -> None:
        try:
            raw = lines.encode(line)
        except lines.LineError as exc:
            raise OSError(0, f"its line could not be read back: {exc}") from exc
        with self._lock:
            self._make_directory()
            fresh = not os.path.lexists(self.path)
            handle = os.open(
                self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600
            )
            try:
                _refuse_others(self.path, os.fstat(handle))
                fcntl.flock(handle, fcntl.LOCK_EX)
                _write_whole(handle, raw)
            finally:
                os.close(handle)
            if fresh:
                _whole_file.sync_directory(self._directory)

    def _make_directory(self) -> None:
        if os.path.isdir(self._directory):
            self._keep_inside(self._directory)
            _refuse_others(self._directory, os.stat(self._directory))
            return
        self.check()
        os.makedirs(self._directory, mode=0o700, exist_ok=True)
        if self._top != "/":
            with open(os.path.join(self._directory, ".gitignore"), "w", encoding="ascii") as stream:
                stream.write("*\n")
        _whole_file.sync_directory(os.path.dirname(self._directory))

    def _keep_inside(self, place: str) -> None:
        if os.path.commonpath([os.path.realpath(place), self._top]) != self._top:
            raise OSError(0, f"{place} is a link that leads out of {self._top}")


def _is_there(path: str) -> bool:
    """Whether something is there, even a link that leads nowhere. Raises OSError for a name that no file can have."""
    try:
        _status(path, os.lstat)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _status(path: str, ask: Callable[[str], os.stat_result]) -> os.stat_result:
    """What ``os.stat`` or ``os.lstat`` returns; raises OSError for a name that no file can have, too, and shows a piece
    of it.
    """
    try:
        return ask(path)
    except ValueError:
        raise OSError(errno.EINVAL, f"{piece(path)} cannot be the name of a file") from None
    except OSError as exc:
        if exc.errno == errno.ENAMETOOLONG:
            raise OSError(exc.errno, f"{piece(path)} is too long for the name of a file") from None
        raise


def _refuse_others(path: str, status: os.stat_result) -> None:
    """Raise OSError for a directory or file of the journal that others could have written.

    A rollback writes what the journal says. Checked are owner and mode bits of the directory and its files, but not
    access lists nor the directories above.
    """
    if not (stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)):
        raise OSError(0, f"{path} is not a regular file")
    if status.st_uid not in (0, os.geteuid()):
        raise OSError(
            0,
            f"{path} belongs to user {status.st_uid}; a journal belongs to root or to the user who runs this: check it,"
            " then chown it",
        )
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise OSError(
            0,
            f"{path} can be written by others, with mode {stat.S_IMODE(status.st_mode):04o}; check it, then: chmod go-w"
            f" {shlex.quote(path)}",
        )


def _write_whole(handle: int, raw: bytes) -> None:
    """Append a line and bring it to disk, or leave the file as it was: half a line would damage the next one."""
    size = os.fstat(handle).st_size
    if size and os.pread(handle, 1, size - 1) != b"\n":
        raw = b"\n" + raw
    try:
        done = os.write(handle, raw)
        if done != len(raw):
            raise OSError(28, os.strerror(28))
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, size)
        raise


def in_tree(root: str, directory: str = DIRECTORY) -> str:
    """The directory of the journal of a tree below ``root``; ``/`` is the host itself."""
    return os.path.join(root, directory.lstrip("/"))


def read(place: str, problems: list[Problem]) -> dict[str, list[JournalEntry]]:
    """Run id → its entries about guests, for every file in the directory ``place`` that has some; what cannot be read
    goes to ``problems``.
    """
    runs: dict[str, list[JournalEntry]] = {}
    for run, shown, raw in _files(place, problems):
        entries, faults = lines.read(raw, run)
        problems += [problem(shown, reason, line=number) for number, reason in faults]
        if entries:
            runs[run] = entries
    return runs


def read_settings(place: str, problems: list[Problem] | None = None) -> dict[str, list[SettingEntry]]:
    """Run id → its entries about the host's settings, the first run first. :func:`read` tells of lines that cannot be
    read; ``problems`` takes the files.
    """
    found = {
        run: entries
        for run, _shown, raw in _files(place, [] if problems is None else problems)
        if (entries := settings_lines.read(raw, run))
    }
    return dict(sorted(found.items(), key=lambda item: (item[1][0]["time"], item[0])))


def _files(place: str, problems: list[Problem]) -> Iterator[tuple[str, str, bytes]]:
    """The run, the path as it is shown, and the bytes of each file of a journal."""
    try:
        _refuse_others(place, _status(place, os.stat))
        names = sorted(name for name in os.listdir(place) if name.endswith(_SUFFIX))
    except FileNotFoundError:
        return
    except OSError as exc:
        named = piece(place) if exc.errno in (errno.EINVAL, errno.ENAMETOOLONG) else place
        problems.append(problem(named, f"cannot be read: {exc.strerror or exc}"))
        return
    for name in names:
        path = os.path.join(place, name)
        run, shown = name[: -len(_SUFFIX)], os.fsencode(path).decode("utf-8", "backslashreplace")
        try:
            with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
                _refuse_others(shown, os.fstat(stream.fileno()))
                raw = stream.read()
        except OSError as exc:
            problems.append(problem(shown, f"cannot be read: {exc.strerror or exc}"))
            continue
        yield run, shown, raw


def file_of(directory: str, run: str) -> str:
    """The path of a run's file."""
    return f"{directory.rstrip('/')}/{run}{_SUFFIX}"


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
