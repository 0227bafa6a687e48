# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Filters about how a run ended: failures, second_try. Documentation: their .yml files."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

from ..plugin_utils._fleet.retry import merge as _merge
from ..plugin_utils._render.failures import failures as _failures


def failures(document, results=None):
    """See failures.yml."""
    if not isinstance(document, dict) or not isinstance(document.get("findings"), list):
        raise AnsibleFilterError("failures takes the findings document that assess returns")
    return _failures(document, results or [])


def second_try(results, document, again):
    """See second_try.yml."""
    if not isinstance(results, list) or not isinstance(again, list) or not isinstance(document, dict):
        raise AnsibleFilterError(
            "second_try takes the results of guest_io, the findings of a second reading, and the results of a"
            " second try"
        )
    return _merge(results, document, again)


class FilterModule:
    """Ansible's entry point."""

    def filters(self):
        """Name to function."""
        return {"failures": failures, "second_try": second_try}
