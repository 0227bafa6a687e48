# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The QEMU processes of a host, read from /proc in one pass. Reads only, attaches to nothing.

Any local user can start a process that is named kvm and carries any command line. So a process is a guest of Proxmox VE
only where root started it and the guest's pid file names it; every read of a process has a bound; and what is wrong
with a process is one problem.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable

from .._host import user
from .._host.pid_file import read_pid
from .._host.whole_file import read_start
from .._model.records import Problem, RunningGuest, Versions, problem
from .._number import whole_number
from .._text import visible
from . import cmdline, evidence, opened
from .binary import Binaries
from .files import Status, boot_time, link, seconds_after_boot, time_of

_NAME = re.compile(r"(?:qemu-system-[\w.-]+|qemu-kvm|kvm)\Z", re.ASCII)
_PID_DIRECTORIES = ("var/run/qemu-server", "run/qemu-server")
_BINARIES = (
    "usr/bin/kvm",
    f"usr/bin/qemu-system-{os.uname().machine}",
    "usr/bin/qemu-system-x86_64",
    "usr/libexec/qemu-kvm",
)
# A guest of 500 disks has some 300 kB.
_LONGEST_CMDLINE = 1 << 20
_STARTING_SECONDS = 3
_MOST_SAID = 3
_VMID = re.compile(r"[1-9][0-9]{2,8}\Z")
# Somebody else's process may cause any of these; the run must go on.
_UNEXPECTED = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)


def running_guests(root: str = "/", cross_check: bool = True) -> tuple[list[RunningGuest], list[Problem]]:
    """Every QEMU process below ``root``'s /proc, by process id, and the problems, at most one for a process.

    Without ``cross_check``, and of another user's process where this one is not root, maps and descriptors are not read
    and there are no disagreements. A process that ends meanwhile, that may not be read, or that falsely says it is a
    guest of Proxmox VE is a problem and does not affect the others.
    """
    return _Reader(root).read(cross_check)


def by_pve_id(guests: Iterable[RunningGuest]) -> dict[str, RunningGuest]:
    """The guests that Proxmox VE started, by their id."""
    return {guest["id"]: guest for guest in guests if guest["hypervisor"] == "pve"}


def installed_version(root: str = "/") -> str | None:
    """The version of the QEMU that a guest started now would get, None where none is found."""
    binaries = Binaries()
    versions = (binaries.version_of(os.path.join(root, path)) for path in _BINARIES)
    return next((version for version in versions if version is not None), None)


def pid_in_file(root: str, vmid: str) -> int | None:
    """The process id in the pid file of a guest of Proxmox VE, None where there is none.

    Raises PermissionError where it may not be read.
    """
    for directory in _PID_DIRECTORIES:
        number = read_pid(os.path.join(root, directory, f"{vmid}.pid"))
        if number is not None:
            return number
    return None


def is_process_of(pid: int, vmid: str) -> bool:
    """Whether a live process of this machine is the one that Proxmox VE started for a guest, by what the process shows.

    Source: qemu-server, vm_running_locally, which looks for the pid file on the command line.
    """
    path = f"/proc/{pid}"
    try:
        if not Status(path).is_trusted:
            return False
        argv = read_start(f"{path}/cmdline", _LONGEST_CMDLINE).split(b"\0")
    except PermissionError:
        # Hidden from users other than root: all that is known is that it lives.
        return os.path.exists(path)
    except OSError:
        return False
    return any(
        option == b"-pidfile" and value.endswith(b"/qemu-server/%s.pid" % vmid.encode())
        for option, value in zip(argv, argv[1:])
    )


class _NotAGuest(Exception):
    """A process that is not what it says; the message says why, in words that follow "process N of user id M"."""


