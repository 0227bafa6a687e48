# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The domain XML that a provider of libvirt gives libvirt for a resource: as much of it as decides about disks."""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

#: Where a disk's image is, of which the place is known only after apply.
NEW = "a new volume"


def element(tag: str, /, *children: Element | None, text: str | None = None, **attributes: str | None) -> Element:
    """An element; children and attributes that are None are left out."""
    made = ElementTree.Element(tag, {key: value for key, value in attributes.items() if value is not None})
    made.text = text
    made.extend(child for child in children if child is not None)
    return made


def domain(
    devices: Iterable[Element],
    *more: Element,
    type: str | None = None,
    arch: str | None = None,
    machine: str | None = None,
) -> str:
    """A domain with these devices, without its own name; ``more`` are other elements of its top level."""
    made = element(
        "domain",
        element("name", text="guest"),
        *more,
        element("os", element("type", text="hvm", arch=arch, machine=machine)),
        element("devices", *devices),
        type=type or "kvm",
    )
    return ElementTree.tostring(made, encoding="unicode")
