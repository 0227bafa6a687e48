# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Versions of QEMU, of Proxmox VE's kernel and of the Windows drivers with known defects that freeze, hang or abort a
guest's I/O, one entry each. A new entry needs no code unless something else triggers it.

Only what its maintainers' changelog and commit prove is here. Where they do not tell the first version, the range
begins with the first one that is known to have the defect.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

from .version import Version, version


class Trigger(NamedTuple):
    """What a disk or a host must have for a defect to hit it.

    ``words`` are for people, as in "scsi0 with an iothread on virtio-scsi"; ``until`` is what else helps until the
    update, as the end of a sentence. judge_defects.py checks those of guests, judge_versions.py and judge_windows.py
    those of hosts.
    """

    words: str
    until: str = ""


_NO_IOTHREAD = ", or remove the iothread until then"
IOTHREAD_ON_VIRTIO_SCSI = Trigger("with an iothread on virtio-scsi", _NO_IOTHREAD)
IOTHREAD_ON_VIRTIO_BLK = Trigger("with an iothread on virtio-blk", _NO_IOTHREAD)
IOTHREAD = Trigger("with an iothread", _NO_IOTHREAD)
IDE_OR_SATA = Trigger("on IDE or SATA")
CANCELS_ON_VIRTIO_SCSI = Trigger("on virtio-scsi, in a guest that is neither Linux nor Windows")
AACRAID = Trigger("with the driver aacraid")
STRIPED_EXT4 = Trigger("with ext4 on a striped device")
BACKUP_SERVER = Trigger("with a storage on a backup server")
VIOSCSI = Trigger("with the driver vioscsi")


class Defect(NamedTuple):
    """A version from ``since`` (None: the first) to below ``fixed`` has it.

    ``hits`` None: no setting triggers it, so it may hit all. Bounds with a package's revision are Proxmox VE's: other
    builds have patches of their own, which their version does not tell. Bounds without one count for every build.
    """

    id: str
    since: Version | None
    fixed: Version
    hits: Trigger | None
    effect: str
    source: str
    evidence: str = ""

    def concerns(self, found: Version) -> bool:
        """True where this version has the defect."""
        if self.fixed.revision and not found.revision:
            return False
        return found < self.fixed and (self.since is None or found >= self.since)


VIRTIO_SCSI_RESET = Defect(
    id="virtio-scsi-reset",
    since=None,
    fixed=version("8.0"),
    hits=IOTHREAD_ON_VIRTIO_SCSI,
    effect="QEMU aborts when the guest resets a disk, as Windows does with a disk that has not answered in time",
    source="QEMU commit be2c42b97c3a, first released in 8.0; no patch of that name is in pve-qemu 7.2.0-8.",
    evidence=(
        "QEMU 7.2, no load, a reset every second: aborted in 9 of 9 and in 3 of 3 runs with an iothread (blk_drain:"
        " Assertion `qemu_in_main_thread()' failed), in none without one. QEMU 10.0: in none of 10. virtio-blk was not"
        " tried."
    ),
)

_QEMU = (
    Defect(
        id="ide-trim",
        since=version("7.0.0"),
        fixed=version("7.2.0-7"),
        hits=IDE_OR_SATA,
        effect="the guest can hang for good when it trims a disk while a backup starts",
        source="pve-qemu 5865916 and 3a94e1a (7.2.0-6, 7.2.0-7): a regression of QEMU 7.0, commit 7e5cdb345f.",
    ),
    VIRTIO_SCSI_RESET,
    Defect(
        id="iothread-resume",
        since=version("8.0.0"),
        fixed=version("8.0.2-4"),
        hits=IOTHREAD,
        effect="QEMU aborts when a guest with a backup's dirty bitmap resumes from a snapshot or from hibernation",
        source="pve-qemu 5919ec1 (8.0.2-4).",
    ),
    Defect(
        id="iothread-resize",
        since=version("8.1.0"),
        fixed=version("8.1.2-5"),
        hits=IOTHREAD,
        effect="QEMU can hang for good when the disk is resized while the guest writes to it",
        source="pve-qemu dfac4f3 (8.1.2-5); reproduced there.",
    ),
    Defect(
        id="iothread-drain",
        since=version("8.1.0"),
        fixed=version("8.1.5-2"),
        hits=IOTHREAD,
        effect=(
            "the guest's I/O can get stuck when a backup, a move of a disk or a hotplug begins or ends (in 8.1.2-5 the"
            " iothread spins instead)"
        ),
        source=(
            "pve-qemu 4ff04bd (8.1.5-2), a first workaround 6b7c181 (8.1.2-5) and its revert 2a49e66 (8.1.2-6): since"
            " QEMU commits 1665d9326f and 766aa2de0f."
        ),
    ),
    Defect(
        id="virtio-blk-stop",
        since=version("8.1.0"),
        fixed=version("8.1.5-3"),
        hits=IOTHREAD_ON_VIRTIO_BLK,
        effect="QEMU can hang for good when the guest is paused, as by a backup in mode suspend",
        source="pve-qemu ed159bc (8.1.5-3), QEMU commit bfa36802d1; reproduced there.",
    ),
    Defect(
        id="io-uring-resize",
        since=version("9.0.0"),
        fixed=version("9.0.0-3"),
        hits=None,
        effect="QEMU crashes when a disk with aio io_uring is plugged in and then resized",
        source="pve-qemu c1cd6a6 (9.0.0-3): QEMU commit 1f25c172f837, new in 9.0, is reverted.",
    ),
    Defect(
        id="virtio-blk-snapshot",
        since=version("9.0.0"),
        fixed=version("9.0.0-4"),
        hits=IOTHREAD_ON_VIRTIO_BLK,
        effect="QEMU aborts when a snapshot without the guest's memory is taken",
        source="pve-qemu 99c80e7 (9.0.0-4).",
    ),
    Defect(
        id="virtio-scsi-cancel",
        since=version("10.0.0"),
        fixed=version("10.1.2-1"),
        hits=CANCELS_ON_VIRTIO_SCSI,
        effect=(
            "the guest hangs for good when it cancels a request, as FreeBSD (pfSense, OPNsense, TrueNAS) does with a"
            " disk that has not answered in time"
        ),
        source=(
            "pve-qemu 005898a (10.1.2-1), Proxmox bug 6810, QEMU commit 7d80d6d82db4: since commit da6eebb33b. Linux"
            " waits (virtio_scsi's eh_timed_out), and Windows' vioscsi resets, which takes another way."
        ),
    ),
    Defect(
        id="tpm-backup",
        since=version("10.0.0"),
        fixed=version("10.1.2-5"),
        hits=None,
        effect="the backup of a guest with a TPM can get stuck",
        source="pve-qemu 3edf740 (10.1.2-5), since qemu-server reads the TPM's state with io_uring (439f6e2a).",
    ),
    Defect(
        id="mirror-zeroes",
        since=version("10.1.0"),
        fixed=version("10.1.2-7"),
        hits=None,
        effect="QEMU aborts when a guest writes zeroes while its disk is moved or migrated",
        source="pve-qemu 5965a2e (10.1.2-7), Proxmox bug 7222: since QEMU commit 7e277545b9.",
    ),
)