class _Reader:
    def __init__(self, root: str) -> None:
        self.root = root
        self.proc = os.path.join(root, "proc")
        self.machine = os.uname().machine
        self.boot = boot_time(self.proc)
        self.problems: list[Problem] = []
        self.binaries = Binaries()
        self.places = opened.Places(root, self.proc)
        self.is_pve = os.path.isdir(os.path.join(root, "etc/pve"))

    def read(self, cross_check: bool) -> tuple[list[RunningGuest], list[Problem]]:
        guests: list[RunningGuest] = []
        hidden = 0
        try:
            names = os.listdir(self.proc)
        except OSError as error:
            self._problem(self.proc, f"cannot be read: {error.strerror}")
            return guests, self.problems
        for pid in sorted(number for number in map(whole_number, names) if number is not None):
            path = f"{self.proc}/{pid}"
            try:
                if not self._is_qemu(path):
                    continue
            except PermissionError:
                hidden += 1
                continue
            except OSError:
                # It ended before it was known to be a QEMU process: nothing is missing.
                continue
            guest = self._guest_or_problem(path, pid, cross_check)
            if guest is not None:
                guests.append(guest)
        if hidden:
            self._problem(
                self.proc,
                f"{hidden} processes cannot be read (hidepid, or not root): a guest among them is not known;"
                f" {user.BECOME}",
            )
        elif self.root == "/" and os.geteuid() != 0 and "1" not in names:
            self._problem(self.proc, f"processes of other users are hidden (hidepid): {user.BECOME}")
        return guests, self.problems

    def _problem(self, path: str, reason: str, guest: str | None = None) -> None:
        self.problems.append(problem(path, reason, guest=guest))

    def _is_qemu(self, path: str) -> bool:
        try:
            executable = link(f"{path}/exe")
        except PermissionError:
            # The command line may be readable where the link is not.
            executable = read_start(f"{path}/cmdline", 4096).split(b"\0", 1)[0].decode("utf-8", "backslashreplace")
        return bool(_NAME.match(posixpath.basename(evidence.without_deleted(executable))))

    def _guest_or_problem(self, path: str, pid: int, cross_check: bool) -> RunningGuest | None:
        user = "an unknown user"
        try:
            status = Status(path)
            user = user if status.user is None else f"user id {status.user}"
            return self._guest(path, pid, status, cross_check)
        except _NotAGuest as error:
            self._problem(path, f"process {pid} of {user} {error}")
        except FileNotFoundError:
            self._problem(path, f"process {pid}, a QEMU, ended while it was read")
        except _UNEXPECTED as error:
            kind = getattr(error, "strerror", None) or f"{type(error).__name__}: {visible(str(error)[:80])}"
            self._problem(path, f"process {pid} of {user} has QEMU's name and cannot be read: {kind}; it is left out")
        return None

    def _guest(self, path: str, pid: int, status: Status, cross_check: bool) -> RunningGuest | None:
        raw = read_start(f"{path}/cmdline", _LONGEST_CMDLINE + 1)
        if not raw:
            raise _NotAGuest("has ended, or has no command line; it is left out")
        if len(raw) > _LONGEST_CMDLINE:
            raise _NotAGuest(f"has a command line of over {_LONGEST_CMDLINE} bytes, which is not read; it is left out")
        argv = raw.decode("utf-8", "backslashreplace").rstrip("\0").split("\0")
        parsed = cmdline.parse(argv)
        vmid = parsed["vmid"]
        if vmid and not self._is_of_pve(pid, vmid, status):
            return None
        guest: RunningGuest = {
            "pid": pid,
            "id": vmid or self._id(pid, parsed["name"]),
            "name": parsed["name"] or "",
            "hypervisor": parsed["hypervisor"],
            "machine": parsed["machine"],
            "started": time_of(self.boot, seconds_after_boot(path)),
            "qemu": self._versions(path),
            "disks": parsed["disks"],
            "iothreads": parsed["iothreads"],
            "qmp": parsed["qmp"],
            "disagreements": [],
        }
        said = parsed["problems"]
        if cross_check and self._may_look_into(status):
            said += self._cross_check(path, guest, parsed["paths"])
        if said:
            more = f"; and {len(said) - _MOST_SAID} more of the kind" if len(said) > _MOST_SAID else ""
            self._problem(path, "; ".join(said[:_MOST_SAID]) + more, guest["id"])
        return guest

    def _is_of_pve(self, pid: int, vmid: str, status: Status) -> bool:
        """Whether the process is the guest it says it is; False for its launcher, which waits until it has started.

        Raises _NotAGuest where it is neither.
        """
        if not status.is_trusted:
            raise _NotAGuest(f"says it is guest {vmid}, and Proxmox VE runs guests as root; it is left out")
        try:
            named = pid_in_file(self.root, vmid)
        except PermissionError:
            # A user other than root cannot read it, and takes a process of root at its word.
            return True
        if named == pid:
            return True
        if named is not None and self._parent(named) == pid:
            return False
        which = "the guest has no pid file" if named is None else f"the guest's pid file names process {named}"
        raise _NotAGuest(f"says it is guest {vmid}, and {which}; it is left out")

    def _may_look_into(self, status: Status) -> bool:
        """Whether maps and descriptors of the process are for us to read. A user of libvirt who is not root sees its
        guests' command lines alone.
        """
        return self.root != "/" or os.geteuid() in (0, status.user)

    def _parent(self, pid: int) -> int | None:
        try:
            return Status(f"{self.proc}/{pid}").parent
        except OSError:
            return None

    def _id(self, pid: int, name: str | None) -> str:
        # Anybody can choose a name; on a node of Proxmox VE it must not pass for a guest's id.
        return name if name and not (self.is_pve and _VMID.match(name)) else f"pid-{pid}"

    def _cross_check(self, path: str, guest: RunningGuest, others: set[str]) -> list[str]:
        """Compare the guest with what it has open; sentences about what could not be read."""
        said = []
        resolved = self.places.resolved(path, guest["disks"])
        seen: evidence.Seen = {"native": opened.has_native_context(path), "rings": None, "files": None}
        named = {*resolved, *resolved.values()}
        try:
            seen["rings"], seen["files"] = opened.open_files(path, named, others, self.machine)
        except opened.TooMany as error:
            said.append(f"{error.strerror}: its command line is not cross-checked")
        except OSError:
            pass
        if not said and (seen["native"] is None or seen["files"] is None):
            said.append(
                "its maps or open files cannot be read (not root, too many, or it ended): its command line is not"
                " cross-checked"
            )
        if seen["files"] is not None and self._is_starting(path):
            # It has not opened its images yet, so a file that is not open proves nothing.
            seen["files"] = None
        guest["disagreements"], moved = evidence.cross_check(guest["disks"], seen, guest["qemu"]["running"], resolved)
        for disk in guest["disks"]:
            if disk["key"] in moved:
                disk["runs"] = None
        return said

    def _is_starting(self, path: str) -> bool:
        started = seconds_after_boot(path)
        try:
            uptime = float(read_start(f"{self.proc}/uptime", 64).split()[0])
        except (OSError, ValueError, IndexError):
            return False
        return started is not None and uptime - started < _STARTING_SECONDS

    def _versions(self, path: str) -> Versions:
        """Of the file the process was started from, and of the file now in its place."""
        try:
            executable = link(f"{path}/exe")
        except OSError:
            return {"running": None, "installed": None}
        current = evidence.without_deleted(executable)
        if self.places.is_remote(current):
            return {"running": None, "installed": None}
        running = f"{path}/exe" if self.root == "/" else self._inside(executable)
        return {
            "running": self.binaries.version_of(running),
            "installed": self.binaries.version_of(self._inside(current)),
        }

    def _inside(self, path: str) -> str:
        return os.path.join(self.root, path.lstrip("/"))
