# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The options of a QEMU command line that say something about its guest and its disks. No I/O."""

from __future__ import annotations

import re
from typing import Any, overload

from .._text import visible
from .options import MAX_DEPTH, as_bool, parse_object, split_options, walk

# Options that give the guest a disk and that neither Proxmox VE nor libvirt writes; "" is a bare argument.
_NOT_READ = ("", "hda", "hdb", "hdc", "hdd", "sd", "mtdblock", "pflash")
_IMAGES = ("blockdev", "drive", "cdrom", *_NOT_READ)
# Properties of a -global that change what disks run with.
_OF_DISKS = ("iothread", "iothread-vq-mapping", "write-cache")
_WORDS = ("driver", "id", "drive", "bus")
_PATH = re.compile(r'/[^,"]+')
# A guest's id is from 100 to 999999999 (pve-common JSONSchema, pve-vmid).
_VMID = re.compile(r"[1-9][0-9]{2,8}\Z")
# No word that QEMU starts with is longer; a longer one is cut before it goes into a record.
_LONGEST_WORD = 255


class Collected:
    """What the options of one command line say, before it is put together."""

    def __init__(self) -> None:
        #: Block nodes by name.
        self.nodes: dict[str, dict[str, Any]] = {}
        self.drives: list[dict[str, str]] = []
        self.devices: list[dict[str, Any]] = []
        self.iothreads: list[str] = []
        self.settings: list[str] = []
        self.machine: dict[str, str] = {}
        self.name: dict[str, str] = {}
        self.chardevs: dict[str | None, str] = {}
        self.monitors: list[str | None] = []
        self.qmp: list[str | None] = []
        self.vmid: str | None = None
        self.by_libvirt = False
        #: -snapshot: writes go to temporary files.
        self.snapshot = False
        #: Something that is not understood changes what the disks run with.
        self.overridden = False
        self.paths: set[str] = set()
        self.problems: list[str] = []


def collect(argv: list[str]) -> Collected:
    """The options of an argument vector; what cannot be read is in ``problems``."""
    found = Collected()
    for option, value in walk(argv):
        if option == "snapshot":
            found.snapshot = True
        elif value is not None:
            if option not in _IMAGES:
                found.paths.update(filter(None, (path.rstrip("/") for path in _PATH.findall(value))))
            try:
                _take(found, option, value)
            except ValueError as error:
                found.problems.append(f"-{shorten(option)} cannot be read ({error}): {shorten(value)}")
    _apply_settings(found)
    return found


def _take(found: Collected, option: str, value: str) -> None:
    if option == "blockdev":
        _register(parse_object(value, "driver"), found.nodes)
    elif option == "drive":
        found.drives.append(split_options(value))
    elif option in _NOT_READ:
        named = f"-{option} {value}" if option else value
        found.problems.append(f"{shorten(named)} gives the guest a disk in a way that is not understood here")
    elif option == "device":
        found.devices.append(_device(parse_object(value, "driver")))
    elif option == "object":
        _take_object(found, parse_object(value, "qom-type"))
    elif option == "global":
        _take_global(found, value)
    elif option == "set":
        found.settings.append(value)
    elif option in ("machine", "M"):
        found.machine.update(split_options(value, "type"))
    elif option == "name":
        found.name.update(split_options(value, "guest"))
    elif option == "id":
        found.vmid = value if _VMID.match(value) else None
    else:
        _take_socket(found, option, value)


def _take_object(found: Collected, created: dict[str, Any]) -> None:
    name = created.get("id")
    found.by_libvirt = found.by_libvirt or name == "masterKey0"
    if created.get("qom-type") == "iothread" and isinstance(name, str):
        found.iothreads.append(cut(name))


def _take_global(found: Collected, value: str) -> None:
    """Those that Proxmox VE and libvirt write do not concern disks."""
    key = split_options(value).get("property") or value.partition("=")[0].partition(".")[2]
    if key in _OF_DISKS:
        found.overridden = True
        found.problems.append(f"-global {shorten(value)} is not understood here; what the disks run with is not known")


def _take_socket(found: Collected, option: str, value: str) -> None:
    if option == "chardev":
        chardev = split_options(value, "backend")
        if chardev.get("backend") == "socket" and "path" in chardev and as_bool(chardev.get("server"), False):
            found.chardevs[chardev.get("id")] = chardev["path"]
    elif option == "mon":
        monitor = split_options(value, "chardev")
        if monitor.get("mode") == "control":
            found.monitors.append(monitor.get("chardev"))
    elif option in ("qmp", "qmp-pretty") and value.startswith("unix:"):
        found.qmp.append(split_options(value[len("unix:") :], "path").get("path"))


def _device(options: dict[str, Any]) -> dict[str, Any]:
    # In JSON a word may be of any type; QEMU would have refused it, so such a key counts as absent.
    return {key: value for key, value in options.items() if isinstance(value, str) or key not in _WORDS}


def _register(node: Any, nodes: dict[str, dict[str, Any]]) -> None:
    """Every node that has a name can be referred to, one that is written inside another too."""
    for _level in range(MAX_DEPTH):
        if not isinstance(node, dict):
            return
        name = node.get("node-name")
        if isinstance(name, str):
            nodes[name] = node
        node = node.get("file")


def _apply_settings(found: Collected) -> None:
    """-set GROUP.ID.KEY=VALUE changes an option given before or after it."""
    items: dict[tuple[str, Any], dict[str, Any]] = {}
    for group, options in (("device", found.devices), ("drive", found.drives)):
        for item in options:
            # QEMU does not start with a second one of an id.
            items.setdefault((group, item.get("id")), item)
    for text in found.settings:
        path, _equals, value = text.partition("=")
        group, _dot, rest = path.partition(".")
        name, _dot, key = rest.partition(".")
        if (group, name) in items:
            items[group, name][key] = value


@overload
def cut(value: str, most: int = ...) -> str:
    """Of a text, a text."""


@overload
def cut(value: str | None, most: int = ...) -> str | None:
    """Of nothing, nothing."""


def cut(value: str | None, most: int = _LONGEST_WORD) -> str | None:
    """A value of at most so many characters."""
    return value if value is None or len(value) <= most else f"{value[: most - 3]}..."


def shorten(text: str) -> str:
    """A piece of a value for a message."""
    return visible(cut(text, 80))
