# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Filters about what a run is asked for: checked_hosts, harden_parts, guests_nowhere, value_refusals. Documentation:
their .yml files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils._asked.parts import nowhere, parts
from ..plugin_utils._asked.values import TAKES
from ..plugin_utils._asked.values import value_refusals as _value_refusals


def checked_hosts(skip_tags: Any) -> str:
    """See checked_hosts.yml."""
    if "always" in skip_tags:
        raise AnsibleFilterError("--skip-tags always would skip the checks of the run: leave it out")
    return "all:localhost"


def harden_parts(given: Any, guests: Any, run_tags: Any, skip_tags: Any) -> list[str]:
    """See harden_parts.yml."""
    try:
        return parts(given, guests, run_tags, skip_tags)
    except ValueError as exc:
        raise AnsibleFilterError(str(exc)) from exc


def guests_nowhere(answers: Any, all_answered: bool = False, lacks: str = "is not there") -> list[str]:
    """See guests_nowhere.yml."""
    if not isinstance(answers, dict):
        raise AnsibleFilterError("guests_nowhere takes a dictionary from host to which of the named guests it has")
    told = {str(host): named if isinstance(named, Mapping) else None for host, named in answers.items()}
    return [] if all_answered and None in told.values() else nowhere(told, lacks)


def value_refusals(given: Any) -> list[str]:
    """See value_refusals.yml."""
    if not isinstance(given, Mapping) or not all(name in TAKES for name in given):
        raise AnsibleFilterError(f"value_refusals takes a dictionary from variable to value, of {', '.join(TAKES)}")
    return _value_refusals(given)


class FilterModule:
    """Ansible's entry point."""

    def filters(self) -> dict[str, Any]:
        """Name to function."""
        return {
            "checked_hosts": checked_hosts,
            "harden_parts": harden_parts,
            "guests_nowhere": guests_nowhere,
            "value_refusals": value_refusals,
        }
