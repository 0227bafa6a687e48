# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A node of Proxmox VE 9 with ZFS, LVM-thin, NFS and md, as its kernel and tools print them.

/proc and /sys: Linux 6.14 (formats of the sources that texts.py names; /proc/mounts of an NFS client with its
defaults). zpool: OpenZFS 2.3's ``zpool status``. lvs: LVM 2.03.16, ``--reportformat json``.
"""

from __future__ import annotations

from pathlib import Path

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._causes.read import read_facts
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.tree import Tree

GIB = 1 << 30

MEMINFO = "MemTotal:       65785540 kB\nMemFree:         5124156 kB\nMemAvailable:   21093212 kB\nSwapTotal:       8388604 kB\n"
SWAPS = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
ZVOL_SWAP = SWAPS + "/dev/zd0                                partition\t8388604\t\t524288\t\t-2\n"
DISK_SWAP = SWAPS + "/dev/dm-0                               partition\t8388604\t\t{used}\t\t-2\n"
ARCSTATS = """\
9 1 0x01 147 39984 8113470823 861275873462
name                            type data
hits                            4    123456789
c                               4    8589934592
c_min                           4    2105137280
c_max                           4    {c_max}
size                            4    7516192768
"""
NFS = (
    "10.0.0.5:/export/vm /mnt/pve/nas nfs4 rw,relatime,vers=4.2,rsize=1048576,wsize=1048576,namlen=255,hard,proto=tcp,"
    "timeo=600,retrans=2,sec=sys,clientaddr=10.0.0.11,local_lock=none,addr=10.0.0.5 0 0\n"
)
MOUNTS = (
    "sysfs /sys sysfs rw,nosuid,nodev,noexec,relatime 0 0\n"
    "rpool/ROOT/pve-1 / zfs rw,relatime,xattr,posixacl,casesensitive 0 0\n"
    "/dev/sdb1 /mnt/a\\040disk ext4 rw,relatime 0 0\n"
)
STORAGES = """\
dir: local
\tpath /var/lib/vz
\tcontent iso,vztmpl,backup

zfspool: local-zfs
\tpool rpool/data
\tcontent images,rootdir

lvmthin: thin
\tvgname pve
\tthinpool data

nfs: nas
\texport /export/vm
\tpath /mnt/pve/nas
\tserver 10.0.0.5
\tcontent images
"""
LVS = """\
  {
      "report": [
          {
              "lv": [
                  {"vg_name":"pve", "lv_name":"data", "data_percent":"%s", "metadata_percent":"%s"}
              ]
          }
      ]
  }
"""
ZPOOL = """\
  pool: rpool
 state: ONLINE
  scan: scrub in progress since Sun Nov  8 00:24:02 2026
\t3.62T / 3.62T scanned, 378G issued at 540M/s, 3.62T total
\t0B repaired, 10.18% done, 01:44:01 to go
config:

\tNAME                                          STATE     READ WRITE CKSUM
\trpool                                         ONLINE       0     0     0
\t  mirror-0                                    ONLINE       0     0     0
\t    ata-Samsung_SSD_870_EVO_S6PNNM0TA1-part3  ONLINE       0     0     0
\t    ata-Samsung_SSD_870_EVO_S6PNNM0TA2-part3  ONLINE       0     0     0

errors: No known data errors

  pool: tank
 state: ONLINE
  scan: scrub repaired 0B in 02:05:42 with 0 errors on Sun Oct 11 02:29:44 2026
config:

\tNAME        STATE     READ WRITE CKSUM
\ttank        ONLINE       0     0     0
\t  sdb       ONLINE       0     0     0

