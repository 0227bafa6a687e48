# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Kill a calibration while its values are set: the next one puts back what was before.

left.py DIRECTORY KERNEL
"""

from __future__ import annotations

import pathlib
import signal
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).parents[2] / "build/collections"
STEP = """
import sys
sys.path.insert(0, %r)
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._calibrate import kept, step
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.tree import Tree
kept.stop_on_signals()
done = step.take({
    "path": sys.argv[1], "measure": sys.argv[3], "hardened": True, "backup": None, "load_mb_per_s": 0, "seconds": 60,
    "queue": {"nr_requests": 16, "max_sectors_kb": 64}, "dirty": {"max_bytes": 4194304, "strict_limit": 1},
    "warm_up": 0, "image_mb": 16, "load_mb": 256, "load_total_mb": 4096, "sure": False, "accelerator": "tcg",
    "qemu": None, "kernel": sys.argv[2], "kernel_modules": None,
}, Tree("/"))
print(*done["put_back"])
"""
FILES = ("queue/nr_requests", "queue/max_sectors_kb", "bdi/max_ratio_fine", "bdi/strict_limit")


def device_of(directory):
    """Where the directory's device is in /sys."""
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        number = next(line.split()[2] for line in mounts if line.split()[4] == directory)
    return pathlib.Path("/sys/dev/block", number)


def values(device):
    """What a calibration changes."""
    return [(device / file).read_text(encoding="ascii").strip() for file in FILES]


def wait(what, is_so, seconds=120):
    """Wait until is_so() is true; end with what otherwise."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            sys.exit("not within %d s: %s" % (seconds, what))
        time.sleep(0.1)


def main():
    """For each signal: start, kill, look; after SIGKILL start another one, and look."""
    directory, kernel = sys.argv[1:]
    device = device_of(directory)
    before = values(device)
    command = [sys.executable, "-c", STEP % str(TOP), directory, kernel]
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        step = subprocess.Popen([*command, "writer"])
        wait("the values are set", lambda: values(device)[0] == "16" and values(device)[3] == "1")
        step.send_signal(number)
        step.wait()
        if number != signal.SIGKILL and values(device) != before:
            sys.exit("%s: %s and not %s" % (number, values(device), before))
    if values(device)[0] != "16":
        sys.exit("SIGKILL left nothing: this test sees nothing")
    told = subprocess.run(
        [*command, "rate"], check=True, stdout=subprocess.PIPE, universal_newlines=True
    ).stdout.split()
    if values(device) != before or len(told) != len(FILES):
        sys.exit("not put back: %s and not %s, told %s" % (values(device), before, told))


if __name__ == "__main__":
    main()
