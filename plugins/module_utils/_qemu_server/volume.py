# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Volumes that Proxmox VE refuses to start a guest with, by their names and options alone.

From pve-storage 9.1.7 (``parse_volname`` of each plugin) and qemu-server 9.2.6 (Blockdev.pm, Drive.pm
``get_path_and_format``, QemuServer.pm ``print_drive_commandline_full``): all are found when the guest starts, none earlier.
"""

from __future__ import annotations

import re
from typing import Any

from .drive import Drive

_IMAGE = r"(?!snap-[^\n]*\.qcow2\Z)[^/\s]+\.(?:raw|qcow2|vmdk|subvol)"
_OF_A_DIRECTORY = re.compile(
    rf"\d+/(?:{_IMAGE}/\d+/)?{_IMAGE}"
    r"|iso/[^/]+\.(?i:iso|img)"
    r"|vztmpl/[^/]+|backup/[^/]+|snippets/[^/]+|import/.+",
    re.ASCII,
)
_ISO = re.compile(r"iso/[^/]+\.(?i:iso|img)", re.ASCII)
_FORMAT = re.compile(r"\.(raw|qcow2|vmdk|subvol)\Z", re.ASCII)
_LVM = r"(?=[a-zA-Z0-9][a-zA-Z0-9\-_.]*[a-zA-Z0-9]\Z)"
_DIRECTORIES = ("dir", "nfs", "cifs", "cephfs", "btrfs")
_NAMES = {
    **dict.fromkeys(_DIRECTORIES, (_OF_A_DIRECTORY, "VMID/vm-VMID-disk-0.qcow2")),
    "lvm": (re.compile(rf"{_LVM}vm-\d+-\S+", re.ASCII), "vm-VMID-disk-0"),
    "lvmthin": (re.compile(rf"{_LVM}(?:vm|base)-\d+-\S+", re.ASCII), "vm-VMID-disk-0"),
    "rbd": (re.compile(r"(?:base-\d+-\S+/)?(?:base)?(?:vm)?-\d+-\S+", re.ASCII), "vm-VMID-disk-0"),
    **dict.fromkeys(
        ("zfs", "zfspool"),
        (re.compile(r"(?:(?:base|basevol)-\d+-\S+/)?(?:base|basevol|vm|subvol)-\d+-\S+", re.ASCII), "vm-VMID-disk-0"),
    ),
    "iscsi": (re.compile(r"\d+\.\d+\.\d+\.[^/\s]+", re.ASCII), "0.0.0.scsi-ID"),
    "iscsidirect": (re.compile(r"lun\d+", re.ASCII), "lun0"),
}


def fault(drive: Drive, storage: dict[str, Any] | None) -> str | None:
    """Why Proxmox VE does not start a guest with this volume; None where it does, or where that cannot be told from here.

    ``storage`` is the volume's storage as in docs/data.md, None for a path.
    """
    if storage is None or storage["type"] not in _NAMES:
        return None
    name = drive.volume.split(":", 1)[1]
    pattern, example = _NAMES[storage["type"]]
    if not pattern.fullmatch(name):
        return f"storage {storage['id']} of type {storage['type']} has no volume '{name[:80]}'; its volumes are named like {example}"
    iso = storage["type"] in _DIRECTORIES and bool(_ISO.fullmatch(name))
    if iso and "media" not in drive.options:
        return "an ISO image without media=cdrom"
    of_name = _format(name, storage["type"])
    if of_name == "subvol":
        return "a subvolume of a container is not a disk"
    given = drive.options.get("format") if drive.bus != "tpmstate" else None
    if of_name and given and given != of_name:
        return f"format={given}, and the volume's format on this storage is {of_name}"
    return None


def _format(name: str, kind: str) -> str | None:
    """The format of an image as its storage tells it; None where only the newest versions could tell."""
    if kind in _DIRECTORIES:
        match = _FORMAT.search(name)
        return match[1] if match else "raw" if name.startswith("iso/") else None
    if kind == "zfspool" and re.match(r"(?:\S+/)?(?:subvol|basevol)-", name):
        return "subvol"
    if kind == "lvm" and name.endswith(".qcow2"):
        return "qcow2"
    return "raw"
