# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Volumes that Proxmox VE does not start a guest with, by their names and options and by storage.cfg alone.

From pve-storage 9.1.7 (``parse_volname`` of each plugin, Storage.pm ``activate_storage``) and qemu-server 9.2.6
(Blockdev.pm, Drive.pm ``get_path_and_format``, QemuServer.pm ``check_volume_storage_type`` and
``print_drive_commandline_full``), which find them only when the guest starts.
"""

from __future__ import annotations

import re

from .._model.records import Storage
from .drive import Drive

_IMAGE = r"(?!snap-[^\n]*\.qcow2\Z)[^/\s]+\.(?:raw|qcow2|vmdk|subvol)"
_SAFE = r"[ a-zA-Z0-9\-.+=_]+"
# The name of a directory's volume, by its content type.
_OF_A_DIRECTORY = {
    "images": rf"\d+/(?:{_IMAGE}/\d+/)?{_IMAGE}",
    "iso": r"iso/[^/]+\.(?i:iso|img)",
    "vztmpl": r"vztmpl/[^/]+\.(?i:tar(?:\.(?:gz|xz|zst|bz2))?)",
    "backup": r"backup/[^/]+\.(?:tgz|(?:tar|vma)(?:\.[a-z0-9]+)?)",
    "snippets": r"snippets/[^/]+",
    "import": rf"import/{_SAFE}(?:\.ova/{_SAFE}\.(?:qcow2|raw|vmdk)|\.(?:ova|ovf|qcow2|raw|vmdk))",
}
_FORMAT = re.compile(r"\.(raw|qcow2|vmdk|subvol)\Z", re.ASCII)
_LVM = r"(?=[a-zA-Z0-9][a-zA-Z0-9\-_.]*[a-zA-Z0-9]\Z)"
_DIRECTORIES = ("dir", "nfs", "cifs", "cephfs", "btrfs")


def _patterns(**named: str) -> dict[str, re.Pattern[str]]:
    return {content: re.compile(pattern, re.ASCII) for content, pattern in named.items()}


# The patterns of a type's volumes by their content, and an example for people.
_NAMES: dict[str, tuple[dict[str, re.Pattern[str]], str]] = {
    **dict.fromkeys(_DIRECTORIES, (_patterns(**_OF_A_DIRECTORY), "VMID/vm-VMID-disk-0.qcow2")),
    "lvm": (_patterns(images=rf"{_LVM}vm-\d+-\S+"), "vm-VMID-disk-0"),
    "lvmthin": (_patterns(images=rf"{_LVM}(?:vm|base)-\d+-\S+"), "vm-VMID-disk-0"),
    "rbd": (_patterns(images=r"(?:base-\d+-\S+/)?(?:base)?(?:vm)?-\d+-\S+"), "vm-VMID-disk-0"),
    **dict.fromkeys(
        ("zfs", "zfspool"),
        (_patterns(images=r"(?:(?:base|basevol)-\d+-\S+/)?(?:base|basevol|vm|subvol)-\d+-\S+"), "vm-VMID-disk-0"),
    ),
    "iscsi": (_patterns(images=r"\d+\.\d+\.\d+\.[^/\s]+"), "0.0.0.scsi-ID"),
    "iscsidirect": (_patterns(images=r"lun\d+"), "lun0"),
    "pbs": (
        _patterns(backup=r"backup/[^\s_/]+/[^\s_/]+/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
        "backup/vm/VMID/2026-01-31T00:00:00Z",
    ),
    "esxi": (_patterns(**{"import": r"[^/]+/[^/]+/.+\.vmx", "images": r"[^/]+/[^/]+/.+"}), "DATACENTER/DATASTORE/PATH"),
}


def fault(drive: Drive, storage: Storage | None, node: str | None = None, blockdev: bool = True) -> str | None:
    """Why Proxmox VE does not start a guest with this volume; None where it does, or where that cannot be known here.

    ``storage`` is the volume's storage as in docs/data.md, None for a path; ``node`` is the guest's, None where it is
    not known. ``blockdev``: the guest's disks reach QEMU as ``-blockdev``.
    """
    if drive.volume == "none" and drive.media == "disk":
        return "'none' is an empty drive, which needs media=cdrom; as a disk it has no image"
    if storage is None or storage["type"] is None:
        return None
    return _storage_fault(storage, node) or _volume_fault(drive, storage, blockdev)


def _storage_fault(storage: Storage, node: str | None) -> str | None:
    """Why Proxmox VE does not activate volumes of a storage (Storage.pm ``storage_check_enabled``)."""
    if storage["disabled"]:
        return f"storage {storage['id']} is disabled in storage.cfg"
    nodes = storage["nodes"]
    if node is not None and nodes is not None and node not in nodes:
        return f"storage {storage['id']} is not available on node {node}: its nodes are {', '.join(nodes) or 'none'}"
    return None


def _volume_fault(drive: Drive, storage: Storage, blockdev: bool) -> str | None:
    if storage["type"] not in _NAMES:
        return None
    name = drive.volume.split(":", 1)[1]
    patterns, example = _NAMES[storage["type"]]
    content = next((content for content, pattern in patterns.items() if pattern.fullmatch(name)), None)
    if content is None:
        return (
            f"storage {storage['id']} of type {storage['type']} has no volume '{name[:80]}'; its volumes are named like"
            f" {example}"
        )
    if content not in (held := storage["content"] or []):
        holds = ", ".join(held) or "none"
        return f"storage {storage['id']} does not allow content {content}, which this volume is; it allows {holds}"
    if content == "iso" and "media" not in drive.options:
        return "an ISO image without media=cdrom"
    if blockdev and content in ("vztmpl", "backup", "snippets"):
        return f"a volume of content {content} is not a disk"
    if content == "import" and not _FORMAT.search(name):
        return "a virtual machine to import is not a disk"
    if content == "import" and ".ova/" in name:
        return "an image inside an OVA is not a disk before it is imported"
    of_name = _format(name, storage["type"])
    if of_name == "subvol":
        return "a subvolume of a container is not a disk"
    given = drive.options.get("format") if drive.bus != "tpmstate" else None
    if of_name and given and given != of_name:
        return f"format={given}, but the volume's format on this storage is {of_name}"
    return None


def _format(name: str, kind: str) -> str | None:
    """The format of an image by its storage, None where only the newest versions know it."""
    if kind in _DIRECTORIES:
        match = _FORMAT.search(name)
        return match[1] if match else "raw" if name.startswith("iso/") else None
    if kind == "zfspool" and re.match(r"(?:\S+/)?(?:subvol|basevol)-", name):
        return "subvol"
    if kind == "lvm" and name.endswith(".qcow2"):
        return "qcow2"
    return "raw"
