# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The rules: stable ids, one-line reasons, where each comes from and who disagrees.

``Bug`` is kernel Bugzilla 199727, with the number of the comment. Measurements are in docs/evidence.md.
"""

from __future__ import annotations

from typing import NamedTuple

from . import defects

#: The title of what is assessed of hosts, by its subject; another subject's name is its title.
SUBJECTS = {
    "writeback": "Write-back limits",
    "load": "Backups and limits",
    "queues": "Disk queues",
    "versions": "Versions",
    "windows": "Drivers of Windows guests",
    "causes": "Other causes",
}
#: The subjects that a rollback of a run does not put back.
OWN_WAY_BACK = ("writeback",)


class Rule(NamedTuple):
    """``severity`` is the usual one; that of a finding follows its evidence. ``evidence`` is what was measured."""

    id: str
    title: str
    severity: str
    reason: str
    source: str
    dissent: str = ""
    evidence: str = ""


_ALL = (
    Rule(
        "IO100",
        "Cannot be judged",
        "error",
        "What could not be read or understood was not checked, and what was not checked is not compliant. For a disk on"
        " a storage that is not defined that is its unset aio alone; what its line sets is judged.",
        "Proxmox VE skips such lines and rejects such drives (qemu-server parse_vm_config, parse_drive).",
    ),
    Rule(
        "IO101",
        "SCSI controller cannot give each disk an iothread",
        "error",
        "Only virtio-scsi-single gives each disk a controller, and so an iothread, of its own.",
        "Bug c9, c13, c18, c19, c24; qemu-server ignores iothread on any other scsihw, with a warning at start.",
        evidence=(
            "QEMU 7.2, disk at 40 MB/s with one buffered writer next to the guest, longest gap of a 2 ms heartbeat: lsi"
            " with native 1.5-3.7 s; virtio-scsi-single with iothread and threads 9-11 ms (one of three runs 293)."
        ),
    ),
    Rule(
        "IO102",
        "No iothread in effect",
        "error",
        "Without an iothread, QEMU's main loop submits the disk's I/O while it holds the lock that the vCPUs need.",
        "Bug c3, c4, c8, c9, c14, c15.",
        evidence=(
            "Longest gap, QEMU 7.2: native 2921 ms without an iothread and 15 with one, io_uring 3295 and 9. QEMU 10.0:"
            " native 1778-2401 and 6-16, io_uring 1401-1899 and 7-13. threads alone: 6-12 ms, and 7-101 while a"
            " management daemon polls QEMU 7.2."
        ),
    ),
    Rule(
        "IO103",
        "aio mode can block the thread that submits",
        "error",
        "io_submit() and sometimes io_uring_enter() block while the storage is saturated; with threads, others wait.",
        "Bug c4, c8, c9, c14, c15; measured on QEMU 7.2 and 10.0: an error without an iothread and below QEMU 9, "
        "a note with one from QEMU 9 on.",
        "With an iothread, io_uring was as safe as threads on QEMU 10.0, and threads cost CPU on very fast NVMe.",
        evidence=(
            "QEMU 7.2 with an iothread and query-blockstats polled: io_uring 3106-3499 ms, native 1639-3371, threads"
            " 6-8. QEMU 10.0, same: io_uring 9-11, native 7-8, threads 6-7. On an idle disk threads write about 2 %"
            " fewer requests."
        ),
    ),
    Rule(
        "IO104",
        "Cache mode",
        "warning",
        "A cached mode makes the stall depend on the host's memory; unsafe loses data when the host crashes. None and"
        " directsync need a file system that supports direct I/O: on others the guest does not start, or its data is"
        " at risk.",
        "Bug c12, c16 (Stefan Hajnoczi recommends cache=none); btrfs and bcachefs with copy-on-write stay cached;"
        " open(2), O_DIRECT.",
        "Bug c1: Roland Kletzing's first workaround was writeback.",
        evidence=(
            "With an iothread and threads, the gaps of writeback are as short as those of none (8-17 ms on 7.2)."
            " Without an iothread, writeback with io_uring stalled for 9.1 s of 10."
        ),
    ),
    Rule(
        "IO105",
        "aio=native with a cached mode: the guest does not start",
        "error",
        "QEMU refuses it: aio=native was specified, but it requires cache.direct=on.",
        "Recorded on Proxmox VE 9.2, which still stores it; 357 starts of QEMU 7.2.",
        evidence=(
            "357 starts of QEMU: aio=native is refused unless cache is none or directsync, and nothing else is refused."
        ),
    ),
    Rule(
        "IO106",
        "Bus that cannot have an iothread",
        "error",
        "A disk on ide or sata gets an iothread only on scsi or virtio, which needs another driver in the guest.",
        "qemu-server's schema has iothread on scsi and virtio only; QEMU: Property '…iothread' not found.",
        evidence=(
            "QEMU 7.2: ide and ahci stall with native (1.5-3.7 s) and not with threads (6-10 ms); an iothread on them"
            " is refused: Property not found."
        ),
    ),
    Rule(
        "IO107",
        "Setting without effect here",
        "note",
        "Only the block drivers file, host_device and host_cdrom have an aio option; librbd and iscsi ignore it.",
        "Bug c23, c24; qemu-server Blockdev.pm.",
    ),
    Rule(
        "IO108",
        "Waits for a cold start",
        "warning",
        "A running guest keeps its old settings until it is stopped and started; a reboot inside the guest is not"
        " enough.",
        "Recorded on Proxmox VE 9.2: such changes go to [PENDING].",
    ),
    Rule(
        "IO109",
        "Running QEMU differs from its config",
        "warning",
        "The command line of a guest's QEMU shows what it runs with, and its config says something else.",
        "/proc/PID/cmdline.",
    ),
    Rule(
        "IO110",
        "Locked, not changed",
        "warning",
        "A backup, migration or snapshot of the guest is running; every write fails until it ends.",
        "Recorded on Proxmox VE 9.2: VM is locked (backup), status 255.",
    ),
    Rule(
        "IO111",
        "A snapshot has the old settings",
        "note",
        "A rollback restores the settings from when the snapshot was taken.",
        "qemu-server, snapshot rollback.",
    ),
    Rule(
        "IO112",
        "Template",
        "note",
        "Clones inherit a template's settings; guests that were cloned before keep theirs.",
        "Recorded on Proxmox VE 9.2: templates can be edited.",
    ),
    Rule(
        "IO113",
        "A drive keeps the guest from starting",
        "error",
        "Such a drive is found when the guest starts and not before: a guest that runs does not come back after its"
        " next stop.",
        "qemu-server 9.2.6 (Blockdev.pm, Drive.pm get_path_and_format, QemuServer.pm check_volume_storage_type) and"
        " pve-storage 9.1.7 (parse_volname, storage_check_enabled): an ISO image without media=cdrom, none as a disk, a"
        " volume name or format that the storage cannot have, a storage that is disabled, not for the guest's node or"
        " without the volume's content, snapshot=1 from machine version 10.0 on.",
    ),
    Rule(
        "IO114",
        "Another tool defines the guest",
        "note",
        "The next apply of Terraform, OpenTofu or Pulumi sets the disks as its definition has them: where iothread and"
        " aio are not written there, it takes them back.",
        "bpg/terraform-provider-proxmox d6bd1ff (disk.go: an unset aio is io_uring, an unset iothread false),"
        " Telmate/terraform-provider-proxmox 225e289 (scsihw is lsi where it is not set).",
    ),
    Rule(
        "IO121",
        "Waiver has expired",
        "warning",
        "Its findings count again; renew it with a reason, or remove it.",
        "This policy.",
    ),
    Rule(
        "IO122",
        "Waiver matches nothing",
        "warning",
        "It covers no finding: its selector is wrong, or the guest is gone or fixed.",
        "This policy.",
    ),
    Rule(
        "IO201",
        "Write-back limits in force",
        "warning",
        "A lot of dirty memory causes one long flush, and every guest on the storage waits for it.",
        "Bug, description: dirty_ratio 2 and dirty_background_ratio 1 make it somewhat less severe.",
    ),
    Rule(
        "IO202",
        "Write-back limits do not last",
        "error",
        "Limits set by hand, or by a file that another file overrides, are gone after a reboot.",
        "sysctl.d(5).",
    ),
    Rule(
        "IO203",
        "Another manager sets the write-back limits",
        "warning",
        "tuned rewrites vm.dirty_* while the host runs; its profile virtual-host undoes the ratios.",
        "tuned's profiles.",
    ),
    Rule(
        "IO204",
        "Write-back limits above what the disks queue",
        "note",
        "Limits help only if they are below what the device queues; a queue of at most 32 MiB needs none.",
        "Measured: 480 MB changed nothing at a queue of 160 MB, 32 MiB made the gap ten times shorter.",
    ),
    Rule(
        "IO211",
        "A disk's queue is not as the policy says",
        "warning",
        "What a disk's queue holds, and how much written data may wait for it, decides how much a flush puts before a"
        " guest's request.",
        "Linux, Documentation/ABI/stable/sysfs-block and testing/sysfs-class-bdi.",
        "A short queue costs throughput on some devices: a value comes from a measurement on the disk itself.",
        evidence=(
            "QEMU 10.0, disk at 40 MB/s with one buffered writer, 128 requests of 1280 KiB, a guest that nobody"
            " hardened, longest gap: 3337 ms; 16 requests 399, requests of 128 KiB 358, both 139, max_bytes 32 MiB 651,"
            " 8 MiB 0-102."
        ),
    ),
    Rule(
        "IO212",
        "A disk's queue does not last",
        "warning",
        "What is set in /sys is gone after a boot, or when the disk comes back.",
        "udev(7).",
    ),
    Rule(
        "IO213",
        "Long queue of a rotational disk under guests",
        "note",
        "A flush may put before a guest's request what the queue holds, and a rotational disk takes long for it.",
        "Measured, see IO211. How much a disk stands is not known without its rate, so nothing is set.",
    ),
    Rule(
        "IO214",
        "Out of reach of a disk's limits",
        "note",
        "A limit on a queue or a device ends where another queue begins: a RAID controller's, another machine's, a"
        " device of LVM or md with a limit of its own.",
        "Seen on Linux 6.12: what a file system on LVM writes counts for its logical volume's limit, not for its"
        " disk's; max_bytes is kept as a share of vm.dirty_bytes or vm.dirty_ratio.",
    ),
    Rule(
        "IO215",
        "The policy asks for what a disk cannot have",
        "error",
        "The kernel refuses it, or takes another value without a word.",
        "Linux, block/blk-sysfs.c and mm/page-writeback.c.",
    ),
    Rule(
        "IO301",
        "Guests' writes wait for a backup's target",
        "warning",
        "QEMU copies a block to the target before a guest may overwrite it (copy before write). Without fleecing the"
        " guest's write waits for a slow target, and for ever for one that hangs, hardened or not. It is a note where"
        " the target is local or few workers copy at once, and an error where the policy names other fleecing. A job's"
        " fleecing replaces that of vzdump.conf as a whole, so a job with fleecing 0 drops it.",
        "pve-docs vzdump.adoc; pve-manager 14a22df (PVE/VZDump.pm, new and merge_performance); qemu"
        " block/copy-before-write.c (the copy ignores the rate limit); pve-qemu, backup fleecing"
        " (on-cbw-error=break-snapshot, cbw-timeout 45); pve-guest-common 4a8f6cb (backup-fleecing).",
        "Fleecing needs space for what guests overwrite during the backup, and a storage that is full fails the"
        " backup.",
        "QEMU 10.0, longest write of a guest while a backup runs to a target of 5 MB/s: 5550 ms with 16 workers, 558"
        " with one, 292 with 16 and fleecing; to a target that hangs for 10 s: 10350, and 788 with fleecing. A guest"
        " without an iothread waits as long as one with it.",
    ),
    Rule(
        "IO303",
        "Fleecing storage does not fit",
        "warning",
        "A storage that is gone fails the backup; on a remote one guests' writes wait again; a thick one reserves each"
        " disk's whole size.",
        "pve-docs vzdump.adoc: local, fast, thin and with discard. Recorded on Proxmox VE 9.2: a job takes the name of"
        " a storage that does not exist.",
    ),
    Rule(
        "IO304",
        "Backup workers are not as the policy wants",
        "error",
        "Each worker has a request under way, and a guest's write waits behind them on the disk and at the target.",
        "pve-guest-common 4a8f6cb (backup-performance, max-workers: 16 by default).",
        "On fast disks and parallel storages one worker makes backups slower: measure the rate there.",
        "QEMU 10.0, longest write of a guest while a backup runs: slow target 12845 ms with 64 workers, 5550 with 16,"
        " 853 with 4, 558 with 1; same disk 3298, 669-916, 275, 189. The backup's rate was the same with each.",
    ),
    Rule(
        "IO305",
        "A backup setting that does not protect guests",
        "note",
        "bwlimit slows the backup's own reads, not the copy that a guest's write waits for, and a longer backup makes"
        " more writes wait. ionice is the priority of vzdump's own process, while QEMU reads the disks. It is a"
        " warning where the policy names another value.",
        "pve-guest-common 4a8f6cb (ionice: BFQ, and the compressor alone for snapshot and suspend); pve-manager"
        " 14a22df (PVE/API2/VZDump.pm); qemu block/copy-before-write.c (ignore_ratelimit).",
        "A bwlimit below the target's rate does help.",
        "Longest write, 16 workers, slow target: 5550 ms without a limit, 3540 with a quarter of the disk's rate, 548"
        " with a quarter of the target's.",
    ),
    Rule(
        "IO306",
        "No limit on restore, migration, clone or move",
        "note",
        "A copy through the host's cache takes all that the disk gives. A storage's limit counts before the"
        " datacenter's, default= does not touch backups, and a restore from a Proxmox Backup Server obeys none. It is"
        " a warning where the policy names another value.",
        "pve-storage 0c56bad (PVE::Storage get_bandwidth_limit), pve-cluster 7091d92 (DataCenterConfig.pm),"
        " qemu-server e6352be (pbs-restore is given no rate).",
        "Copies with direct I/O needed no limit where it was measured.",
        "qemu-img convert, 8 requests at once, longest gap of a guest: 1713-3207 ms through the cache, 0-79 held to a"
        " half or a quarter of the disk's rate, 0-100 with direct I/O and no limit.",
    ),
    Rule(
        "IO307",
        "Limit in an unlikely unit",
        "warning",
        "Proxmox VE counts limits in KiB/s: migration=1 is 1 KiB/s, and a migration takes for ever.",
        "pve-common f665029 (bwlimit); seen in public configs.",
    ),
    Rule(
        "IO308",
        "Backup target that can take the node down",
        "warning",
        "A target that is a guest of the same node waits for itself; a hard NFS mount waits for ever for a server that"
        " is gone, and so do guests' writes; a job whose storage is gone backs nothing up. A hard mount is a note.",
        "nfs(5); a deadlock of a node with an NFS target over a VPN of its own guest (daniel.csylabs.com, 2026-04-20).",
    ),
    Rule(
        "IO309",
        "Backup meets a scrub, trim or check",
        "note",
        "Both read all of the disks, and guests wait for what is left. How long each runs is not known: a scrub is"
        " taken for 12 hours, a backup for 6.",
        "Debian's cron files and timers of zfsutils-linux, mdadm and util-linux.",
    ),
    Rule(
        "IO310",
        "Fleecing images left behind",
        "note",
        "A backup that was cut off leaves its fleecing images, which take space on the fleecing storage.",
        "qemu-server 8.3.10 to 8.3.13 ([special:fleecing], bug 5440).",
    ),
    Rule(
        "IO311",
        "Backup setting that is not in force",
        "warning",
        "Proxmox VE ignores a line that it cannot read, drops a value out of range and takes the default, and of two"
        " equal keys takes the last in vzdump.conf and the first in a job.",
        "pve-common f665029 (JSONSchema.pm parse_config, SectionConfig.pm); recorded on Proxmox VE 9.2.",
    ),
    Rule(
        "IO401",
        "A known defect of this QEMU hits the guest",
        "warning",
        "A disk's iothread or bus makes some versions of QEMU abort or hang. Where an iothread would and such a QEMU"
        " would start the guest, none is planned.",
        "The table of known defects below.",
        evidence=defects.VIRTIO_SCSI_RESET.evidence,
    ),
    Rule(
        "IO402",
        "A known defect of the running kernel hits the host",
        "warning",
        "The kernel that runs can freeze what its disks carry; a fixed one helps only after a reboot.",
        "The table of known defects below.",
    ),
    Rule(
        "IO403",
        "The installed QEMU has a known defect",
        "note",
        "It hits guests in a backup, a move or a hotplug, whatever their disks have.",
        "The table of known defects below.",
    ),
    Rule(
        "IO404",
        "I/O pressure is no evidence",
        "note",
        "From QEMU 10.2 on, an idle iothread is counted as one that waits for I/O: nearly 100 % pressure and a high"
        " iowait without any load. Nothing freezes.",
        "pve-qemu 775e41b (10.2.1-2), which needs a kernel with IORING_FEAT_NO_IOWAIT: from Linux 6.15 on"
        " (io_uring_set_iowait(3)).",
    ),
    Rule(
        "IO405",
        "A known defect of virtio-win hits a Windows guest",
        "warning",
        "The driver in the guest freezes it, whatever its disks have on the host.",
        "The table of known defects below. The guest agent tells the version of the driver (guest-get-devices).",
    ),
    Rule(
        "IO406",
        "The version of virtio-win is not known",
        "note",
        "The guest agent was to be asked for it, and did not tell.",
        "QEMU's guest agent has guest-get-devices on Windows alone, from 5.2 on.",
    ),
    Rule(
        "IO501",
        "Swap on a ZFS volume",
        "error",
        "To swap out, ZFS needs memory at the moment when there is none; then the whole host stands still. An error"
        " where some of the swap is used, a warning where none is yet.",
        "Proxmox VE's documentation, local-zfs, SWAP on ZFS: swap on a zvol can block the server, often when a backup"
        " starts.",
    ),
    Rule(
        "IO502",
        "The ARC may take most of the memory",
        "warning",
        "ZFS' cache gives memory back slowly: guests that need some wait, or are swapped out or killed. From OpenZFS"
        " 2.3 on its ceiling is nearly all memory where nobody sets one. A note where somebody chose it.",
        "OpenZFS 6a629f3234 (arc_os.c: all but 1 GiB, at least five eighths; before that a half); Proxmox VE's"
        " documentation, local-zfs: 2 GiB and 1 GiB for each TiB, and its installer takes a tenth, at most 16 GiB.",
    ),
    Rule(
        "IO503",
        "Write-back limits do nothing for ZFS",
        "note",
        "vm.dirty_* limits the page cache, which ZFS does not write through. It has a limit of its own, for each pool.",
        "zfs(4), zfs_dirty_data_max and zfs_delay_min_dirty_percent.",
    ),
    Rule(
        "IO504",
        "Write-back throttling is switched off",
        "warning",
        "It holds back what the host writes through its cache while requests of guests with cache=none, which are"
        " exempt, take too long.",
        "Linux, Documentation/ABI/stable/sysfs-block (wbt_lat_usec: 0 switches it off, -1 is the default), blk-wbt.c.",
        evidence=(
            "One buffered writer beside a guest without an iothread, QEMU 10.0, disk at 40 MB/s, longest gap of the"
            " guest: 3337 ms without, 1684 with the target of rotational disks, 866 with that of the others."
        ),
    ),
    Rule(
        "IO505",
        "Thin pool is nearly full",
        "warning",
        "When data or metadata of a thin pool are full, writes of all guests on it wait, and then fail. An error from"
        " 95 % on.",
        "Proxmox VE's documentation, local-lvm; lvmthin(7).",
    ),
    Rule(
        "IO506",
        "Hard NFS mount under guests without an iothread",
        "warning",
        "A hard mount waits for its server without end. Without an iothread it is QEMU's main loop that waits.",
        "nfs(5), hard and soft; oVirt vdsm 672a98b, which shortened timeo and retrans for that reason.",
        "A soft mount answers, and loses writes; so it is the guest that is to be changed, not the mount.",
    ),
    Rule(
        "IO507",
        "Check of an md array",
        "note",
        "A check reads all disks of an array for hours, at up to 200 MB/s unless it is held back. A warning where the"
        " policy names a rate that is not in force.",
        "md(4), sync_speed_max and dev.raid.speed_limit_max; Debian's mdadm starts checks on the first Sunday of a"
        " month, newer ones up to 24 hours later.",
        "A lower limit makes a rebuild slower too, and leaves the array degraded for longer.",
    ),
    Rule(
        "IO508",
        "ZFS scrub",
        "note",
        "A scrub reads all that is on a pool, for hours. When it meets a backup is IO309.",
        "zpool-scrub(8).",
    ),
    Rule(
        "IO509",
        "Transparent huge pages are always given",
        "note",
        "Where free memory is in small pieces, a process that gets a huge page waits until the kernel has made one. A"
        " warning where the policy names another value.",
        "Linux, Documentation/admin-guide/mm/transhuge.rst; Proxmox VE's kernel has madvise (pve-kernel 4.4.35-79).",
    ),
    Rule(
        "IO510",
        "Swappiness",
        "note",
        "The memory of a guest that was swapped out is read back from the disk that is busy, and the guest waits for"
        " it. A warning where the policy names another value.",
        "Proxmox VE's documentation, local-zfs: vm.swappiness = 10 for hosts with ZFS.",
    ),
)

#: Rule by id.
RULES = {rule.id: rule for rule in _ALL}
