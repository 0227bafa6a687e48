# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Tokens, and what they may. A token is never root@pam, whoever it belongs to."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import ApiError, denied

#: What the role Administrator has, as far as it matters here. Proxmox VE 8 also has VM.Monitor.
ADMINISTRATOR = """
    Datastore.Allocate Datastore.AllocateSpace Datastore.AllocateTemplate Datastore.Audit Permissions.Modify Pool.Allocate
    Pool.Audit Sys.AccessNetwork Sys.Audit Sys.Console Sys.Modify Sys.PowerMgmt Sys.Syslog VM.Allocate VM.Audit VM.Backup
    VM.Clone VM.Config.CDROM VM.Config.CPU VM.Config.Cloudinit VM.Config.Disk VM.Config.HWType VM.Config.Memory
    VM.Config.Network VM.Config.Options VM.Console VM.GuestAgent.Audit VM.Migrate VM.PowerMgmt VM.Snapshot
    VM.Snapshot.Rollback""".split()

#: Any of these opens the config of a guest for writing; each option then asks for its own.
CONFIG = ["VM.Config." + part for part in "Disk CDROM CPU Memory Network HWType Options Cloudinit".split()]

#: The paths that /access/permissions always looks at.
TOP = ("/", "/access", "/access/groups", "/nodes", "/pool", "/sdn", "/storage", "/vms")

_OPTIONS = {
    "VM.Config.CPU": "cores cpu runningcpu cpulimit cpuunits numa smp sockets vcpus",
    "VM.Config.Memory": "memory balloon shares allow-ksm",
    "VM.Config.HWType": "acpi hotplug kvm machine runningmachine scsihw smbios1 tablet vga watchdog audio0 rng0",
    "VM.Config.Options": """
        agent autostart bios description keyboard localtime migrate_downtime migrate_speed name onboot ostype protection
        reboot startdate startup tdf template""",
    "VM.PowerMgmt": "freeze",
    "VM.Config.Disk": "boot bootdisk vmstatestorage",
    "VM.Config.Network": "running-nets-host-mtu",
}
_CLOUDINIT = "cicustom cipassword citype ciuser ciupgrade nameserver searchdomain sshkeys".split()
#: Option, or its group (``net`` of ``net0``) → the privileges, one of which it needs.
_NEEDS = {
    **{option: [privilege] for privilege, options in _OPTIONS.items() for option in options.split()},
    **dict.fromkeys([*_CLOUDINIT, "ipconfig"], ["VM.Config.Cloudinit", "VM.Config.Network"]),
    "net": ["VM.Config.Network"],
    "tags": ["VM.Config.Options"],
}
#: What Proxmox VE asks for by its value, and nobody here sets.
_NOT_DONE = ("serial", "usb", "hostpci", "virtiofs")


@dataclass
class Token:
    """An API token: its secret, and what it may.

    ``acl``: path → privileges. They hold below the path as well, but for those that it maps to 0, and until a longer
    path has its own, or none (NoAccess). None is a token of an administrator.
    """

    secret: str
    acl: Mapping[str, Collection[str] | Mapping[str, int]] | None = None
    expired: bool = False


class Caller:
    """Who calls, by a token; what it may not raises ApiError."""

    def __init__(self, name: str, token: Token, qm: Any) -> None:
        self.name, self._token, self._qm = name, token, qm

    def at(self, qm: Any) -> Caller:
        """The same caller on the node that this ``qm`` stands for."""
        return Caller(self.name, self._token, qm)

    def permissions(self, path: str) -> dict[str, int]:
        """The privileges on a path, each with 1 where it holds below as well."""
        if self._token.acl is None:
            return dict.fromkeys(ADMINISTRATOR, 1)
        held: dict[str, int] = {}
        parts = [part for part in path.split("/") if part]
        for length in range(len(parts) + 1):
            own = self._token.acl.get("/" + "/".join(parts[:length]))
            if own is not None:
                flags = dict(own) if isinstance(own, Mapping) else dict.fromkeys(own, 1)
                here = {name: flag for name, flag in flags.items() if flag or length == len(parts)}
                held = here if here or not flags else held
        return held

    def may(self, path: str, *privileges: str) -> bool:
        """Whether it has one of these privileges on the path."""
        return not self.permissions(path).keys().isdisjoint(privileges)

    def check(self, path: str, *privileges: str) -> None:
        """One of these privileges is needed."""
        if not self.may(path, *privileges):
            raise denied(path, list(privileges))

    def effective(self, path: str | None) -> dict[str, dict[str, int]]:
        """What /access/permissions answers: path → privilege → whether it holds below as well."""
        if path:
            return {path: self.permissions(path)}
        found = {way: self.permissions(way) for way in {*TOP, *(self._token.acl or ())}}
        return {way: privileges for way, privileges in found.items() if privileges}

    # What the stand-in for qm asks before it stores an option.

    def set_options(self, vmid: str, keys: Iterable[str]) -> None:
        """Options of a guest; those of disks are asked for with their disk."""
        path = f"/vms/{vmid}"
        for key in keys:
            group = key.rstrip("0123456789")
            if self._qm.bus_of(key) or key == "cdrom" or group == "unused":
                continue
            if group in _NOT_DONE:
                raise ApiError(500, f"the stand-in does not set '{key}'\n")
            needed = _NEEDS.get(key) or _NEEDS.get(group) or (["VM.Config.CPU"] if group == "numa" else None)
            if needed is None:
                raise ApiError(500, f"only root can set '{key}' config\n")
            self.check(path, *needed)
            if key == "startup":
                self.check("/", "Sys.Modify")

    def use_volume(self, vmid: str, drive: Mapping[str, str]) -> None:
        """A volume of the guest itself needs nothing; that of another needs rights on both, and a path needs root."""
        volume = drive["file"]
        if volume in ("none", "cloudinit") or volume.endswith(":cloudinit"):
            return
        if volume == "cdrom":
            self.check("/", "Sys.Console")
            return
        if volume.startswith("/"):
            raise ApiError(
                500, "Only root can pass arbitrary filesystem paths. at /usr/share/perl5/PVE/Storage.pm line 651.\n"
            )
        storage, _colon, name = volume.partition(":")
        path, owner = f"/storage/{storage}", _owner(name)
        if name.replace(".", "").isdigit():
            self.check(path, "Datastore.AllocateSpace")
        elif owner == vmid or self.may(path, "Datastore.Allocate"):
            return
        elif owner is None:
            self.check(path, "Datastore.AllocateSpace", "Datastore.Audit")
        else:
            self.check(path, "Datastore.Audit")
            self.check(f"/vms/{owner}", "VM.Config.Disk")

    def set_drive(self, vmid: str, drive: Mapping[str, str]) -> None:
        """A drive is a disk, a CD-ROM, or one of cloud-init, which is a CD-ROM as well."""
        path = f"/vms/{vmid}"
        if self._qm.is_cloudinit(drive):
            self.check(path, "VM.Config.Cloudinit")
        self.check(path, "VM.Config.CDROM" if drive.get("media") == "cdrom" else "VM.Config.Disk")


def _owner(name: str) -> str | None:
    """The guest that a volume belongs to: of a linked clone, not that of its base."""
    found = re.findall(r"(?:vm|base|subvol)-(\d+)-", name)
    return found[-1] if found else None
