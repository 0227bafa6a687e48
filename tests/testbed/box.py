# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A box: a cgroup and namespaces around one program, so that the program can be found and ended wholly.

Nothing else is recorded about what runs. A box is named after the checkout it belongs to; one that
is still there when a run begins belongs to a run that was killed, and is ended.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import shlex
import signal
import subprocess
import time

PREFIX = "io-hardening-testbed"


class BoxError(Exception):
    """A box could not be made or ended; the message says what to do."""


def cgroup_root() -> pathlib.Path:
    """Return where this machine has the unified cgroup hierarchy mounted, writable.

    Raises BoxError where it has none.
    """
    for line in pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _source, target, kind, options = line.split()[:4]
        if kind == "cgroup2" and "ro" not in options.split(","):
            return pathlib.Path(target)
    raise BoxError("no writable cgroup2 file system is mounted; mount one: mount -t cgroup2 none /sys/fs/cgroup")


class Box:
    """One program, its cgroup and its namespaces (mount, network)."""

    def __init__(self, checkout: pathlib.Path, scenario: str, name: str) -> None:
        """Name the box; nothing is made yet."""
        self.label = f"{prefix(checkout, scenario)}.{name}"
        self.cgroup = cgroup_root() / self.label
        # A cgroup of their own for those who come in later: the program may divide the box' cgroup,
        # and then no process may be in it itself.
        self.visitors = self.cgroup / "visitors"

    def start(self, argv: list[str], folder: pathlib.Path) -> int:
        """Start a program in the box and return its process id, which also names its network namespace.

        The loopback device is up in it and ``/sys/fs/cgroup`` is the unified hierarchy. It runs in
        ``folder`` and writes to ``folder/log``.
        """
        self.cgroup.mkdir()
        self.visitors.mkdir()
        inside = "mount -t cgroup2 none /sys/fs/cgroup && ip link set lo up && exec " + " ".join(map(shlex.quote, argv))
        # Everybody waits for the hosts, and other tests run beside them. Where the kernel groups processes by session
        # (sched(7), autogroup), niceness counts only within one. A kernel without that has no such file.
        first = "renice -n -10 -p $$ >/dev/null 2>&1; { echo -10 > /proc/self/autogroup; } 2>/dev/null"
        enter = (
            f"{first}; echo $$ > {shlex.quote(str(self.cgroup))}/cgroup.procs && exec unshare --mount --net sh -c"
            f" {shlex.quote(inside)}"
        )
        with (folder / "log").open("wb") as output:
            process = subprocess.Popen(
                ["sh", "-c", enter],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        while not self.alive() and process.poll() is None:
            time.sleep(0.01)
        return process.pid

    def alive(self) -> bool:
        """Tell whether anything runs in the box."""
        return bool(_members(self.cgroup))


def prefix(checkout: pathlib.Path, scenario: str) -> str:
    """Return what the names of all boxes of a checkout's scenario begin with, and no others."""
    owner = hashlib.sha256(str(checkout).encode()).hexdigest()[:8]
    return f"{PREFIX}.{owner}.{scenario}"


def leftovers(checkout: pathlib.Path, scenario: str) -> list[pathlib.Path]:
    """Return the cgroups of every box of this checkout's scenario."""
    return sorted(cgroup_root().glob(f"{prefix(checkout, scenario)}.*"))


def end(cgroup: pathlib.Path, patience: float = 20.0) -> None:
    """Kill everything in a box and remove its cgroups. Raises BoxError if something will not die."""
    deadline = time.monotonic() + patience
    while pids := _members(cgroup):
        if time.monotonic() > deadline:
            raise BoxError(f"processes {pids} in {cgroup} survive being killed")
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.05)
    for directory, _folders, _files in os.walk(cgroup, topdown=False):
        _remove(pathlib.Path(directory), deadline)


def _remove(directory: pathlib.Path, deadline: float) -> None:
    while True:
        try:
            directory.rmdir()
        except FileNotFoundError:
            return
        except OSError as error:
            # A killed process leaves its cgroup a moment after it has left the list of members.
            if time.monotonic() > deadline:
                raise BoxError(f"cannot remove {directory}: {error}") from error
            time.sleep(0.05)
        else:
            return


def _members(cgroup: pathlib.Path) -> list[int]:
    pids = []
    for directory, _folders, _files in os.walk(cgroup):
        try:
            text = (pathlib.Path(directory) / "cgroup.procs").read_text(encoding="ascii")
        except OSError:
            continue
        # 0 is a process that this process id namespace cannot name: not one of ours.
        pids += [int(line) for line in text.split() if line != "0"]
    return pids
