# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""From a guest of libvirt as a resource defines it to the guest record of docs/data.md, by what libvirt is given."""

from __future__ import annotations

from ...module_utils._libvirt.record import record as _record
from ...module_utils._libvirt.xml import XmlError
from ...module_utils._model import records
from ...module_utils._model.records import Disk, Guest
from ...module_utils._text import natural_key
from . import domain_xml, unsaid
from .defined import Defined, Place

_XSLT = "its xslt may change its disks, and what comes out of it is not in the plan"
_REFUSED = "libvirt refuses such a guest: fix it in the resource."
_XSLT_HINT = (
    "Put the guest's own XML beside this plan (virsh dumpxml --inactive NAME > NAME.xml), or check it by hand and waive"
    " this."
)


def record(made: Defined, place: Place, own: Guest | None) -> Guest:
    """The record of a guest. ``own`` is that of its own XML, where a plan does not say all and the XML is there."""
    base, fault = (own, made.fault) if own is not None else _of_xml(made)
    unknown = unsaid.of_guest(fault, made.unknown)
    disks = base["disks"]
    if own is not None:
        unknown += own["unknown"]
    else:
        disks = _with_faults(made, disks)
        if made.rest:
            unknown.append(records.unknown(_XSLT, _XSLT_HINT))
    return {
        **base,
        "id": place.resource["address"],
        "name": made.name,
        "node": None,
        "config": place.file,
        "digest": None,
        "controller": {**base["controller"], "line": place.line},
        "disks": [{**disk, "line": place.line} for disk in sorted(disks, key=lambda disk: natural_key(disk["key"]))],
        "made_by": None,
        "resource": place.resource,
        "unknown": unknown,
    }


def _of_xml(made: Defined) -> tuple[Guest, str | None]:
    """The record of the XML that the provider makes, without disks where nothing is to be said of them; and why."""
    nothing = domain_xml.domain([])
    try:
        return _read(made.xml if made.xml and not made.rest else nothing), made.fault
    except XmlError as exc:
        return _read(nothing), f"libvirt would not take it: {exc}"


def _read(xml: str) -> Guest:
    return _record(xml.encode("utf-8"), id="")


def _with_faults(made: Defined, disks: list[Disk]) -> list[Disk]:
    """The disks, with those of which too little is known or that libvirt would not take."""
    odd = {}
    for drive in made.drives if not made.rest else ():
        if drive.unknown or drive.fault:
            unknown = records.unknown(drive.fault, _REFUSED) if drive.fault else unsaid.of_disk(drive.unknown)
            odd[drive.key] = records.disk(key=drive.key, bus="", media=drive.media, unknown=unknown)
    return [*(disk for disk in disks if disk["key"] not in odd), *odd.values()]
