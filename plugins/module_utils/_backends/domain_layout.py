# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Where domain XML is: as a libvirt host has it, or in a flat directory; and which XML is a domain's."""

from __future__ import annotations

import os
import re

from .. import _shown
from .._host import whole_file
from . import layout
from .layout import LayoutError

#: Where libvirt keeps the definitions of its system connection (src/conf/domain_conf.c; src/libxl and others have
#: folders of their own, which are not QEMU's), and those of its storage pools.
DOMAINS, POOLS = "/etc/libvirt/qemu", "/etc/libvirt/storage"

#: The root element of a guest's definition.
DOMAIN = "domain"

# What the root elements of libvirt's other files are called.
_KINDS = {
    "domainbackup": "backup of a guest",
    "domaincheckpoint": "checkpoint of a guest",
    "domainsnapshot": "snapshot of a guest",
    "domstatus": "state of a running guest",
    "interface": "network interface",
    "network": "network",
    "nwfilter": "network filter",
    "pool": "storage pool",
    "secret": "secret",
    "volume": "storage volume",
}

# How much of a file is looked at for its root element; libvirt writes a comment of 200 bytes before it.
_START = 1 << 16
_BEFORE = re.compile(rb"\s*(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>)", re.DOTALL)
_ROOT = re.compile(rb"\s*<([^\s<>/!?]+)([^<>]*)")
_ATTRIBUTE = re.compile(rb"""([^\s=]+)\s*=\s*("[^"]*"|'[^']*')""")
# The types of domains that libvirt does not run with QEMU (virDomainVirt, src/conf/domain_conf.c).
_NOT_QEMU = ("bhyve", "hyperv", "lxc", "openvz", "parallels", "phyp", "test", "uml", "vbox", "vmware", "vz", "xen")


def folder(root: str) -> str:
    """The folder with the definitions, as a path on the host: libvirt's own, or the root."""
    return DOMAINS if os.path.isdir(layout.inside(root, DOMAINS)) else "/"


def files(root: str, where: str) -> list[str]:
    """The paths of a folder's XML files, sorted; none where there is no such folder. Hidden names are left out.

    Raises LayoutError where it cannot be read.
    """
    try:
        names = os.listdir(layout.inside(root, where))
    except FileNotFoundError:
        return []
    except OSError as exc:
        raise LayoutError(f"cannot read directory {_shown.path(layout.inside(root, where))}: {exc.strerror}") from exc
    return [os.path.join(where, name) for name in sorted(names) if is_xml(name)]


def is_xml(name: str) -> bool:
    """Whether a file is called like XML."""
    return name.lower().endswith(".xml") and not name.startswith(".")


def kind(root: str, path: str) -> str | None:
    """What an XML file is, by its beginning: ``domain``, or words for something else; None where that does not show."""
    full = layout.inside(root, path)
    try:
        # A device or a pipe is not opened.
        readable = layout.stays_inside(root, full) and os.path.isfile(full)
        start = whole_file.read_start(full, _START) if readable else b""
    except OSError:
        return None
    place = 3 if start.startswith(b"\xef\xbb\xbf") else 0
    # Piece by piece: one expression for all would try every way to divide them.
    while piece := _BEFORE.match(start, place):
        place = piece.end()
    found = _ROOT.match(start, place)
    if not found:
        return None
    name = found[1].decode("utf-8", "replace")
    if name != DOMAIN:
        return _KINDS.get(name, "other XML")
    attributes = {match[1]: match[2][1:-1].decode("utf-8", "replace") for match in _ATTRIBUTE.finditer(found[2])}
    type = attributes.get(b"type")
    return f"guest of {type}" if type in _NOT_QEMU else DOMAIN


def may_be_domain(root: str, path: str) -> bool:
    """Whether an XML file is a domain's, or does not show what it is."""
    return kind(root, path) in (DOMAIN, None)


def has_domains(root: str) -> bool:
    """Whether there are definitions of libvirt below a root. Raises LayoutError as ``files``."""
    return any(may_be_domain(root, path) for path in files(root, folder(root)))
