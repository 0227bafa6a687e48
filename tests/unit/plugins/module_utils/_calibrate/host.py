# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A host's /sys and /dev in a directory: what io_calibrate reads and writes of a disk."""

from __future__ import annotations

import os

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.tree import Tree

QUEUE = {"queue/nr_requests": "128", "queue/max_sectors_kb": "1280", "queue/scheduler": "[none] mq-deadline"}
BDI = {"bdi/max_bytes": "4725473280", "bdi/max_ratio_fine": "1000000", "bdi/strict_limit": "0"}


class Host:
    """A root directory with devices; ``tree`` is it as the module sees it."""

    def __init__(self, root):
        self.root = root
        for folder in ("sys/class/block", "sys/dev/block", "dev/disk/by-id", "run", "proc"):
            (root / folder).mkdir(parents=True)
        self.tree = Tree(str(root))
        self.record = "/run/record.json"

    def device(self, name, files=None, slaves=(), below=None):
        """A device; a partition is ``below`` its disk."""
        home = self.root / "sys/devices" / (f"{below}/{name}" if below else name)
        for path, text in (files or {}).items():
            (home / path).parent.mkdir(parents=True, exist_ok=True)
            (home / path).write_text(text + "\n")
        home.mkdir(parents=True, exist_ok=True)
        for slave in slaves:
            (home / "slaves").mkdir(exist_ok=True)
            (home / "slaves" / slave).symlink_to(f"../../{slave}")
        if below:
            (home / "partition").write_text("1\n")
        (self.root / "sys/class/block" / name).symlink_to(f"../../devices/{below + '/' if below else ''}{name}")

    def named(self, name, link):
        """A name in /dev/disk/by-id."""
        (self.root / "dev/disk/by-id" / name).symlink_to(f"../../{link}")

    def mounts(self, name, directory="storage"):
        """Have a directory lie on the device; its path as the host's."""
        place = self.root / directory
        place.mkdir(parents=True, exist_ok=True)
        number = os.stat(place).st_dev
        (self.root / "sys/dev/block" / f"{os.major(number)}:{os.minor(number)}").symlink_to(f"../../class/block/{name}")
        return f"/{directory}"

    def read(self, name, path):
        """What a file of a device has now."""
        return (self.root / "sys/class/block" / name / path).read_text().strip()


def lvm(root):
    """A file system on a logical volume on a partition of a disk, as Proxmox VE's installer makes it; (host, path)."""
    host = Host(root)
    host.device("sda", {**QUEUE, "stat": "1 0 100 0 5 0 200 0 0 0 0"})
    host.device("sda3", below="sda")
    host.device("dm-1", {**BDI, "dm/name": "pve-root", "stat": "1 0 10 0 5 0 20 0 0 0 0"}, slaves=["sda3"])
    host.named("ata-DISK_1", "sda")
    host.named("wwn-0x5000c500a1b2c3d4", "sda")
    host.named("wwn-0x5000c500a1b2c3d4-part3", "sda3")
    host.named("dm-uuid-LVM-x", "dm-1")
    host.named("dm-name-pve-root", "dm-1")
    return host, host.mounts("dm-1")
