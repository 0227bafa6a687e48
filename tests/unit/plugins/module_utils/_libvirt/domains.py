# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Domains of every kind and in every form that people and programs write, made from random choices."""

from __future__ import annotations

import random
from typing import NamedTuple

LETTERS = "abcdefghijklmnop"
BUSES = {"virtio": "vd", "scsi": "sd", "sata": "sd", "ide": "hd", "usb": "sd", "fdc": "fd"}
OTHERS = [
    ("discard", "unmap"),
    ("error_policy", "stop"),
    ("detect_zeroes", "on"),
    ("queues", "4"),
    ("copy_on_read", "on"),
    ("iommu", "on"),
    ("queue_size", "256"),
    ("event_idx", "on"),
]
OF_CONTROLLERS = [("queues", "4"), ("cmd_per_lun", "8"), ("max_sectors", "512"), ("ioeventfd", "on"), ("ats", "on")]
# As libvirt prints them: domain_conf.c.
ORDER = {
    "disk": "name type cache error_policy rerror_policy io ioeventfd event_idx copy_on_read discard iothread"
    " detect_zeroes queues queue_size iommu",
    "controller": "queues cmd_per_lun max_sectors ioeventfd iothread ats",
}
# What libvirt has in front of a definition in /etc/libvirt/qemu (virXMLEmitWarning, virxml.c).
ON_DISK = """<!--
WARNING: THIS IS AN AUTO-GENERATED FILE. CHANGES TO IT ARE LIKELY TO BE
OVERWRITTEN AND LOST. Changes to this xml configuration should be made using:
  virsh edit web
or other application using the libvirt API.
-->

"""
AIO = ["native", "threads", "io_uring"]
CACHE = ["none", "writeback", "writethrough", "directsync", "unsafe"]


class Made(NamedTuple):
    """A domain's text, the buses of its disks by their targets, the ids of its iothreads, and whether a person wrote it
    as libvirt would not.
    """

    text: str
    buses: dict[str, str]
    ids: list[int]
    by_hand: bool


