# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Sensitive values of a plan: they are judged, and no document has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .._policy.rules import RULES
from .plans import Resource

_NOT_SHOWN = "the values are marked sensitive and not shown"


def mask(document: dict[str, Any], resources: Iterable[Resource]) -> None:
    """Take the values of sensitive attributes out of what a document says of these resources."""
    places = {place for resource in resources for place in _sensitive(resource)}
    if not places:
        return
    for finding in document["findings"]:
        if (finding["guest"], finding["disk"]) in places:
            rule = finding["rule"]
            finding["message"] = f"{RULES[rule].title if rule in RULES else rule}; {_NOT_SHOWN}"
            finding["actual"] = None
            if not finding["cure"]:
                finding["hint"] = "Compare it with what the policy wants."
    for guest in document["guests"]:
        for disk in guest["disks"]:
            if (guest["guest"], disk["key"]) in places:
                disk["storage"] = None
    changes = [(entry["guest"], entry["changes"]) for entry in document["plan"]]
    changes += [(finding["guest"], finding["cure"]) for finding in document["findings"]]
    for guest, listed in changes:
        for change in listed:
            if (guest, None if change["key"] == "controller" else change["key"]) in places:
                change["before"] = None
    for item in document["unresolved"]:
        if any(guest == item["guest"] for guest, _disk in places):
            item["detail"] = _NOT_SHOWN


def _sensitive(resource: Resource) -> list[tuple[str, str | None]]:
    address, defined = resource.place.resource["address"], resource.defined
    places: list[tuple[str, str | None]] = [(address, drive.key) for drive in defined.drives if drive.sensitive]
    if defined.sensitive:
        # A disk's finding may name the controller.
        places += [(address, None), *((address, drive.key) for drive in defined.drives)]
    return places
