# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A disk that is slow on purpose, to freeze guests on: root, loop devices, cgroup v1 (blkio).

    python3 slow_disk.py [--mb-per-s 10] [--requests-per-s 400] COMMAND...

runs COMMAND with ``{}`` in its arguments replaced by a directory on the slow disk, and ends with
its exit status. A nameless sparse file lies under a loop device LOW, which is throttled; a second
loop device TOP on it has ext4, no scheduler, no write-back throttling, and 128 request tags, which one buffered writer
uses up.

A second process, the keeper, makes all this and waits for its standard input to end. It ends with
the first process, however that ends, and the keeper takes everything down: no loop device, mount,
throttle or file stays.
"""

from __future__ import annotations

import argparse
import glob
import os
import signal
import subprocess
import sys
import tempfile
import time

_CGROUP = "/sys/fs/cgroup/blkio"
_LIMITS = ("read_bps", "write_bps", "read_iops", "write_iops")


def obstacle():
    """Why there can be no slow disk on this machine: a sentence; None where there can."""
    if os.geteuid() != 0:
        return "a slow disk needs root"
    if not os.path.exists("%s/blkio.throttle.write_bps_device" % _CGROUP):
        return "a slow disk needs the blkio controller of cgroup v1 at %s" % _CGROUP
    if not os.path.exists("/dev/loop-control"):
        return "a slow disk needs loop devices"
    return None


def in_use():
    """What slow disks there are right now, one line for each mount, loop device and throttle."""
    with open("/proc/mounts", encoding="utf-8") as file:
        lines = [line.strip() for line in file if "/slow-disk-" in line]
    for path in glob.glob("/sys/block/loop*/loop/backing_file"):
        with open(path, encoding="utf-8") as file:
            backing = file.read().strip()
        if "/slow-disk-" in backing:
            lines.append("%s %s" % (path.split("/")[3], backing))
    for cgroup in _cgroups():
        for limit in _LIMITS:
            with open("%s/blkio.throttle.%s_device" % (cgroup, limit), encoding="ascii") as file:
                # 7: loop devices.
                lines += ["%s %s" % (limit, line.strip()) for line in file if line.startswith("7:")]
    return sorted(lines)


def _run(*command):
    return subprocess.run(
        command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, universal_newlines=True
    ).stdout.strip()


def _write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def _cgroups():
    """The root blkio cgroup, where write-back is counted, and the one of this process."""
    with open("/proc/self/cgroup", encoding="utf-8") as file:
        own = [line.rstrip("\n").split(":", 2)[2] for line in file if ":blkio:" in line]
    return {_CGROUP, os.path.normpath(_CGROUP + own[0]) if own else _CGROUP}


class _Disk:
    """What the keeper made so far, so that it can take down just that."""

    def __init__(self):
        self._undo = []

    def up(self, gib, mb_per_s, requests_per_s):
        """Make the disk; the directory it is mounted on."""
        file = tempfile.NamedTemporaryFile(prefix="slow-disk-", dir="/var/tmp")
        file.truncate(gib << 30)
        low = _run("losetup", "--find", "--show", file.name)
        self._undo.append(lambda: _run("losetup", "--detach", low))
        file.close()
        # direct-io: else the page cache of LOW would take in what LOW is to hold back.
        top = _run("losetup", "--find", "--show", "--direct-io=on", low)
        self._undo.append(lambda: _run("losetup", "--detach", top))
        _run("mkfs.ext4", "-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", top)
        queue = "/sys/block/%s/queue/" % os.path.basename(top)
        _write(queue + "scheduler", "none")
        _write(queue + "nr_requests", "128")
        # The kernel's write-back throttling would keep a quarter of the tags free of buffered writes.
        # Off, one buffered writer does what several kinds of load do together on a busy host.
        _write(queue + "wbt_lat_usec", "0")
        folder = tempfile.mkdtemp(prefix="slow-disk-", dir="/var/tmp")
        self._undo.append(lambda: os.rmdir(folder))
        _run("mount", top, folder)
        self._undo.append(lambda: _unmount(folder))
        # Taken off before anything else, or the way down would be slow as well.
        self._undo.append(lambda: self._throttle(low, 0, 0))
        self._throttle(low, mb_per_s * 1000000, requests_per_s)
        return folder

    @staticmethod
    def _throttle(device, bytes_per_s, requests_per_s):
        number = os.stat(device).st_rdev
        for cgroup in _cgroups():
            for limit in _LIMITS:
                value = bytes_per_s if limit.endswith("bps") else requests_per_s
                _write(
                    "%s/blkio.throttle.%s_device" % (cgroup, limit),
                    "%d:%d %d" % (os.major(number), os.minor(number), value),
                )

    def down(self):
        """Take down what is there, last first; one failure does not keep the rest."""
        failed = 0
        for undo in reversed(self._undo):
            try:
                undo()
            except (OSError, subprocess.CalledProcessError) as problem:
                print("slow_disk: %s" % problem, file=sys.stderr)
                failed = 1
        return failed


def _unmount(folder):
    """Unmount; who still has a file open there is about to end, so ask again for a while."""
    for _attempt in range(120):
        if subprocess.run(["umount", folder], check=False, stderr=subprocess.DEVNULL).returncode == 0:
            return
        time.sleep(0.5)
    _run("umount", "--lazy", folder)


def _keep(arguments):
    """The keeper: disk up, tell where, wait for the end of standard input, disk down."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    disk = _Disk()
    try:
        print(disk.up(arguments.gib, arguments.mb_per_s, arguments.requests_per_s), flush=True)
        sys.stdin.read()
    finally:
        status = disk.down()
    return status


class SlowDisk:
    """Context manager: the path of a directory on a slow disk. Raises RuntimeError with the reason."""

    def __init__(self, mb_per_s=10, requests_per_s=400, gib=3):
        self._options = ["--mb-per-s", str(mb_per_s), "--requests-per-s", str(requests_per_s), "--gib", str(gib)]
        self._keeper = None

    def __enter__(self):
        problem = obstacle()
        if problem:
            raise RuntimeError(problem)
        self._keeper = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__)] + self._options + ["--keep"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            universal_newlines=True,
        )
        path = self._keeper.stdout.readline().strip()
        if not path:
            self.__exit__()
            raise RuntimeError("the slow disk could not be made")
        return path

    def __exit__(self, *_exception):
        self._keeper.stdin.close()
        self._keeper.stdout.close()
        self._keeper.wait()


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mb-per-s", type=int, default=10)
    parser.add_argument("--requests-per-s", type=int, default=400)
    parser.add_argument("--gib", type=int, default=3, help="size of the sparse file")
    parser.add_argument("--obstacle", action="store_true", help="print why there can be none, and exit with 3 then")
    parser.add_argument("--in-use", action="store_true", help="print what slow disks there are right now")
    parser.add_argument("--keep", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    if arguments.obstacle:
        reason = obstacle()
        print(reason or "")
        return 3 if reason else 0
    if arguments.in_use:
        print("\n".join(in_use()))
        return 0
    if arguments.keep:
        return _keep(arguments)
    if not arguments.command:
        parser.error("name the command to run")
    # Turned into an exception, so that the command ends before its disk does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with SlowDisk(arguments.mb_per_s, arguments.requests_per_s, arguments.gib) as path:
            return subprocess.run([part.replace("{}", path) for part in arguments.command], check=False).returncode
    except RuntimeError as problem:
        print("slow_disk: %s" % problem, file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
