# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A QEMU command line in, what its disks run with out. No I/O.

Understands what Proxmox VE (both of its forms, below and from machine version 10.0), libvirt and people
write: -blockdev, -drive, -hda and the like, -device and -object in either syntax, -set, -global.
Not seen from a command line: what was plugged in, out or moved by QMP after the start, and what
-readconfig files add. evidence.py holds the values against what the process has open.
"""

from __future__ import annotations

import re

from .._model.disk_io import cache_mode
from .._number import whole_number
from .._text import visible
from . import block
from .options import as_bool, parse_object, split_options, walk

# -hda and the like, as -drive options; their index decides the automatic name.
_SHORTHANDS = {
    "": {"index": "0"},
    "hda": {"index": "0"},
    "hdb": {"index": "1"},
    "hdc": {"index": "2"},
    "hdd": {"index": "3"},
    "cdrom": {"index": "2", "media": "cdrom"},
    "sd": {"if": "sd"},
    "mtdblock": {"if": "mtd"},
    "pflash": {"if": "pflash"},
}
# What a -drive that makes its own device is given. ide is the default of the usual machine types.
_OWN_DEVICES = {"virtio": "virtio-blk", "ide": "ide-hd", "scsi": "scsi-hd"}
_UNITS_PER_BUS = {"ide": 2, "scsi": 7}
_WORDS = ("driver", "id", "drive", "bus")
_IMAGES = ("blockdev", "drive", *_SHORTHANDS)
_PATH = re.compile(r'/[^,"]+')
# A guest's id is from 100 to 999999999 (pve-common JSONSchema, pve-vmid).
_VMID = re.compile(r"[1-9][0-9]{2,8}\Z")
# Nothing that QEMU starts with is longer; what is, is cut before it goes into a record.
_LONGEST_WORD = 255
_LONGEST_FILE = 4096
_VIRTIO_BLK = "virtio-blk"
_VIRTIO = re.compile(r"(virtio-(?:blk|scsi))(-(?:device|ccw|pci(?:-transitional|-non-transitional)?))?$")
_SCSI_DISKS = ("scsi-hd", "scsi-cd", "scsi-block", "scsi-generic", "scsi-disk")
_SCSI_CONTROLLERS = (
    "virtio-scsi",
    "vhost-scsi",
    "lsi",
    "megasas",
    "pvscsi",
    "mptsas",
    "am53c974",
    "dc390",
    "spapr-vscsi",
)


class _Collected:
    """The options of one command line that say something about disks."""

    def __init__(self):
        self.nodes = {}
        self.drives = []
        self.devices = []
        self.iothreads = []
        self.globals = []
        self.settings = []
        self.machine = {}
        self.name = {}
        self.chardevs = {}
        self.monitors = []
        self.qmp = []
        self.controllers = []
        self.controllers_without_id = []
        self.controller_of = {}
        self.vmid = None
        self.by_libvirt = False
        self.uuid = None
        self.snapshot = False
        self.paths = set()
        self.problems = []


def parse(argv):
    """What a QEMU argument vector (list of str) says about its guest.

    Returns ``{hypervisor, vmid, name, uuid, machine, thread_names, iothreads, qmp, paths, disks, problems}``:
    hypervisor   pve (it has Proxmox VE's own -id), libvirt (it has libvirt's master key), qemu (anything else)
    vmid         the value of Proxmox VE's own -id where it can be a guest's id, else null: what it says, which anybody
    can write name, uuid   null where not given
    machine      the machine type, for example "pc-q35-9.0+pve0", null where not given
    thread_names whether its threads were asked to carry names (debug-threads=on)
    iothreads    ids of the iothread objects, in the order they are created
    qmp          paths of QMP sockets that it listens on
    paths        what options other than drives name (logs, memory, shared folders): what is open there is no disk's
    image disks        list of {key, device, controller, file, format, overlay, runs}. The key is the device's id
    ("scsi0" on
                 Proxmox VE, "virtio-disk0" from libvirt), where it has none the drive's or node's name.
                 `controller` is the driver of its SCSI controller, null elsewhere. `overlay` is true where writes go
                 to a temporary overlay (snapshot=on), whose values `runs` are then. `runs` holds {driver, aio,
                 cache, cache_direct, cache_no_flush, iothread} as in docs/data.md, or is null where the
                 command line does not tell; `iothread` alone is null where it cannot be told which
                 controller the disk is on. Drives without a medium are left out.
    problems     sentences about what could not be understood
    """
    found = _collect(argv)
    _apply_settings(found)
    _index(found)
    return {
        "hypervisor": "pve" if found.vmid else "libvirt" if found.by_libvirt else "qemu",
        "vmid": found.vmid,
        "name": _cut(found.name.get("guest")),
        "uuid": _cut(found.uuid),
        "machine": _cut(found.machine.get("type")),
        "thread_names": bool(as_bool(found.name.get("debug-threads"), False)),
        "iothreads": found.iothreads,
        "paths": found.paths,
        "qmp": [path for path in found.qmp + [found.chardevs.get(name) for name in found.monitors] if path],
        "disks": _disks(found),
        "problems": found.problems,
    }


def _collect(argv):
    found = _Collected()
    for option, value in walk(argv):
        if option == "snapshot":
            found.snapshot = True
        elif value is not None:
            if option not in _IMAGES:
                found.paths.update(filter(None, (path.rstrip("/") for path in _PATH.findall(value))))
            try:
                _take(found, option, value)
            except ValueError as error:
                found.problems.append(f"-{_shorten(option)} cannot be read ({error}): {_shorten(value)}")
    return found


def _take(found, option, value):
    if option == "blockdev":
        node = parse_object(value, "driver")
        _register(node, found.nodes)
    elif option == "drive":
        found.drives.append(split_options(value))
    elif option in _SHORTHANDS:
        found.drives.append(dict(_SHORTHANDS[option], file=value))
    elif option == "device":
        found.devices.append(_device(parse_object(value, "driver")))
    elif option == "object":
        created = parse_object(value, "qom-type")
        found.by_libvirt = found.by_libvirt or created.get("id") == "masterKey0"
        if created.get("qom-type") == "iothread" and isinstance(created.get("id"), str):
            found.iothreads.append(_cut(created["id"]))
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
    elif option == "uuid":
        found.uuid = value
    elif option == "chardev":
        chardev = split_options(value, "backend")
        if chardev.get("backend") == "socket" and "path" in chardev and as_bool(chardev.get("server"), False):
            found.chardevs[chardev.get("id")] = chardev["path"]
    elif option == "mon":
        monitor = split_options(value, "chardev")
        if monitor.get("mode") == "control":
            found.monitors.append(monitor.get("chardev"))
    elif option in ("qmp", "qmp-pretty") and value.startswith("unix:"):
        found.qmp.append(split_options(value[len("unix:") :], "path").get("path"))


def _device(options):
    # In JSON a word may be anything; QEMU would have refused it, so such a key is as good as absent.
    return {key: value for key, value in options.items() if isinstance(value, str) or key not in _WORDS}


def _take_global(found, value):
    options = split_options(value)
    if {"driver", "property", "value"} <= set(options):
        found.globals.append((options["driver"], options["property"], options["value"]))
        return
    name, equals, setting = value.partition("=")
    driver, dot, key = name.partition(".")
    if equals and dot:
        found.globals.append((driver, key, setting))


def _register(node, nodes):
    """Every node that has a name can be referred to, the ones written inside another too."""
    for _level in range(block.MAX_DEPTH):
        if not isinstance(node, dict):
            return
        name = node.get("node-name")
        if isinstance(name, str):
            nodes[name] = node
        node = node.get("file")


def _apply_settings(found):
    """-set GROUP.ID.KEY=VALUE changes an option given before or after it."""
    items = {}
    for group, options in (("device", found.devices), ("drive", found.drives)):
        for item in options:
            # QEMU starts with no second one of an id.
            items.setdefault((group, item.get("id")), item)
    for text in found.settings:
        path, _equals, value = text.partition("=")
        group, _dot, rest = path.partition(".")
        name, _dot, key = rest.partition(".")
        if (group, name) in items:
            items[group, name][key] = value


def _index(found):
    """What each disk asks for, made once: a command line can have tens of thousands of them."""
    found.globals = {(driver, key): (position, value) for position, (driver, key, value) in enumerate(found.globals)}
    found.controllers = [one for one in found.devices if str(one.get("driver")).startswith(_SCSI_CONTROLLERS)]
    found.controller_of = {one["id"]: one for one in found.controllers if one.get("id")}
    found.controllers_without_id = [one for one in found.controllers if not one.get("id")]


def _disks(found):
    drives = {}
    own = []
    units = {}
    for options in found.drives:
        kind = options.get("if", "ide")
        name = options.get("id") or _automatic_name(options, kind, units)
        drives[name] = options
        if kind != "none":
            own.append((name, kind))
    disks = []
    used = set()
    for device in found.devices:
        name = device.get("drive")
        if isinstance(name, str):
            used.add(name)
            disks.append(_disk(found, drives, name, device))
    for name, kind in own:
        if name not in used:
            driver = _OWN_DEVICES.get(kind, kind)
            disks.append(_disk(found, drives, name, {"driver": driver}))
    for slot in ("pflash0", "pflash1"):
        if slot in found.machine:
            disks.append(_disk(found, drives, found.machine[slot], {"driver": "pflash"}))
    return [disk for disk in disks if disk is not None]


def _automatic_name(options, kind, units):
    number = whole_number(options.get("index") or options.get("unit") or "")
    number = units.get(kind, 0) if number is None else number
    units[kind] = number + 1
    media = "cd" if options.get("media") == "cdrom" else "hd"
    if kind in _UNITS_PER_BUS:
        bus, unit = divmod(number, _UNITS_PER_BUS[kind])
        return f"{kind}{bus}-{media}{unit}"
    return f"{kind}{number}"


def _disk(found, drives, name, device):
    driver = str(device.get("driver"))
    key = device.get("id") or (name[len("drive-") :] if name.startswith("drive-") else name)
    controller = _controller(found, driver, device)
    disk = {
        "key": _cut(key),
        "device": _cut(driver),
        "controller": None,
        "file": None,
        "format": None,
        "overlay": False,
        "runs": None,
    }
    if controller is not None:
        disk["controller"] = _cut(controller.get("driver"))
    if name in found.nodes:
        backend = block.resolve(name, found.nodes)
        problem = f"the block nodes of {_shorten(name)} lead nowhere"
    elif name in drives:
        try:
            backend = block.from_drive(drives[name], found.snapshot)
        except ValueError as error:
            backend, problem = None, f"its drive {_shorten(name)} cannot be read: {error}"
        else:
            if backend is None:
                return None
    else:
        backend, problem = None, f"its drive {_shorten(name)} is not on the command line"
    if backend is None:
        found.problems.append(f"disk {_shorten(disk['key'])}: {problem}; what it runs with is not known")
        return disk
    write_cache = as_bool(_setting(found, device, "write-cache"), backend.get("write_cache", True))
    disk.update(
        file=_cut(backend["file"], _LONGEST_FILE), format=backend["format"], overlay=backend.get("overlay", False)
    )
    disk["runs"] = {
        "driver": _cut(backend["driver"]),
        "aio": _cut(backend["aio"]),
        "cache": cache_mode(backend["direct"], backend["no_flush"], write_cache),
        "cache_direct": backend["direct"],
        "cache_no_flush": backend["no_flush"],
        "iothread": _iothread(found, driver, device, controller, disk["key"]),
    }
    return disk


def _setting(found, device, key):
    """The device's own option, else what -global says of its types, else of those of the device that it makes
    inside.
    """
    value = device.get(key)
    for types in _types(str(device.get("driver"))):
        if value is None:
            given = [found.globals[driver, key] for driver in types if (driver, key) in found.globals]
            value = max(given)[1] if given else None
    return value


def _types(driver):
    """The QEMU types that a -global may name for a device: its own with those it derives from, and those of its inner
    device.

    Of the same device the last -global holds, however general its type is; the outer device's hold over the inner's.
    Source: QEMU's qom/object.c (object_apply_global_props), hw/virtio/virtio-pci.c, and starts of QEMU 7.2.
    """
    virtio = _VIRTIO.match(driver)
    if virtio is None:
        base = "scsi-disk-base" if driver in _SCSI_DISKS else None
        return [{driver, base, f"{driver.partition('-')[0]}-device", "device"}]
    kind, transport = virtio.group(1), virtio.group(2) or "-pci"
    inner = {f"{kind}-device", f"{kind}-common", "virtio-device", "device"}
    if transport == "-device":
        return [inner]
    # The alias without a transport is that of the machine's usual one.
    own = {driver, f"{kind}{transport}"} if virtio.group(2) else {f"{kind}-pci", f"{kind}-ccw"}
    bus = transport.split("-")[1]
    return [own | {f"{kind}-{bus}-base", f"virtio-{bus}", f"virtio-{bus}-device", f"{bus}-device", "device"}, inner]


def _has_iothread(found, device):
    return bool(_setting(found, device, "iothread")) or bool(device.get("iothread-vq-mapping"))


def _iothread(found, driver, device, controller, key):
    if driver.startswith(_VIRTIO_BLK):
        return _has_iothread(found, device)
    if driver not in _SCSI_DISKS:
        return False
    if controller is None:
        found.problems.append(f"disk {_shorten(key)}: its SCSI controller, and so its iothread, is not known")
        return None
    return _has_iothread(found, controller)


def _controller(found, driver, device):
    """The SCSI controller's device options; None where there is none or several could be meant."""
    if driver not in _SCSI_DISKS:
        return None
    controllers = found.controllers
    bus = device.get("bus")
    if isinstance(bus, str):
        wanted = bus.rpartition(".")[0]
        if wanted in found.controller_of:
            return found.controller_of[wanted]
        # A controller without an id names its bus scsi.N itself.
        controllers = found.controllers_without_id if bus.startswith("scsi.") else []
    return controllers[0] if len(controllers) == 1 else None


def _cut(value, most=_LONGEST_WORD):
    text = None if value is None else str(value)
    return text if text is None or len(text) <= most else f"{text[: most - 3]}..."


def _shorten(text):
    return visible(_cut(text, 80))
