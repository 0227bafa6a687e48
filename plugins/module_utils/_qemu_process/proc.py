# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The QEMU processes of a host, read from /proc in one pass. Reads only, attaches to nothing.

Any local user can start a process that is named kvm and carries any command line. So a process is a guest of
Proxmox VE only where root started it and the guest's pid file names it, nothing of a process is read without a
bound, and what is wrong with one is one problem entry.
"""

from __future__ import annotations

import os
import posixpath
import re

from .._host.pid_file import read_pid
from .._number import whole_number
from .._text import visible
from . import cmdline, evidence, opened
from .binary import Binaries
from .files import Status, link, read

_NAME = re.compile(r"(?:qemu-system-[\w.-]+|qemu-kvm|kvm)\Z", re.ASCII)
_DELETED = " (deleted)"
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
# What is not expected, and still must not end the run: somebody else's process made it so.
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


def running_guests(root="/", evidence_too=True):
    """Every QEMU process below `root`'s /proc: ``(guests, problems)``.

    guests    list of running guests as in docs/data.md ("Running guest"), by process id
    problems  list of {file, line, guest, node, reason}, one for a process

    `evidence_too=False` leaves maps and descriptors unread (evidence null, no disagreements).
    A process that ends meanwhile, that may not be read, or that only says it is a guest of Proxmox VE is a problem
    entry; others are not affected.
    """
    return _Reader(root).read(evidence_too)


def by_pve_id(guests):
    """{VMID: running guest} of those that Proxmox VE started."""
    return {guest["id"]: guest for guest in guests if guest["hypervisor"] == "pve"}


def installed_version(root="/"):
    """The version of the QEMU that a guest started now would get, None where none is found."""
    binaries = Binaries()
    for path in _BINARIES:
        found = binaries.version_of(os.path.join(root, path))
        if found is not None:
            return found
    return None


def pid_in_file(root, vmid):
    """The process id in the pid file of a guest of Proxmox VE, None where there is none.

    Raises PermissionError where it may not be read.
    """
    for directory in _PID_DIRECTORIES:
        number = read_pid(os.path.join(root, directory, f"{vmid}.pid"))
        if number is not None:
            return number
    return None


def is_process_of(pid, vmid):
    """Whether a live process of this machine is the one that Proxmox VE started for a guest, as far as the process
    tells.

    Source: qemu-server, vm_running_locally, which looks for the pid file on the command line.
    """
    path = f"/proc/{pid}"
    try:
        if not Status(path).is_trusted:
            return False
        argv = read(f"{path}/cmdline", _LONGEST_CMDLINE).split(b"\0")
    except PermissionError:
        # Hidden from who is not root; that it lives is all there is to know.
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
    def __init__(self, root):
        self.root = root
        self.proc = os.path.join(root, "proc")
        self.machine = os.uname().machine
        self.problems = []
        self.binaries = Binaries()
        self.places = opened.Places(root, self.proc)
        self.is_pve = os.path.isdir(os.path.join(root, "etc/pve"))

    def read(self, evidence_too):
        guests = []
        hidden = 0
        try:
            names = os.listdir(self.proc)
        except OSError as error:
            self._problem(self.proc, None, f"cannot be read: {error.strerror}")
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
                # Ended before it was known to be a QEMU process: nothing is missing.
                continue
            guest = self._guest_or_problem(path, pid, evidence_too)
            if guest is not None:
                guests.append(guest)
        if hidden:
            self._problem(
                self.proc,
                None,
                f"{hidden} processes cannot be looked at (hidepid, or not root):"
                " a guest among them counts as not known",
            )
        elif self.root == "/" and os.geteuid() != 0 and "1" not in names:
            self._problem(self.proc, None, "processes of other users are hidden (hidepid): root sees all guests")
        return guests, self.problems

    def _problem(self, path, guest, reason):
        self.problems.append({"file": path, "line": None, "guest": guest, "node": None, "reason": reason})

    def _is_qemu(self, path):
        try:
            executable = link(f"{path}/exe")
        except PermissionError:
            # The command line may be readable where the link is not.
            executable = read(f"{path}/cmdline", 4096).split(b"\0", 1)[0].decode("utf-8", "backslashreplace")
        return bool(_NAME.match(posixpath.basename(_without_deleted(executable))))

    def _guest_or_problem(self, path, pid, evidence_too):
        user = "an unknown user"
        try:
            status = Status(path)
            user = user if status.user is None else f"user id {status.user}"
            return self._guest(path, pid, status, evidence_too)
        except _NotAGuest as error:
            self._problem(path, None, f"process {pid} of {user} {error}")
        except FileNotFoundError:
            self._problem(path, None, f"process {pid}, a QEMU, ended while it was read")
        except _UNEXPECTED as error:
            kind = getattr(error, "strerror", None) or f"{type(error).__name__}: {visible(str(error)[:80])}"
            self._problem(
                path, None, f"process {pid} of {user} is named as QEMU is, and cannot be read: {kind}; it is left out"
            )
        return None

    def _guest(self, path, pid, status, evidence_too):
        raw = read(f"{path}/cmdline", _LONGEST_CMDLINE + 1)
        if not raw:
            raise _NotAGuest("has ended, or has no command line; it is left out")
        if len(raw) > _LONGEST_CMDLINE:
            raise _NotAGuest(f"has a command line of over {_LONGEST_CMDLINE} bytes, which is not read; it is left out")
        argv = raw.decode("utf-8", "backslashreplace").rstrip("\0").split("\0")
        parsed = cmdline.parse(argv)
        if parsed["hypervisor"] == "pve" and not self._is_of_pve(pid, parsed["vmid"], status):
            return None
        guest = {
            "pid": pid,
            "id": parsed["vmid"] if parsed["hypervisor"] == "pve" else self._id(pid, parsed),
            "name": parsed["name"] or "",
            "uuid": parsed["uuid"],
            "hypervisor": parsed["hypervisor"],
            "machine": parsed["machine"],
            "qemu": self._versions(path),
            "disks": parsed["disks"],
            "iothreads": parsed["iothreads"],
            "thread_names": parsed["thread_names"],
            "qmp": parsed["qmp"],
            "evidence": None,
            "disagreements": [],
        }
        said = parsed["problems"]
        if evidence_too:
            said += self._add_evidence(path, guest, parsed["paths"])
        if said:
            more = f"; and {len(said) - _MOST_SAID} more of the kind" if len(said) > _MOST_SAID else ""
            self._problem(path, guest["id"], "; ".join(said[:_MOST_SAID]) + more)
        return guest

    def _is_of_pve(self, pid, vmid, status):
        """Whether the process is the guest it says it is; False for its launcher, which waits until it has started.

        Raises _NotAGuest where it is neither.
        """
        if not status.is_trusted:
            raise _NotAGuest(f"says it is guest {vmid}, and Proxmox VE runs guests as root; it is left out")
        try:
            named = pid_in_file(self.root, vmid)
        except PermissionError:
            # Who may not read it is not root, and is told of root's processes what they say.
            return True
        if named == pid:
            return True
        if named is not None and self._parent(named) == pid:
            return False
        which = "there is no pid file of it" if named is None else f"its pid file names process {named}"
        raise _NotAGuest(f"says it is guest {vmid}, and {which}; it is left out")

    def _parent(self, pid):
        try:
            return Status(f"{self.proc}/{pid}").parent
        except OSError:
            return None

    def _id(self, pid, parsed):
        called = parsed["name"] or parsed["uuid"]
        # A name is free to choose; on a node of Proxmox VE a guest's id is not.
        return f"pid-{pid}" if not called or (self.is_pve and _VMID.match(called)) else called

    def _add_evidence(self, path, guest, others):
        """Complete the guest with what it has open; a list of sentences about what could not be read."""
        said = []
        resolved = self.places.resolved(path, guest["disks"])
        seen = {"native": opened.has_native_context(path), "rings": None, "files": None}
        named = set(resolved) | set(resolved.values())
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
            # It has not opened its images yet, so that one is not open says nothing.
            seen["files"] = None
        guest["evidence"], guest["disagreements"], moved = evidence.cross_check(
            guest["disks"], seen, guest["qemu"]["running"], resolved
        )
        moved = set(moved)
        for disk in guest["disks"]:
            if disk["key"] in moved:
                disk["runs"] = None
        return said

    def _is_starting(self, path):
        try:
            started = whole_number(read(f"{path}/stat", 4096).rpartition(b")")[2].split()[19])
            uptime = float(read(f"{self.proc}/uptime", 64).split()[0])
        except (OSError, ValueError, IndexError):
            return False
        return started is not None and uptime - started / os.sysconf("SC_CLK_TCK") < _STARTING_SECONDS

    def _versions(self, path):
        """{running, installed}: of the file the process was started from, and of the file now in its place."""
        versions = {"running": None, "installed": None}
        try:
            executable = link(f"{path}/exe")
        except OSError:
            return versions
        current = _without_deleted(executable)
        if self.places.is_remote(current):
            return versions
        inside = self.root != "/"
        versions["running"] = self.binaries.version_of(self._inside(executable) if inside else f"{path}/exe")
        versions["installed"] = self.binaries.version_of(self._inside(current))
        return versions

    def _inside(self, path):
        return os.path.join(self.root, path.lstrip("/"))


def _without_deleted(path):
    return path[: -len(_DELETED)] if path.endswith(_DELETED) else path
