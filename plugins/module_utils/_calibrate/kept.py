# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""Values of disks that hold while something is measured, and no longer: what was before is put back, whatever happens.

What was before is written down first, to a file in memory (/run): a run that is killed with SIGKILL leaves it, and the
next one puts back what it says. After a boot there is no such file, and the kernel's values are its own again.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from .._host import user
from .._host.tree import Tree
from .._host.whole_file import read_start
from .._prove.errors import ProveError
from .disk import file_of, number

RECORD = "/run/io-hardening-calibrate.json"
_LONGEST = 1 << 16
# max_bytes is stored as a share of the host's own limit: what it shows is rounded, the share is exact (Linux 6.2).
_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_EXACT = {"bdi/max_bytes": "bdi/max_ratio_fine"}

Values = dict[str, dict[str, int]]
"""{kernel's name of a device: {option: value}}."""


class CannotSet(ProveError):
    """This kernel or this device does not take a value; nothing has changed."""


def stop_on_signals() -> None:
    """Make the signals that end a run an exception, so that everything is put back; a second one is ignored."""

    def stop(number: int, _frame: FrameType | None) -> None:
        for one in _ENDING:
            signal.signal(one, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for one in _ENDING:
        signal.signal(one, stop)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A signal that comes meanwhile waits: what is half put back would stay so."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def left_behind(tree: Tree, record: str = RECORD) -> list[str]:
    """What a killed run left: the files that it changed. Empty where there is none; reads only."""
    try:
        return [path for path, _value in _parsed(read_start(tree.real(record), _LONGEST))]
    except OSError:
        return []


class Kept:
    """The record of what was before, and the lock: one run at a time changes disks. Use as a context manager."""

    def __init__(self, tree: Tree, record: str = RECORD) -> None:
        """Raises ProveError where another run is at work, or the record cannot be made."""
        self._tree = tree
        self._path = tree.real(record)
        self._file = self._locked()
        while not os.fstat(self._file).st_nlink:
            # Another run removed it between our opening and our locking it.
            os.close(self._file)
            self._file = self._locked()

    def _locked(self) -> int:
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as problem:
            raise ProveError(f"{self._path} cannot be written: {problem.strerror}; {user.BECOME}") from problem
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            os.close(file)
            raise ProveError("another calibration runs on this host; wait until it has ended") from problem
        return file

    def __enter__(self) -> Kept:
        return self

    def __exit__(self, *_exception: object) -> None:
        if not os.fstat(self._file).st_size:
            os.unlink(self._path)
        os.close(self._file)

    def put_back_left(self) -> list[str]:
        """Put back what a killed run left; the files that were written. Raises ProveError where one cannot be."""
        before = _parsed(os.pread(self._file, _LONGEST, 0))
        self._put_back(before)
        return [path for path, _value in before]

    @contextmanager
    def changed(self, values: Values) -> Iterator[None]:
        """Set the values, and put back what was before in the end.

        Raises CannotSet where one is not taken, ProveError where one cannot be put back.
        """
        wanted = [(name, file_of(option), value) for name, of in values.items() for option, value in of.items()]
        before = [self._before(name, file) for name, file, _value in wanted]
        self._write_down(before)
        try:
            for name, file, value in wanted:
                self._set(name, file, value)
            yield
        finally:
            with _undisturbed():
                self._put_back(before)

    def _before(self, name: str, file: str) -> tuple[str, int]:
        kept = _EXACT.get(file, file)
        value = number(self._tree, name, kept)
        if value is None or number(self._tree, name, file) is None:
            raise CannotSet(f"this kernel has no {posix(file)} for {name}")
        return f"/sys/class/block/{name}/{kept}", value

    def _write_down(self, before: list[tuple[str, int]]) -> None:
        raw = json.dumps(before).encode() if before else b""
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, raw, 0)

    def _set(self, name: str, file: str, value: int) -> None:
        path = self._tree.real(f"/sys/class/block/{name}/{file}")
        try:
            _write(path, value)
        except OSError as problem:
            raise CannotSet(f"{name} does not take {posix(file)} {value}: {problem.strerror}") from problem
        read = number(self._tree, name, file)
        if file not in _EXACT and read != value:
            raise CannotSet(f"{name} has {posix(file)} {read} after {value} was written")

    def _put_back(self, before: list[tuple[str, int]]) -> None:
        """Last first. The record stays where a value cannot be put back."""
        failed = []
        for path, value in reversed(before):
            real = self._tree.real(path)
            try:
                _write(real, value)
                if int(read_start(real, 64)) != value:
                    failed.append(f"{value} to {path}")
            except FileNotFoundError:
                # The disk is gone, and its values with it.
                continue
            except (OSError, ValueError):
                failed.append(f"{value} to {path}")
        if failed:
            raise ProveError(f"what was set before could not be put back; write {', '.join(failed)}")
        self._write_down([])


def posix(file: str) -> str:
    """The option's name: the last part of its path."""
    return file.rpartition("/")[2]


def _write(path: str, value: int) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(str(value))


def _parsed(raw: bytes) -> list[tuple[str, int]]:
    """A record; nothing where it is not one, for instance cut off: then nothing had been changed yet."""
    try:
        read: list[Any] = json.loads(raw)
        return [(str(path), int(value)) for path, value in read if str(path).startswith("/sys/class/block/")]
    except (ValueError, TypeError):
        return []
