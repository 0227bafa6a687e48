# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Versions of QEMU with known defects that a disk setting triggers, one entry each. A new entry needs no code unless
something else triggers it.
"""

from __future__ import annotations

from typing import NamedTuple

from .qemu import Version

#: What triggers a defect. Each has its own check in judge_defects.py.
IOTHREAD_ON_VIRTIO_SCSI = "an iothread on virtio-scsi"


class Defect(NamedTuple):
    """A QEMU from ``since`` (None: the first) to below ``fixed`` has it; ``hits`` is one of the constants above."""

    id: str
    since: Version | None
    fixed: Version
    hits: str
    effect: str
    source: str
    evidence: str

    def concerns(self, version: Version) -> bool:
        """True where a QEMU of this version has the defect."""
        return version < self.fixed and (self.since is None or version >= self.since)


VIRTIO_SCSI_RESET = Defect(
    id="virtio-scsi-reset",
    since=None,
    fixed=(8, 0, 0),
    hits=IOTHREAD_ON_VIRTIO_SCSI,
    effect=(
        "QEMU aborts when the guest resets a disk, as its kernel does with a disk that has not answered for 30 seconds"
    ),
    source="QEMU commit be2c42b97c3a, first released in 8.0; no patch of that name is in pve-qemu 7.2.0-8.",
    evidence=(
        "QEMU 7.2, no load, a reset every second: aborted in 9 of 9 and in 3 of 3 runs with an iothread (blk_drain:"
        " Assertion `qemu_in_main_thread()' failed), in none without one. QEMU 10.0: in none of 10. virtio-blk was not"
        " tried."
    ),
)

#: Every known defect, by id.
DEFECTS = {defect.id: defect for defect in (VIRTIO_SCSI_RESET,)}
