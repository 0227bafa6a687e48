# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""A node whose files are broken in every way we know, beside one guest that is not.

Made when a test runs: binary junk is nothing for a repository.
"""

from __future__ import annotations

import random
from pathlib import Path

HEALTHY = "910"
STORAGE_CFG = "dir: local\n\tpath /var/lib/vz\n\tcontent images\n\nthis is no storage\n\tpath /nowhere\n"


def guest(vmid: str, *lines: str) -> str:
    return (
        f"name: guest{vmid}\nscsihw: virtio-scsi-pci\nscsi0: local:{vmid}/vm-{vmid}-disk-0.qcow2,size=8G\n"
        + "".join(f"{line}\n" for line in lines)
    )


def make(root: Path, node: str = "pve1") -> dict[str, bytes]:
    """Fill a tree; returns each config's bytes by guest id."""
    junk = random.Random(7)
    configs = {
        "901": b"",
        "902": junk.getrandbits(8 * 512).to_bytes(512, "big"),
        "903": b" \n\n\t\n",
        "904": guest("904").encode() + b"\0" * 16,
        "905": (guest("905") + "#" + "x" * 80 + "\n").encode() + b"# padding\n" * 110_000,
        HEALTHY: guest(HEALTHY).encode(),
    }
    folder = root / "etc/pve/nodes" / node / "qemu-server"
    folder.mkdir(parents=True)
    for vmid, raw in configs.items():
        (folder / f"{vmid}.conf").write_bytes(raw)
    (root / "etc/pve/storage.cfg").write_text(STORAGE_CFG)
    return configs