errors: No known data errors
"""
BASE = {
    "/proc/sys/kernel/osrelease": "6.14.11-4-pve\n",
    "/proc/meminfo": MEMINFO,
    "/proc/swaps": SWAPS,
    "/proc/mounts": MOUNTS.replace("rpool/ROOT/pve-1 / zfs", "/dev/mapper/pve-root / ext4"),
    "/proc/sys/vm/swappiness": "60\n",
    "/sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
}
ZFS = {
    "/sys/module/zfs/version": "2.3.4-pve1\n",
    "/sys/module/zfs/parameters/zfs_arc_max": "0\n",
    "/sys/module/zfs/parameters/zfs_arc_min": "0\n",
    "/sys/module/zfs/parameters/zfs_dirty_data_max": "4294967296\n",
    "/proc/spl/kstat/zfs/arcstats": ARCSTATS.format(c_max=65785540 * 1024 - GIB),
}
MD = {
    "/proc/sys/dev/raid/speed_limit_max": "200000\n",
    "/sys/block/md0/md/sync_action": "idle\n",
    "/sys/block/md0/md/sync_speed_max": "200000 (system)\n",
}
DISK = {
    "/sys/block/sda/queue/wbt_lat_usec": "0\n",
    "/sys/block/sda/queue/rotational": "1\n",
    "/sys/block/sda/queue/scheduler": "none [mq-deadline] bfq\n",
    "/sys/block/dm-0/queue/wbt_lat_usec": "0\n",
    "/dev/sda": "a disk",
    "/dev/disk/by-id/ata-WDC_WD40-1": "-> ../../sda",
    "/dev/disk/by-id/wwn-0x5000c500a1b2c3d4": "-> ../../sda",
    "/dev/disk/by-id/wwn-0x5000c500a1b2c3d4-part1": "-> ../../sda1",
}
GUESTS = {
    "/etc/pve/local": "-> nodes/pve1",
    "/etc/pve/qemu-server": "-> local/qemu-server",
    "/etc/pve/nodes/pve1/qemu-server/101.conf": "name: web\nscsihw: virtio-scsi-single\nscsi0: nas:101/vm-101-disk-0.qcow2,size=8G\n",
    "/etc/pve/nodes/pve1/qemu-server/102.conf": "scsihw: virtio-scsi-single\nscsi0: nas:102/vm-102-disk-0.qcow2,iothread=1\n",
    "/etc/pve/nodes/pve1/qemu-server/103.conf": "scsi0: local-zfs:vm-103-disk-0\nide2: nas:iso/a.iso,media=cdrom\n",
    "/etc/pve/nodes/pve1/qemu-server/104.conf": "template: 1\nscsi0: nas:104/base-104-disk-0.qcow2\n",
    "/etc/pve/nodes/pve1/qemu-server/105.conf": "virtio0: /mnt/pve/nas/images/raw.img\n",
}
#: What must be changed by no other file, and what a boot sets.
SYSCTL_FILE = "/etc/sysctl.d/99-hypervisor-io-hardening-host.conf"
MODPROBE_FILE = "/etc/modprobe.d/zz-hypervisor-io-hardening.conf"
TMPFILES_FILE = "/etc/tmpfiles.d/zz-hypervisor-io-hardening.conf"


def host(root: Path, *parts: dict[str, str]) -> Path:
    """A tree with the base of every node and ``parts``: path on the host → text, or ``-> target`` of a link."""
    everything: dict[str, str] = {}
    for part in (BASE, *parts):
        everything.update(part)
    for path, text in everything.items():
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_symlink() or place.is_file():
            place.unlink()
        if text.startswith("-> "):
            place.symlink_to(text[3:])
        else:
            place.write_text(text)
    return root


def live(root: Path) -> Tree:
    """The tree, taken for the machine itself."""
    tree = Tree(str(root))
    tree.live = True
    return tree


def facts(root: Path, *parts: dict[str, str], **answers: tuple[int, str, str]):
    """The facts of a tree; with ``answers`` (``lvs``, ``zpool``: status, stdout, stderr) of a machine that gives them."""
    tree = live(host(root, *parts)) if answers else Tree(str(host(root, *parts)))
    return read_facts(tree, lambda arguments: answers[arguments[0]])
