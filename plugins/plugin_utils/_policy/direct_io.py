# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Whether a disk's image can be opened past the host's page cache (O_DIRECT), as the cache modes none and directsync
do.

QEMU does not start a guest whose image's file system refuses O_DIRECT. On btrfs and bcachefs with copy-on-write it
does, and a buffer that the guest changes in flight makes a checksum error. What a file system is like only its own host
can tell.
"""

from __future__ import annotations

from typing import Any

# Storage types whose images are files, and whose file system takes direct I/O; Proxmox VE itself opens them so by
# default. A plain directory (dir) may lie on anything.
_DIRECT_FILE_TYPES = ("nfs", "cifs", "cephfs", "glusterfs", "btrfs")
# The same of file systems that are not looked at below a plain directory, because they may not answer.
_DIRECT_FILE_SYSTEMS = ("nfs", "nfs4", "cifs", "smb3", "ceph")


def takes_direct_io(disk: dict[str, Any], told: bool) -> bool | None:
    """True where the image's file system takes direct I/O, False where it does not, None where that is not known.

    ``told`` is the policy's word (``disk.direct_io``) for what cannot be looked at; it does not outweigh what was seen.
    Whether it is safe besides, ``copy_on_write`` tells.
    """
    filesystem = disk.get("filesystem") or {"type": None, "direct_io": None}
    if filesystem["direct_io"] is not None:
        return filesystem["direct_io"]
    return True if told or filesystem["type"] in _DIRECT_FILE_SYSTEMS or _not_a_plain_file(disk) else None


def copy_on_write(disk: dict[str, Any]) -> bool:
    """True for an image that its file system copies on write and keeps checksums of."""
    storage = disk["storage"] or {}
    return bool(
        (storage.get("type") == "btrfs" and not storage.get("nocow"))
        or (disk.get("filesystem") or {}).get("copy_on_write")
    )


def where(disk: dict[str, Any]) -> str:
    """What the image lies on, in words for a sentence."""
    kind = (disk.get("filesystem") or {}).get("type")
    storage = disk["storage"]
    place = f"storage {storage['id']}" if storage else str(disk["volume"])
    return f"{kind} below {place}" if kind else f"the file system below {place}"


def _not_a_plain_file(disk: dict[str, Any]) -> bool:
    now = disk["next"] or disk["effective"] or {}
    if now.get("driver") != "file":
        return now.get("driver") is not None
    return bool(disk["storage"]) and disk["storage"]["type"] in _DIRECT_FILE_TYPES
