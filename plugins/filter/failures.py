# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Filter failures: what a run fails for at its end. Documentation: failures.yml."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

from ..module_utils._report.failures import failures as _failures


def failures(document, results=None):
    """See failures.yml."""
    if not isinstance(document, dict) or not isinstance(document.get("findings"), list):
        raise AnsibleFilterError("failures takes the findings document that assess returns")
    return _failures(document, results or [])


class FilterModule:
    """Ansible's entry point."""

    def filters(self):
        """Name to function."""
        return {"failures": failures}
