# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A host's block devices in a tree of files, laid out as Linux 6.12 and udev 257 show them."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.tree import Tree

WWN = "wwn-0x5000c500a1b2c3d4"


class Machine:
    """Makes devices one by one; ``tree`` reads them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._mounts = 0
        (root / "sys/block").mkdir(parents=True)
        (root / "dev/disk/by-id").mkdir(parents=True)
        self.put("/proc/sys/vm/dirty_ratio", "20")
        self.put("/proc/sys/vm/dirty_background_ratio", "10")
        self.put("/proc/sys/vm/dirty_bytes", "0")
        self.put("/proc/sys/vm/dirty_background_bytes", "0")
        self.put("/proc/meminfo", "MemTotal:       16777216 kB\nMemAvailable:   10485760 kB")

    @property
    def tree(self) -> Tree:
        """The host."""
        return Tree(str(self.root))

    def put(self, path: str, text: str) -> None:
        """An ordinary file with a line."""
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{text}\n", encoding="utf-8")

    def get(self, path: str) -> str | None:
        """A file's text; None where there is none."""
        place = self.root / path.lstrip("/")
        return place.read_text("utf-8") if place.exists() else None

    def link(self, path: str, target: str) -> None:
        """A link."""
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)

    def disk(self, name: str, number: str, *ids: str, at: str = "", partitions: int = 0, **queue: object) -> str:
        """A disk with its queue, its names and its partitions; returns its directory in /sys."""
        base = self._device(name, number, at or f"pci0000:00/0000:00:04.0/host0/target0:0:0/0:0:0:0/block/{name}")
        self.put(f"{base}/device/type", "0")
        values = {
            "nr_requests": 128,
            "max_sectors_kb": 1280,
            "max_hw_sectors_kb": 32767,
            "scheduler": "none [mq-deadline] ",
            "wbt_lat_usec": 75000,
            "rotational": 1,
            **queue,
        }
        for key, value in values.items():
            if value is not None:
                self.put(f"{base}/queue/{key}", str(value))
        self.limit(base)
        for one in ids:
            self.link(f"/dev/disk/by-id/{one}", f"../../{name}")
        major, minor = map(int, number.split(":"))
        for part in range(1, partitions + 1):
            there = f"{name}p{part}" if name[-1].isdigit() else f"{name}{part}"
            self.put(f"{base}/{there}/partition", str(part))
            self.put(f"{base}/{there}/dev", f"{major}:{minor + part}")
            for one in ids:
                self.link(f"/dev/disk/by-id/{one}-part{part}", f"../../{there}")
        return base

    def limit(self, base: str, max_bytes: int = 2147483648, share: int = 1000000, strict: int = 0) -> None:
        """A device's own limit on written data."""
        self.put(f"{base}/bdi/max_bytes", str(max_bytes))
        self.put(f"{base}/bdi/max_ratio_fine", str(share))
        self.put(f"{base}/bdi/strict_limit", str(strict))

    def mapped(self, number: int, name: str, *slaves: str, uuid: str = "LVM-x", **queue: object) -> str:
        """A device of device-mapper; with a queue where it is one of several paths."""
        node = f"dm-{number}"
        base = self._device(node, f"252:{number}", f"virtual/block/{node}")
        self.put(f"{base}/dm/name", name)
        self.put(f"{base}/dm/uuid", uuid)
        for slave in slaves:
            self.put(f"{base}/slaves/{slave}/x", "")
        for key, value in queue.items():
            self.put(f"{base}/queue/{key}", str(value))
        self.limit(base)
        self.link(f"/dev/disk/by-id/dm-name-{name}", f"../../{node}")
        return base

    def md(self, name: str, number: str, *slaves: str) -> str:
        """An array."""
        base = self._device(name, number, f"virtual/block/{name}")
        for slave in slaves:
            self.put(f"{base}/slaves/{slave}/x", "")
        self.limit(base)
        self.link(f"/dev/disk/by-id/md-name-pve1:{name}", f"../../{name}")
        return base

    def loop(self, name: str, number: str, file: str) -> None:
        """A loop device on a file."""
        self.put(f"{self._device(name, number, f'virtual/block/{name}')}/loop/backing_file", file)

    def mount(self, number: str, point: str, kind: str = "ext4", source: str = "/dev/x") -> None:
        """A mounted file system."""
        self._mounts += 1
        before = self.get("/proc/self/mountinfo") or ""
        line = f"{20 + self._mounts} 1 {number} / {point} rw,relatime shared:1 - {kind} {source} rw"
        self.put("/proc/self/mountinfo", before + line)

    def storages(self, text: str) -> None:
        """/etc/pve/storage.cfg; the storage ``local`` holds no images."""
        self.put("/etc/pve/storage.cfg", f"dir: local\n\tpath /var/lib/vz\n\tcontent iso\n\n{text}")

    def _device(self, name: str, number: str, at: str) -> str:
        base = f"/sys/devices/{at}"
        self.put(f"{base}/dev", number)
        self.link(f"/sys/block/{name}", f"../devices/{at}")
        return base
