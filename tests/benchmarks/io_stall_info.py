# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What watching 100 guests costs: io_stall_info's own figure, held against the CPU time the kernel counts.

    make benchmark                      with the others
    tools/in-venv 2.21 env PYTHONPATH=build/collections python tests/benchmarks/io_stall_info.py [guests] [seconds]
    [stalled guests]

The guests are processes that look like QEMU from outside: a main loop, 4 vCPUs, an iothread, workers. Those stalled are
in state D for most of the time. Fails where the cost is 2 % of one core or more.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._stall.watch import watch
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._stall.poser import Poser

LIMIT = 0.02
THREADS = ("call_rcu", "IO io1", "CPU 0/KVM", "CPU 1/KVM", "CPU 2/KVM", "CPU 3/KVM", "worker", "worker")


def arguments(number):
    """The disks of one guest, as much text as Proxmox VE gives a guest with three disks."""
    words = []
    for disk in range(3):
        node = {
            "driver": "throttle",
            "node-name": f"drive-scsi{disk}",
            "throttle-group": f"throttle-drive-scsi{disk}",
            "file": {
                "driver": "raw",
                "node-name": f"f{disk}",
                "cache": {"direct": True, "no-flush": False},
                "file": {
                    "driver": "host_device",
                    "filename": f"/dev/pve/vm-{number}-disk-{disk}",
                    "aio": "io_uring",
                    "node-name": f"e{disk}",
                    "cache": {"direct": True, "no-flush": False},
                    "detect-zeroes": "on",
                    "discard": "ignore",
                    "read-only": False,
                },
            },
        }
        words += [
            "-device",
            f"virtio-scsi-pci,id=virtioscsi{disk},bus=pci.3,addr=0x{disk + 1},iothread=io1",
            "-blockdev",
            json.dumps(node),
            "-device",
            f"scsi-hd,bus=virtioscsi{disk}.0,drive=drive-scsi{disk},id=scsi{disk},write-cache=on",
        ]
    return words


def main(guests=100, seconds=10.0, stalled=0):
    """Measure once and print."""
    with tempfile.TemporaryDirectory() as folder:
        posers = []
        try:
            for number in range(guests):
                posers.append(Poser(Path(folder), f"bench{number}", THREADS, arguments(number)))
            for poser in posers:
                poser.wait_ready()
            for poser in posers[:stalled]:
                poser.stall(seconds * 0.8)
            time.sleep(1)
            before, began = os.times(), time.monotonic()
            result = watch(duration=seconds, guests=[f"bench{number}" for number in range(guests)])
            after, wall = os.times(), time.monotonic() - began
        finally:
            for poser in posers:
                poser.end()
    counted = (after.user + after.system - before.user - before.system) / wall
    found = sum(1 for guest in result["guests"] if guest["main_blocked_share"] > 0.5)
    print(f"guests {guests}, stalled {stalled} (found {found}), threads {result['sampling']['threads']}, {seconds:g} s")
    print(f"cost by its own figure {result['cost']['share']:.2%}, by the kernel's {counted:.2%} of one core")
    print(f"sampling {result['sampling']}")
    return 0 if max(result["cost"]["share"], counted) < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main(*(kind(word) for kind, word in zip((int, float, int), sys.argv[1:]))))
