# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The QEMU processes of a host, read from /proc in one pass. Reads only, attaches to nothing.

Nothing here touches an image or its file system: a descriptor is looked at by its link and its fdinfo,
which answer even when a network storage does not.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import posixpath
import re
import stat

from . import cmdline, evidence, version

_NAME = re.compile(r"(?:qemu-system-[\w.-]+|qemu-kvm|kvm)$")
_DELETED = " (deleted)"
_PID_DIRECTORIES = ("var/run/qemu-server", "run/qemu-server")
_BINARIES = (
    "usr/bin/kvm",
    f"usr/bin/qemu-system-{os.uname().machine}",
    "usr/bin/qemu-system-x86_64",
    "usr/libexec/qemu-kvm",
)
_LARGEST_CMDLINE = 8 << 20
_STARTING_SECONDS = 3
_STANDARD_STREAMS = ("0", "1", "2")
_CHUNK = 1 << 16
_NETWORK_FILE_SYSTEMS = ("nfs", "cifs", "smb", "ceph", "gluster", "fuse", "9p", "afs", "ocfs2", "gfs2", "lustre")


def running_guests(root="/", evidence_too=True):
    """Every QEMU process below `root`'s /proc: ``(guests, problems)``.

    guests    list of running guests as in docs/data.md ("Running guest"), by process id
    problems  list of {file, line, guest, node, reason}

    `evidence_too=False` leaves maps and descriptors unread (evidence null, no disagreements).
    A process that ends meanwhile, or that may not be read, is a problem entry; others are not affected.
    """
    return _Reader(root).read(evidence_too)


def by_pve_id(guests):
    """{VMID: running guest} of those that Proxmox VE started."""
    return {guest["id"]: guest for guest in guests if guest["hypervisor"] == "pve"}


def installed_version(root="/"):
    """The version of the QEMU that a guest started now would get, None where none is found."""
    reader = _Reader(root)
    for path in _BINARIES:
        found = reader.version_of(os.path.join(root, path))
        if found is not None:
            return found
    return None


