# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Plans as ``terraform show -json`` prints them, with the attributes of the providers' schemas.

No plan of these providers is public, so these are written from the schemas: bpg at d6bd1ff, Telmate at 225e289 and, for
2.9, at 02d4f64; dmacvicar/libvirt at v0.9.7 and, for 0.8, at v0.8.3. A plan lists every attribute of a resource, those that
are not set as null or with their default.
"""

from __future__ import annotations

import json

SOURCES = {
    "bpg": "registry.terraform.io/bpg/proxmox",
    "dmacvicar": "registry.terraform.io/dmacvicar/libvirt",
    "telmate": "registry.terraform.io/telmate/proxmox",
}


def plan(*changes, **members):
    """A plan's JSON; ``members`` are further ones of the top level."""
    whole = {
        "format_version": "1.2",
        "terraform_version": "1.12.2",
        "planned_values": {"root_module": {"resources": [{"address": change["address"]} for change in changes]}},
        "resource_changes": list(changes),
        "configuration": {"provider_config": {"proxmox": {"expressions": {"password": {"constant_value": "hunter2"}}}}},
        "timestamp": "2026-11-28T10:00:00Z",
        "applyable": True,
        "complete": True,
        "errored": False,
    }
    return json.dumps({**whole, **members})


def change(type, after, name="this", actions=("create",), unknown=None, sensitive=None, **more):
    """An entry of resource_changes; ``more`` are other keys, such as module_address, index and provider_name."""
    module = more.get("module_address")
    index = f"[{json.dumps(more['index'])}]" if "index" in more else ""
    source = SOURCES[{"proxmox_vm_qemu": "telmate", "libvirt_domain": "dmacvicar"}.get(type, "bpg")]
    return {
        "address": f"{module + '.' if module else ''}{type}.{name}{index}",
        "mode": "managed",
        "type": type,
        "name": name,
        "provider_name": source,
        "change": {
            "actions": list(actions),
            "before": None,
            "after": after,
            "after_unknown": unknown or {},
            "before_sensitive": False,
            "after_sensitive": sensitive or {},
        },
        **more,
    }


def bpg_disk(interface="scsi0", **given):
    """A block ``disk`` of bpg's virtual machine, with the provider's defaults."""
    return {
        "interface": interface,
        "aio": "io_uring",
        "backup": True,
        "cache": "none",
        "datastore_id": "local-lvm",
        "discard": "ignore",
        "file_format": None,
        "file_id": "",
        "import_from": "",
        "iothread": False,
        "path_in_datastore": None,
        "queues": 0,
        "replicate": True,
        "serial": "",
        "size": 8,
        "speed": [],
        "ssd": False,
        **given,
    }


def bpg_vm(*disks, **given):
    """The attributes of a ``proxmox_virtual_environment_vm`` that this collection may look at, and a secret."""
    return {
        "name": "web",
        "node_name": "pve1",
        "vm_id": 100,
        "scsi_hardware": "virtio-scsi-pci",
        "disk": list(disks),
        "clone": [],
        "kvm_arguments": None,
        "machine": None,
        "bios": "seabios",
        "operating_system": [{"type": "l26"}],
        "tags": None,
        "template": False,
        "reboot_after_update": True,
        "initialization": [{"user_account": [{"password": "hunter2", "username": "root", "keys": None}]}],
        **given,
    }


def bpg_clone(vm_id=9000, **given):
    """A block ``clone`` of bpg's virtual machine."""
    return {"vm_id": vm_id, "datastore_id": "", "node_name": "", "full": True, "retries": 1, **given}


def bpg_cloned(disk, **given):
    """A ``proxmox_virtual_environment_cloned_vm``; ``disk`` maps a slot to what is set of it."""
    unset = dict.fromkeys(
        ("aio", "backup", "cache", "datastore_id", "discard", "file", "format", "import_from", "iothread", "media")
    )
    return {
        "id": 101,
        "name": "clone",
        "node_name": "pve1",
        "tags": None,
        "clone": {"source_vm_id": 9000, "source_node_name": None, "target_datastore": None, "full": True},
        "disk": {slot: {**unset, **attributes} for slot, attributes in disk.items()},
        **given,
    }


GOOD = {"aio": "threads", "iothread": True}
SINGLE = {"scsi_hardware": "virtio-scsi-single"}


def telmate_disk(**given):
    """A disk in a nested slot of Telmate 3.x."""
    return {
        "asyncio": None,
        "backup": True,
        "cache": "",
        "discard": None,
        "emulatessd": None,
        "format": "raw",
        "iothread": None,
        "readonly": None,
        "serial": "",
        "size": "32G",
        "storage": "local-lvm",
        **given,
    }


