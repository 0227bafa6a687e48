# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The settings Proxmox VE knows, and which values of them it rejects when it reads a config.

From qemu-server 9.2.6: ``confdesc`` and ``check_type`` of QemuServer.pm. A rejected line is skipped with a warning, and
is gone after the next write, which succeeds.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .drive import BUSES, DriveError, read_options
from .drive_options import shown

_BOOLEAN = frozenset(
    "onboot autostart reboot numa keephugepages acpi kvm tdf localtime freeze template tablet protection allow-ksm"
    " ciupgrade".split()
)
_INTEGER = frozenset("cpuunits balloon shares smp sockets cores vcpus migrate_speed snaptime".split())
_NUMBER = frozenset(("cpulimit", "migrate_downtime"))
_TEXT = frozenset(
    """
    affinity agent amd-sev arch args bios boot bootdisk cdrom cicustom cipassword citype ciuser cpu description
    hookscript hotplug hugepages intel-tdx ivshmem keyboard lock machine memory meta name nameserver ostype parent
    running-nets-host-mtu runningcpu runningmachine scsihw searchdomain smbios1 spice_enhancements sshkeys startdate
    startup tags vga vmgenid vmstate vmstatestorage watchdog
    """.split()
)
_NUMBERED = {
    **BUSES,
    "unused": 255,
    "net": 31,
    "ipconfig": 31,
    "numa": 7,
    "hostpci": 15,
    "usb": 13,
    "serial": 3,
    "parallel": 2,
    "audio": 0,
    "rng": 0,
    "virtiofs": 9,
}
_KEY = re.compile(r"^([a-z]+?)(\d+)$", re.ASCII)

_PATTERNS = {
    **dict.fromkeys(_BOOLEAN, (re.compile(r"^(1|on|yes|true|0|off|no|false)$", re.ASCII | re.IGNORECASE), "1 or 0")),
    **dict.fromkeys(_INTEGER, (re.compile(r"^\d+$", re.ASCII), "a whole number")),
    **dict.fromkeys(_NUMBER, (re.compile(r"^\d+(\.\d+)?$", re.ASCII), "a number such as 1.5")),
}
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9\-]*[a-zA-Z0-9])?"
_NAME = re.compile(rf"^(?:{_LABEL}\.)*{_LABEL}$", re.ASCII)
_TAG = re.compile(r"^[a-z0-9_][a-z0-9_\-+.]*$", re.ASCII | re.IGNORECASE)
_TAG_SEPARATOR = re.compile(r"[,;\s\0]+", re.ASCII)


def known(key: str) -> bool:
    """True for the settings of qemu-server 9.2.6. Another one may be newer: only ``qm`` itself knows."""
    return key in _TEXT or key in _PATTERNS or _numbered(key) is not None


def is_whole_number(key: str) -> bool:
    """True for a setting that Proxmox VE reads as a whole number, and writes without leading zeros (check_type)."""
    return key in _INTEGER


# A fleet has a hundred different keys, on very many lines.
@lru_cache(maxsize=1024)
def _numbered(key: str) -> bool | None:
    """True for a numbered setting, False for one whose number is too high, None for anything else."""
    match = _KEY.match(key)
    if not match or match[1] not in _NUMBERED:
        return None
    # A setting's number has up to three digits, and Python refuses to read one of thousands of digits.
    return len(match[2]) < 4 and int(match[2]) <= _NUMBERED[match[1]] and str(int(match[2])) == match[2]


def rejected(key: str, value: str) -> str | None:
    """Why Proxmox VE rejects a line, None where it accepts it, as far as this collection knows.

    Checks types, names, tags and the numbers of settings. drive.parse checks drives; the formats of other settings
    (net0 and the like) are not checked.
    """
    if "\r" in value and key not in ("args", "delete"):
        return f"the value of '{key}' contains a carriage return"
    if key == "smp":
        return "'smp' is obsolete and is dropped on every write; use 'sockets'"
    if key in _PATTERNS:
        pattern, words = _PATTERNS[key]
        return None if pattern.match(value) else f"'{key}' takes {words}"
    if _numbered(key) is False:
        return f"there is no setting '{shown(key)}'"
    if key.startswith("unused") and _numbered(key):
        return _volume_fault(value)
    if key == "name" and not _NAME.match(value):
        return "'name' takes letters, digits, hyphens and dots"
    if key == "tags" and not all(_TAG.match(tag) for tag in _TAG_SEPARATOR.split(value) if tag):
        return "'tags' takes letters, digits and _ - + ."
    return None


def _volume_fault(value: str) -> str | None:
    try:
        read_options("unused", value)
    except DriveError as exc:
        return str(exc)
    return None
