# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Definitions in a tree of files, written in place: one run at a time, whole or not at all, and byte for byte."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence

from .._host import whole_file as _whole_file
from .._host.lock import alone
from . import layout
from .backend import Refused


class _Held(threading.local):
    """The directories that this run holds: guests of two hypervisors may lie in one."""

    def __init__(self) -> None:
        self.real: set[str] = set()


_held = _Held()


@contextlib.contextmanager
def only_run(root: str, configs: Sequence[str], timeout: int) -> Iterator[None]:
    """Hold the directories of the configs: two runs would both find a guest as planned, and both write it.

    Another run is waited for so many seconds. Raises Refused: busy.
    """
    paths = [layout.inside(root, config) for config in configs]
    directories = {os.path.dirname(path) for path in paths if layout.stays_inside(root, path)}
    directories -= {directory for directory in directories if os.path.realpath(directory) in _held.real}
    with alone(directories, timeout) as busy:
        if busy:
            raise Refused(
                "busy",
                f"another run still holds {busy} after {timeout} s of waiting; run again when it has ended",
            )
        for directory in directories:
            _whole_file.remove_leftovers(directory)
        real = {os.path.realpath(directory) for directory in directories}
        _held.real.update(real)
        try:
            yield
        finally:
            _held.real.difference_update(real)


def replace(root: str, path: str, raw: bytes, now: Callable[[], str], digest: str) -> None:
    """Write a definition whose digest is still ``digest``; ``now`` reads it again, and its errors are passed on.

    It is compared once more just before the rename: an editor does not know our lock. Raises Refused: digest_moved.
    """

    def refuse_another() -> None:
        if now() != digest:
            raise Refused(
                "digest_moved", "its config changed while it was being written; nothing was written, read it again"
            )

    _whole_file.replace(layout.inside(root, path), raw, unless=refuse_another)