class _Reader:
    def __init__(self, root):
        self.root = root
        self.proc = os.path.join(root, "proc")
        self.machine = os.uname().machine
        self.problems = []
        self.versions = {}
        self.network_mounts = None

    def read(self, evidence_too):
        guests = []
        hidden = 0
        try:
            names = os.listdir(self.proc)
        except OSError as error:
            self._problem(self.proc, None, f"cannot be read: {error.strerror}")
            return guests, self.problems
        for pid in sorted(int(name) for name in names if name.isdigit()):
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
            guest = self._guest(path, pid, evidence_too)
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
        return self._settle(guests), self.problems

    def _problem(self, path, guest, reason):
        self.problems.append({"file": path, "line": None, "guest": guest, "node": None, "reason": reason})

    def _is_qemu(self, path):
        try:
            executable = os.readlink(f"{path}/exe")
        except PermissionError:
            # The command line may be readable where the link is not.
            argv = _read(f"{path}/cmdline", 4096).split(b"\0", 1)[0].decode("utf-8", "backslashreplace")
            return bool(_NAME.match(posixpath.basename(argv)))
        if executable.endswith(_DELETED):
            executable = executable[: -len(_DELETED)]
        return bool(_NAME.match(posixpath.basename(executable)))

    def _guest(self, path, pid, evidence_too):
        try:
            raw = _read(f"{path}/cmdline", _LARGEST_CMDLINE)
        except OSError as error:
            self._problem(path, None, f"a QEMU process ended or cannot be read: {error.strerror}")
            return None
        if not raw:
            self._problem(path, None, "a QEMU process ended while it was read")
            return None
        argv = raw.decode("utf-8", "backslashreplace").rstrip("\0").split("\0")
        parsed = cmdline.parse(argv)
        guest = {
            "pid": pid,
            "id": parsed["vmid"] if parsed["hypervisor"] == "pve" else parsed["name"] or parsed["uuid"] or f"pid-{pid}",
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
        for problem in parsed["problems"]:
            self._problem(f"{path}/cmdline", guest["id"], problem)
        if evidence_too:
            self._add_evidence(path, guest, parsed["paths"])
        return guest

    def _add_evidence(self, path, guest, others):
        resolved = self._resolved(path, guest["disks"])
        seen = {"native": self._has_native_context(path), "rings": None, "files": None}
        named = set(resolved) | set(resolved.values())
        with contextlib.suppress(OSError):
            seen["rings"], seen["files"] = self._open_files(path, named, others)
        if seen["native"] is None or seen["files"] is None:
            self._problem(
                path,
                guest["id"],
                "its maps or open files cannot be read (not root, or it ended): its command line is not cross-checked",
            )
        if seen["files"] is not None and self._is_starting(path):
            # It has not opened its images yet, so that one is not open says nothing.
            seen["files"] = None
        guest["evidence"], guest["disagreements"], moved = evidence.cross_check(
            guest["disks"], seen, guest["qemu"]["running"], resolved
        )
        for disk in guest["disks"]:
            if disk["key"] in moved:
                disk["runs"] = None

    def _is_starting(self, path):
        try:
            started = int(_read(f"{path}/stat", 4096).rpartition(b")")[2].split()[19])
            uptime = float(_read(f"{self.proc}/uptime", 64).split()[0])
        except (OSError, ValueError, IndexError):
            return False
        return uptime - started / os.sysconf("SC_CLK_TCK") < _STARTING_SECONDS

    def _has_native_context(self, path):
        try:
            with open(f"{path}/maps", "rb", buffering=0) as stream:
                before = b""
                while True:
                    chunk = stream.read(_CHUNK)
                    if not chunk:
                        return False
                    # libaio.so is mapped in every QEMU; the context's own mapping is named "/[aio]".
                    if b"/[aio]" in before + chunk:
                        return True
                    before = chunk[-5:]
        except OSError:
            return None

    def _open_files(self, path, named, others):
        rings = 0
        files = []
        for number in os.listdir(f"{path}/fd"):
            if number in _STANDARD_STREAMS:
                continue
            try:
                target = os.fsencode(os.readlink(f"{path}/fd/{number}")).decode("utf-8", "backslashreplace")
                if target == "anon_inode:[io_uring]":
                    rings += 1
                if target not in named and not evidence.may_be_image(target, others):
                    continue
                info = evidence.parse_fdinfo(_read(f"{path}/fdinfo/{number}", 4096).decode("utf-8", "replace"))
            except FileNotFoundError:
                continue
            if "flags" not in info:
                continue
            opened = evidence.open_file(target, info["flags"], self.machine)
            if opened["writable"] or opened["file"] in named:
                files.append(opened)
        return rings, files

    def _resolved(self, path, disks):
        """{name on the command line: absolute path without links}, as far as no network storage is asked."""
        resolved = {}
        for disk in disks:
            name = disk["file"]
            if not isinstance(name, str) or name in resolved:
                continue
            meant = evidence.descriptor(name)
            if meant is not None:
                resolved[name] = self._descriptor(path, *meant) or name
                continue
            absolute = name
            if not posixpath.isabs(name):
                try:
                    absolute = posixpath.join(os.readlink(f"{path}/cwd"), name)
                except OSError:
                    continue
            resolved[name] = self._real_path(posixpath.normpath(absolute))
        return resolved

    def _descriptor(self, path, owner, number):
        """Where a descriptor leads, the QEMU process's own (self) or another's; None where that cannot be told any more."""
        process = path if owner in ("self", "thread-self") else f"{self.proc}/{owner}"
        try:
            target = os.fsencode(os.readlink(f"{process}/fd/{number}")).decode("utf-8", "backslashreplace")
        except OSError:
            return None
        target = target[: -len(_DELETED)] if target.endswith(_DELETED) else target
        return target if posixpath.isabs(target) else None

    def _real_path(self, path):
        if self.root != "/":
            return path
        if self.network_mounts is None:
            self.network_mounts = _network_mounts(f"{self.proc}/self/mountinfo")
        parts = path.split("/")
        for count in range(2, len(parts) + 1):
            start = "/".join(parts[:count])
            if start in self.network_mounts:
                return path
        return os.path.realpath(path)

    def _versions(self, path):
        """{running, installed}: of the file the process was started from, and of the file now in its place."""
        versions = {"running": None, "installed": None}
        try:
            link = os.readlink(f"{path}/exe")
        except OSError:
            return versions
        inside = self.root != "/"
        versions["running"] = self.version_of(self._inside(link) if inside else f"{path}/exe")
        current = link[: -len(_DELETED)] if link.endswith(_DELETED) else link
        versions["installed"] = self.version_of(self._inside(current))
        return versions

    def _inside(self, path):
        return os.path.join(self.root, path.lstrip("/"))

    def version_of(self, path):
        """The version built into a binary, None where it has none or cannot be read; read once per file."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size == 0:
                return None
            identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
            if identity not in self.versions:
                with mmap.mmap(descriptor, 0, prot=mmap.PROT_READ) as binary:
                    self.versions[identity] = _find_version(binary)
            return self.versions[identity]
        except (OSError, ValueError):
            return None
        finally:
            os.close(descriptor)

    def _settle(self, guests):
        """One guest per VMID: where several processes carry one, the one that its pid file names."""
        seen = {}
        for guest in guests:
            if guest["hypervisor"] == "pve":
                seen.setdefault(guest["id"], []).append(guest)
        dropped = []
        for vmid, processes in seen.items():
            named = self._pid_file(vmid)
            if len(processes) == 1 and named in (None, processes[0]["pid"]):
                continue
            kept = [guest for guest in processes if guest["pid"] == named]
            others = [guest for guest in processes if guest["pid"] != named]
            pids = ", ".join(str(guest["pid"]) for guest in others)
            self._problem(
                f"{self.proc}/{others[0]['pid']}",
                vmid,
                f"process {pids} says it is guest {vmid}, but its pid file does not name it",
            )
            if not kept:
                others = others[:-1]
            dropped.extend(others)
        return [guest for guest in guests if guest not in dropped]

    def _pid_file(self, vmid):
        for directory in _PID_DIRECTORIES:
            try:
                return int(_read(os.path.join(self.root, directory, f"{vmid}.pid"), 64))
            except (OSError, ValueError):
                continue
        return None


def _find_version(binary):
    position = binary.find(version.MARKER)
    while position >= 0:
        text = binary[position : position + version.LONGEST].split(b"\0", 1)[0]
        found = version.parse_version(text.decode("utf-8", "replace"))
        if found is not None:
            return found
        position = binary.find(version.MARKER, position + 1)
    return None


def _network_mounts(path):
    """Mount points of network and user-space file systems, whose look-ups may never return."""
    mounts = set()
    try:
        text = _read(path, 16 << 20).decode("utf-8", "backslashreplace")
    except OSError:
        return mounts
    for line in text.splitlines():
        left, _dash, right = line.partition(" - ")
        fields = left.split()
        if len(fields) > 4 and right.startswith(_NETWORK_FILE_SYSTEMS):
            mounts.add(fields[4].replace("\\040", " "))
    return mounts


def _read(path, limit):
    with open(path, "rb", buffering=0) as stream:
        chunks = []
        size = 0
        while size < limit:
            chunk = stream.read(min(_CHUNK, limit - size))
            if not chunk:
                break
            chunks.append(chunk)
            size += len(chunk)
        return b"".join(chunks)
