# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Waivers of findings about a host itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...module_utils._model.findings import Finding
from .._policy.rules import RULES
from .._policy.selector import HOSTS, host_subject
from .._policy.waiver import Waiver, parse_waivers
from .._policy.waivers import Waivers

#: The rules about hosts. IO1xx are about guests, and the guests' policy waives them.
HOST_RULES = tuple(rule for rule in RULES if rule[:3] in ("IO2", "IO3", "IO4", "IO5"))

#: What a finding about a host can be about; its message begins with one of these, a name and a colon.
OBJECTS = ("array", "disk", "guest", "job", "kernel", "mount", "pool", "storage", "swap", "thin pool")


def parse(lists: list[tuple[str, Any]]) -> tuple[Waiver, ...]:
    """The waivers of lists, each with the name that errors give to it; raises PolicyError."""
    return parse_waivers(lists, HOSTS, HOST_RULES, "IO301")


def object_of(finding: Mapping[str, Any]) -> str | None:
    """What a finding about a host is about, as its message names it: ``job nightly``; None: the host as a whole."""
    about, colon, _said = (finding["message"] or "").partition(": ")
    return about if colon and about.startswith(tuple(f"{name} " for name in OBJECTS)) else None


def waive(findings: list[Finding], subject: str, waivers: Waivers) -> list[Finding]:
    """The findings of one subject of a host, each with the waiver in force that covers it.

    ``waivers`` counts what each matches: ``waivers.used()``, with those of the other hosts, tells which match nothing.
    Raises PolicyError where a condition cannot be evaluated.
    """
    return [
        {**one, "waived": waivers.find(one["rule"], host_subject(one["host"], subject, object_of(one)))}
        for one in findings
    ]