def telmate_slots(bus, **slots):
    """The attribute ``disks`` of Telmate 3.x with these slots of a bus: ``scsi0={"disk": [...]}``."""
    empty = {"cdrom": [], "cloudinit": [], "disk": [], "ignore": None, "passthrough": []}
    count = {"ide": 4, "sata": 6, "scsi": 31, "virtio": 16}[bus]
    all_slots = {f"{bus}{number}": [] for number in range(count)}
    all_slots.update({slot: [{**empty, **kinds}] for slot, kinds in slots.items()})
    return [{**{name: [] for name in ("ide", "sata", "scsi", "virtio")}, bus: [all_slots]}]


def telmate_flat(slot="scsi0", **given):
    """A block ``disk`` of Telmate 3.x."""
    return {
        **telmate_disk(),
        "disk_file": None,
        "iso": None,
        "passthrough": False,
        "slot": slot,
        "type": "disk",
        **given,
    }


def telmate_vm(**given):
    """The attributes of a ``proxmox_vm_qemu`` of 3.x that this collection may look at, and a secret."""
    return {
        "name": "web",
        "target_node": "pve1",
        "vmid": 100,
        "scsihw": "lsi",
        "disk": [],
        "disks": [],
        "clone": None,
        "clone_id": None,
        "args": None,
        "machine": None,
        "bios": "seabios",
        "qemu_os": None,
        "tags": None,
        "automatic_reboot": True,
        "cipassword": "hunter2",
        **given,
    }


def old_disk(**given):
    """A block ``disk`` of Telmate 2.9."""
    return {
        "aio": None,
        "backup": True,
        "cache": "none",
        "discard": None,
        "file": None,
        "format": None,
        "iothread": 0,
        "size": "32G",
        "slot": 0,
        "ssd": 0,
        "storage": "local-lvm",
        "type": "scsi",
        "volume": None,
        **given,
    }


def old_vm(*disks, **given):
    """The attributes of a ``proxmox_vm_qemu`` of 2.9, which has no ``disks``."""
    attributes = telmate_vm(disk=list(disks), **given)
    return {key: value for key, value in attributes.items() if key not in ("disks", "clone_id", "automatic_reboot")}


def domain_disk(dev="vda", source=None, driver=None, **given):
    """An object in ``devices.disks`` of a ``libvirt_domain`` of 0.9; ``driver`` are the attributes that are set in it."""
    options = ("name", "type", "cache", "io", "io_thread", "io_threads", "discard", "queues", "error_policy")
    kinds = ("file", "block", "volume", "network", "dir", "nvme", "vhost_user", "vhost_vdpa")
    found = source or {"file": {"file": "/var/lib/libvirt/images/web.qcow2", "fd_group": None, "sec_label": None}}
    return {
        "alias": None,
        "address": None,
        "boot": None,
        "device": None,
        "driver": None if driver is None else {**dict.fromkeys(options), **driver},
        "read_only": None,
        "serial": None,
        "shareable": None,
        "source": {**dict.fromkeys(kinds), **found},
        "target": {"dev": dev, "bus": None, "removable": None, "rotation_rate": None, "tray": None},
        "transient": None,
        "wwn": None,
        **given,
    }


def domain_controller(driver=None, **given):
    """An object in ``devices.controllers`` of a ``libvirt_domain`` of 0.9."""
    options = ("io_thread", "io_threads", "queues", "cmd_per_lun", "max_sectors")
    return {
        "type": "scsi",
        "model": "virtio-scsi",
        "index": None,
        "driver": None if driver is None else {**dict.fromkeys(options), **driver},
        **given,
    }


def domain(*disks, controllers=None, **given):
    """The attributes of a ``libvirt_domain`` of 0.9 that this collection may look at, and a secret."""
    return {
        "name": "web",
        "type": "kvm",
        "memory": 2,
        "memory_unit": "GiB",
        "vcpu": 2,
        "running": True,
        "autostart": None,
        "io_threads": None,
        "io_thread_i_ds": None,
        "default_io_thread": None,
        "os": {"type": "hvm", "type_arch": "x86_64", "type_machine": "q35"},
        "devices": {
            "disks": list(disks) or None,
            "controllers": controllers,
            "graphics": [{"vnc": {"passwd": "hunter2"}}],
        },
        **given,
    }


def old_domain_disk(**given):
    """A block ``disk`` of a ``libvirt_domain`` of 0.8."""
    return {
        "block_device": "",
        "file": "",
        "scsi": False,
        "url": "",
        "volume_id": "",
        "wwn": None,
        **given,
    }


def old_domain(*disks, **given):
    """The attributes of a ``libvirt_domain`` of 0.8 that this collection may look at, and a secret."""
    return {
        "name": "web",
        "type": "kvm",
        "arch": None,
        "machine": None,
        "cloudinit": None,
        "coreos_ignition": "",
        "disk": list(disks),
        "metadata": "hunter2",
        "running": True,
        "xml": [],
        **given,
    }
