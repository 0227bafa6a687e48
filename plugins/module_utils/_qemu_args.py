# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What in arguments that somebody adds to QEMU's command line touches disks. No I/O.

Options and devices are QEMU's (qemu(1), ``-device help``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

_GIVES_A_DISK = frozenset("drive blockdev hda hdb hdc hdd cdrom fda fdb mtdblock pflash sd".split())
# Options without a value: a word after them is a disk image.
_ALONE = frozenset(
    """
    snapshot nodefaults no-user-config nographic enable-kvm S no-reboot no-shutdown no-acpi no-hpet no-fd-bootchk
    full-screen daemonize only-migratable preconfig win2k-hack singlestep mem-prealloc no-quit h help version
    usb s portrait semihosting async-teardown enable-fips old-param alt-grab ctrl-grab
    """.split()
)
_DISK_DEVICE = re.compile(
    r"(scsi-(hd|cd|disk|block|generic)|ide-(hd|cd|drive|cf)|(vhost-user-|virtio-)blk\b.*|vhost-(user-)?scsi\b.*"
    r"|nvme(-ns)?|usb-(storage|bot|uas)|floppy|sd-card(-spi)?|emmc|nvdimm|virtio-pmem\b.*)\Z",
    re.ASCII,
)
_CONTROLLER = re.compile(
    r"(virtio-scsi\b.*|virtio-blk\b.*|lsi53c\w+|lsi|megasas\b.*|mptsas\w+|pvscsi|am53c974|dc390|(ich9-)?ahci|isa-fdc|piix[34]-ide)\Z",
    re.ASCII,
)
_SHOWN = 200
_MOST = 20


class Said(NamedTuple):
    """One thing that touches disks: its words, what they do, and the guest's disk that they change, or None."""

    words: str
    does: str
    disk: str | None


def touching_disks(
    words: Sequence[str], disk_of: Callable[[str], str | None], is_controller: Callable[[str], bool]
) -> list[Said]:
    """What in added arguments gives the guest disks, or changes those it has; in their order.

    ``disk_of`` tells the key of the disk whose device has an id, None where none has; ``is_controller`` whether a
    controller of disks has it.
    """
    found = []
    at = 0
    while at < len(words):
        word, value = words[at], words[at + 1] if at + 1 < len(words) else ""
        option = _option(word)
        if option is None:
            found.append(Said(word[:_SHOWN], "gives QEMU a disk that is not judged", None))
            at += 1
            continue
        alone = option in _ALONE or _option(value) is not None or not value
        said = _said(option, "" if alone else value, disk_of, is_controller)
        if said:
            words_said = word if alone else f"{word} {value}"
            found.append(Said(words_said[:_SHOWN], *said))
        at += 1 if alone else 2
    more = len(found) - _MOST
    return found if more <= 0 else [*found[:_MOST], Said("…", f"does {more} more such things", None)]


def _option(word: str) -> str | None:
    """The option that a word is, with one or two hyphens; None for other words."""
    if len(word) < 2 or word[0] != "-":
        return None
    return (word[2:] if word.startswith("--") else word[1:]).split("=", 1)[0]


def _said(
    option: str, value: str, disk_of: Callable[[str], str | None], is_controller: Callable[[str], bool]
) -> tuple[str, str | None] | None:
    if option in _GIVES_A_DISK:
        return "gives QEMU a disk that is not judged", None
    if option == "usbdevice" and value.startswith("disk:"):  # up to QEMU 2.12
        return "gives QEMU a disk that is not judged", None
    if option == "device" and _DISK_DEVICE.match(_driver(value)):
        return "gives the guest a disk that is not judged", None
    if option == "snapshot":
        return "sends the guest's writes to temporary files, which are lost when it stops", None
    if option == "readconfig":
        return "reads a file that can hold disks and is not judged", None
    if option == "set":
        return _set(value, disk_of, is_controller)
    if option == "global" and _concerns_disks(_global(value)):
        return "changes what all disks or controllers of a kind run with", None
    return None


def _driver(value: str) -> str:
    """The driver of a ``-device``, in QEMU's two forms."""
    if value.startswith("{"):
        try:
            return str(json.loads(value, parse_int=str).get("driver"))
        except (ValueError, RecursionError):
            return ""
    first = value.split(",", 1)[0]
    named = [part[len("driver=") :] for part in value.split(",") if part.startswith("driver=")]
    return named[0] if named else first


def _global(value: str) -> str:
    named = [part[len("driver=") :] for part in value.split(",") if part.startswith("driver=")]
    return named[0] if named else value.split(".", 1)[0]


def _concerns_disks(driver: str) -> bool:
    return bool(_DISK_DEVICE.match(driver) or _CONTROLLER.match(driver))


def _set(
    value: str, disk_of: Callable[[str], str | None], is_controller: Callable[[str], bool]
) -> tuple[str, str | None] | None:
    """``-set group.id.option=value``: the group ``drive`` holds disks, ``device`` holds everything."""
    group, _dot, rest = value.partition(".")
    name = rest.split("=", 1)[0].rpartition(".")[0]
    disk = disk_of(name[len("drive-") :] if name.startswith("drive-") else name)
    if group in ("drive", "device") and disk is not None:
        return f"changes {disk} after its line is read: what is judged here is not what QEMU gets", disk
    if group in ("drive", "blockdev") or (group == "device" and is_controller(name)):
        return "changes a disk or its controller after the guest's lines are read", None
    return None
