# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Kill a measurement in its middle: QEMU ends, and its space on the slow disk is free again.

killed.py DIRECTORY KERNEL
"""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).parents[2] / "build/collections"
MEASURE = """
import sys
sys.path.insert(0, %r)
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove import lab, setting
lab.measure({"path": sys.argv[1], "settings": [setting.TODAY], "runs": 1, "seconds": 100, "warm_up": 0,
             "image_mb": 32, "image_format": "raw", "load_writers": 1, "load_mb": 512, "load_total_mb": 4096,
             "accelerator": "tcg", "qemu": None, "kernel": sys.argv[2], "kernel_modules": None})
"""


def used(directory):
    """MiB in use on the directory's file system."""
    room = os.statvfs(directory)
    return (room.f_blocks - room.f_bfree) * room.f_frsize >> 20


def qemu_of(pid):
    """The QEMU process started by pid, None where there is none."""
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _bracket, rest = entry.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        if rest.split()[1] == str(pid) and name in ("kvm", "qemu-system-x86"):
            return int(entry.parent.name)
    return None


def wait(what, seconds):
    """Wait until what() is true; end with its name otherwise."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            sys.exit("not within %d s: %s" % (seconds, what.__name__))
        time.sleep(0.2)


def main():
    """Start, kill, look."""
    directory, kernel = sys.argv[1:]
    before = used(directory)
    measurement = subprocess.Popen([sys.executable, "-c", MEASURE % str(TOP), directory, kernel])

    def the_load_is_at_work():
        if measurement.poll() is not None:
            sys.exit("the measurement ended by itself: %s" % measurement.returncode)
        return used(directory) > before + 64

    wait(the_load_is_at_work, 300)
    qemu = qemu_of(measurement.pid)
    if qemu is None:
        sys.exit("the measurement has no QEMU")
    measurement.kill()
    measurement.wait()

    def qemu_has_ended():
        return not os.path.exists("/proc/%d" % qemu)

    def the_space_is_free_again():
        return used(directory) <= before + 2

    wait(qemu_has_ended, 60)
    wait(the_space_is_free_again, 60)
    left = sorted(set(os.listdir(directory)) - {"lost+found"})
    if left:
        sys.exit("left behind: %s" % ", ".join(left))


if __name__ == "__main__":
    main()