class _Writer:
    """Writes elements in one form."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.line = chance.choice(["\n", "\n", "\n", "\r\n", ""])
        self.unit = chance.choice(["  ", "  ", "    ", "\t"]) if self.line else ""
        self.quote = chance.choice(["'", "'", '"'])
        self.slash = chance.choice(["/>", "/>", " />"])
        self.by_hand = chance.random() < 0.5
        self.long = bool(self.line) and self.by_hand and chance.random() < 0.3

    def tag(self, name, attributes, level):
        gap = f"{self.line}{self.unit * (level + 2)}" if self.long and len(attributes) > 2 else " "
        quotes = [self.quote if not self.by_hand or self.chance.random() < 0.8 else "'" for _attribute in attributes]
        equals = "=" if not self.by_hand or self.chance.random() < 0.9 else " = "
        return (
            "<"
            + name
            + "".join(f"{gap}{key}{equals}{mark}{value}{mark}" for mark, (key, value) in zip(quotes, attributes))
        )

    def element(self, level, name, attributes=(), children=(), text=None):
        """An element on lines of its own; children are functions of their level."""
        lead = f"{self.line}{self.unit * level}" if level else ""
        if self.by_hand and self.chance.random() < 0.1:
            lead += f"<!-- io='native' iothread='9' é {self.chance.random()} -->"
            lead += f"{self.line}{self.unit * level}" if self.chance.random() < 0.7 else ""
        start = lead + self.tag(name, attributes, level)
        if text is not None:
            return f"{start}>{text}</{name}>"
        if not children:
            return start + self.slash
        inside = "".join(child(level + 1) for child in children)
        return f"{start}>{inside}{self.line}{self.unit * level}</{name}>"

    def later(self, name, attributes=(), children=(), text=None):
        return lambda level: self.element(level, name, attributes, children, text)

    def shuffled(self, attributes, of):
        if not self.by_hand:
            return sorted(attributes, key=lambda attribute: ORDER[of].split().index(attribute[0]))
        return self.chance.sample(attributes, len(attributes)) if self.chance.random() < 0.5 else attributes


def domain(chance: random.Random) -> Made:
    """A domain that libvirt would take, or that a person wrote for it."""
    write = _Writer(chance)
    count = chance.choice([None, None, 0, 1, 2, 3, 5])
    listed = []
    if count is not None and chance.random() < 0.5:
        listed = chance.sample([1, 2, 3, 4, 6, 7, 9, 400, 4294967295], chance.choice([1, 2, 3, count or 1]))
        count = chance.choice([len(listed), len(listed), len(listed), count, None, len(listed) + 2])
    total = max(count or 0, len(listed))
    free = [each for each in range(1, total + 1) if each not in listed]
    ids = [*listed, *free][:total]
    models = {
        index: chance.choice(["virtio-scsi"] * 5 + ["virtio-transitional", "lsilogic", None])
        for index in range(chance.choice([0, 1, 1, 2, 3]))
    }
    buses: dict[str, str] = {}
    disks = [_disk(write, buses, ids, len(models)) for _number in range(chance.choice([0, 1, 1, 2, 3, 5, 8]))]
    controllers = [_controller(write, index, model, ids, len(models)) for index, model in models.items()]
    if write.by_hand and controllers and chance.random() < 0.2:
        controllers.pop()
    devices = [*disks, *controllers, write.later("emulator", text="/usr/bin/qemu-system-x86_64")]
    devices.append(
        write.later(
            "graphics", [("type", "vnc"), ("port", "-1"), ("passwd", "driver io='native'".replace("'", "&apos;"))]
        )
    )
    if write.by_hand:
        chance.shuffle(devices)
    head = [write.later("name", text=chance.choice(["web", "web é 𝄞", "a &lt;b&gt; &amp; {{ c }}", "x&quot;y"]))]
    if chance.random() < 0.5:
        head.append(
            write.later(
                "metadata",
                children=[
                    write.later(
                        "a:b",
                        [("xmlns:a", "http://a/"), ("io", "native")],
                        [write.later("driver", [("io", "native"), ("cache", "none")])],
                    )
                ],
            )
        )
    head.append(write.later("memory", [("unit", "KiB")], text="131072"))
    if not write.by_hand or chance.random() < 0.8:
        head.append(write.later("vcpu", [("placement", "static")], text="2"))
    head += _iothreads(write, count, listed)
    tail = [
        write.later("os", children=[write.later("type", [("arch", "x86_64"), ("machine", "pc-q35-7.2")], text="hvm")])
    ]
    if ids and chance.random() < 0.3:
        tail.insert(
            0,
            write.later(
                "cputune",
                children=[write.later("iothreadpin", [("iothread", str(chance.choice(ids))), ("cpuset", "0")])],
            ),
        )
    tail.append(write.later("devices", children=devices))
    root = [("type", "qemu")]
    if chance.random() < 0.3:
        root.append(("xmlns:qemu", "http://libvirt.org/schemas/domain/qemu/1.0"))
        tail.append(
            write.later("qemu:commandline", children=[write.later("qemu:arg", [("value", "-object iothread,id=x")])])
        )
    starts = ["", "\ufeff", "<?xml version='1.0' encoding='UTF-8'?>\n"] if write.by_hand else ["", ON_DISK]
    start = chance.choice(starts)
    text = start + write.element(0, "domain", root, head + tail) + chance.choice(["\n", ""])
    return Made(text, buses, ids, write.by_hand)


def _iothreads(write, count, listed):
    found = []
    if count is not None:
        blank = write.chance.choice(["", "", "", " "])
        found.append(write.later("iothreads", text=f"{blank}{count}"))
    if listed:
        found.append(write.later("iothreadids", children=[_iothread(write, each) for each in listed]))
    return found


def _iothread(write, number):
    attributes = [("id", str(number))]
    if write.chance.random() < 0.2:
        attributes.append(("thread_pool_max", "8"))
    poll = [write.later("poll", [("max", "123")])] if write.chance.random() < 0.1 else []
    return write.later("iothread", attributes, poll)


def _disk(write, buses, ids, controllers):
    chance = write.chance
    bus = chance.choice(["virtio", "virtio", "virtio", "scsi", "scsi", "scsi", *BUSES])
    target = next(f"{BUSES[bus]}{letter}" for letter in LETTERS if f"{BUSES[bus]}{letter}" not in buses)
    buses[target] = bus
    kind = chance.choice(["file", "block", "network", "volume"])
    device = {"fdc": "floppy"}.get(bus) or chance.choice(["disk", "disk", "disk", "lun", "cdrom"])
    attributes = [("name", "qemu"), ("type", chance.choice(["raw", "qcow2"]))]
    if chance.random() < 0.5:
        attributes.append(("cache", chance.choice([*CACHE, "default"] if write.by_hand else CACHE)))
    if chance.random() < 0.5:
        attributes.append(("io", chance.choice(AIO)))
    mapped = bus == "virtio" and ids and chance.random() < 0.1
    if bus == "virtio" and ids and not mapped and chance.random() < 0.4:
        attributes.append(("iothread", str(chance.choice(ids))))
    attributes += chance.sample(OTHERS, chance.choice([0, 0, 1, 3]))
    inside = []
    if chance.random() < 0.1:
        inside.append(
            write.later("metadata_cache", children=[write.later("max_size", [("unit", "bytes")], text="1234")])
        )
    if mapped:
        mapping = [write.later("iothread", [("id", str(each))]) for each in set(chance.sample(ids, min(2, len(ids))))]
        inside.append(write.later("iothreads", children=mapping))
    children = []
    if not write.by_hand or chance.random() < 0.7 or inside:
        children.append(write.later("driver", write.shuffled(attributes, "disk"), inside))
    children.append(write.later("source", [("file", f"/images/{target} 'é'.qcow2".replace("'", "&apos;"))]))
    named = (
        [("dev", target)]
        if write.by_hand and bus == {"vd": "virtio", "hd": "ide"}.get(target[:2]) and chance.random() < 0.3
        else [("dev", target), ("bus", bus)]
    )
    children.append(write.later("target", named))
    if bus == "scsi" and controllers and chance.random() < 0.8:
        children.append(
            write.later(
                "address",
                [
                    ("type", "drive"),
                    ("controller", str(chance.randrange(controllers))),
                    ("bus", "0"),
                    ("target", "0"),
                    ("unit", "0"),
                ],
            )
        )
    if write.by_hand and chance.random() < 0.3:
        chance.shuffle(children)
    return write.later("disk", [("type", kind), ("device", device)], children)


def _controller(write, index, model, ids, controllers):
    chance = write.chance
    attributes = [("type", "scsi")]
    if not (write.by_hand and controllers == 1 and chance.random() < 0.2):
        attributes.append(("index", str(index)))
    if model:
        attributes.append(("model", model))
    driver = chance.sample(OF_CONTROLLERS, chance.choice([0, 0, 1, 2]))
    if ids and model and model.startswith("virtio") and chance.random() < 0.4:
        driver.append(("iothread", str(chance.choice(ids))))
    children = [write.later("driver", write.shuffled(driver, "controller"))] if driver else []
    if not write.by_hand or chance.random() < 0.5:
        children.append(write.later("address", [("type", "pci"), ("slot", "0x05")]))
    return write.later("controller", attributes, children)


def wanted(chance: random.Random, made: Made) -> dict[str, dict[str, object]]:
    """What a plan may ask for of such a domain."""
    found: dict[str, dict[str, object]] = {}
    gets = chance.random() < 0.9
    for target, bus in made.buses.items():
        options: dict[str, object] = {}
        if chance.random() < 0.6:
            options["aio"] = chance.choice([*AIO, None])
        if chance.random() < 0.6:
            options["cache"] = chance.choice([*CACHE, None])
        if chance.random() < (0.7 if bus in ("virtio", "scsi") else 0.02):
            options["iothread"] = True if gets else chance.choice([True, False, None])
        if options:
            found[target] = options
    if chance.random() < 0.3:
        found["guest"] = {"iothreads": max(chance.choice([1, 2, 4, 8]), len(made.ids))}
    return found
