# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Whether a disk's image can be opened with O_DIRECT, past the host's page cache, as cache none and directsync do.

QEMU does not start a guest if the image's file system refuses O_DIRECT. On btrfs and bcachefs with copy-on-write it
does, and a buffer that the guest changes in flight causes a checksum error. Only a file system's own host knows what it
supports.
"""

from __future__ import annotations

from ...module_utils._model.records import Disk
from .disks import after_restart

# Storage types whose images are files on a file system that supports direct I/O. A plain directory (dir) may lie on any
# file system.
_DIRECT_FILE_TYPES = ("nfs", "cifs", "cephfs", "glusterfs", "btrfs")
# File systems below a plain directory that support it, and are not probed because they may not answer.
_DIRECT_FILE_SYSTEMS = ("nfs", "nfs4", "cifs", "smb3", "ceph")


def takes_direct_io(disk: Disk, told: bool) -> bool | None:
    """True where the image's file system supports direct I/O, False where it does not, None where that is not known.

    ``told`` is what the policy says (``disk.direct_io``); it does not override what was probed. ``copy_on_write`` tells
    whether direct I/O is safe too.
    """
    filesystem = disk["filesystem"]
    if filesystem and filesystem["direct_io"] is not None:
        return filesystem["direct_io"]
    known = filesystem is not None and filesystem["type"] in _DIRECT_FILE_SYSTEMS
    return True if told or known or _not_a_plain_file(disk) else None


def copy_on_write(disk: Disk) -> bool:
    """True for an image that its file system copies on write, with checksums."""
    storage, filesystem = disk["storage"], disk["filesystem"]
    if storage and storage["type"] == "btrfs" and not storage["nocow"]:
        return True
    return bool(filesystem and filesystem["copy_on_write"])


def where(disk: Disk) -> str:
    """What the image lies on, in words for a sentence."""
    kind = disk["filesystem"] and disk["filesystem"]["type"]
    storage = disk["storage"]
    place = f"storage {storage['id']}" if storage else str(disk["volume"])
    return f"{kind} below {place}" if kind else f"the file system below {place}"


def _not_a_plain_file(disk: Disk) -> bool:
    now = after_restart(disk)
    if now is None or now["driver"] != "file":
        return now is not None and now["driver"] is not None
    return disk["storage"] is not None and disk["storage"]["type"] in _DIRECT_FILE_TYPES