#: The defects of QEMU, by id: those that the policy's accept_defects takes.
QEMU = {defect.id: defect for defect in _QEMU}

_KERNEL = (
    Defect(
        id="aacraid-reset",
        since=version("6.5.0"),
        fixed=version("6.5.11-8"),
        hits=AACRAID,
        effect="the controller hangs and is reset under load, and all I/O on its disks waits",
        source="pve-kernel 5322623 (6.5.11-8), Proxmox bug 5077, kernel bug 217599: commit 9dc704dcc09e is reverted.",
    ),
    Defect(
        id="ext4-stripe",
        since=version("6.5.0"),
        fixed=version("6.5.11-8"),
        hits=STRIPED_EXT4,
        effect="a flush of ext4 can search for free blocks for hours, and writers wait for it",
        source="pve-kernel 0ec9138 (6.5.11-8), Proxmox bug 5158.",
    ),
    Defect(
        id="flush-list",
        since=version("6.8.0"),
        fixed=version("6.8.8-1"),
        hits=None,
        effect="the kernel can crash in a flush of a disk (blk_flush_complete_seq), 6.8.4-4 can freeze with LVM",
        source="pve-kernel e5731f4 (6.8.4-4) and 159611c (6.8.8-1): since Linux commit 81ada09cc25e.",
    ),
    Defect(
        id="tcp-receive",
        since=version("6.17.0"),
        fixed=version("6.17.4-2"),
        hits=BACKUP_SERVER,
        effect=(
            "connections on which this host receives data can stall: restores from a backup server, and backups to one"
            " that runs this kernel"
        ),
        source="pve-kernel 4775ec9 (6.17.4-2).",
    ),
)

#: The defects of Proxmox VE's kernel, by id.
KERNEL = {defect.id: defect for defect in _KERNEL}

_VIRTIO_WIN = (
    Defect(
        id="vioscsi-notify",
        since=version("0.1.215"),
        fixed=version("0.1.266"),
        hits=VIOSCSI,
        effect='Windows can freeze under load, with "Reset to device, \\Device\\RaidPort" (event 129) in its log',
        source=(
            "virtio-win/kvm-guest-drivers-windows issue 756 (0.1.204 and 0.1.208 good; 0.1.215, 0.1.225 and 0.1.248"
            " bad) and commit 0755ca63 (October 2024; 0.1.262 is of August, 0.1.266 of November). 0.1.285 has another"
            " defect, which freezes nothing (issue 1453, read retries of SQL Server); 0.1.271 has neither."
        ),
    ),
)

#: The defects of virtio-win, by id.
VIRTIO_WIN = {defect.id: defect for defect in _VIRTIO_WIN}

#: QEMU counts an iothread that idles as one that waits for I/O: from ``since`` on, below ``fixed`` on any kernel, and
#: later on a kernel below ``kernel``. Nothing freezes; the host's I/O pressure and iowait are wrong.
FALSE_PRESSURE_SINCE = version("10.2")
FALSE_PRESSURE_FIXED = version("10.2.1-2")
FALSE_PRESSURE_KERNEL = version("6.15")


@functools.lru_cache(maxsize=1024)
def of_qemu(found: Version | None) -> tuple[Defect, ...]:
    """The defects that this QEMU has; none where it is not known."""
    return () if found is None else tuple(defect for defect in _QEMU if defect.concerns(found))
