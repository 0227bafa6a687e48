# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Filter report_join: one findings document for the fleet. Documentation: report_join.yml."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._report.join import join_documents
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._report.shape import ReportError


def report_join(documents, results=None, writeback=None):
    try:
        return join_documents(documents, results=results, writeback=writeback)
    except ReportError as exc:
        raise AnsibleFilterError("report_join: %s" % exc) from exc


class FilterModule:
    """Ansible's entry point."""

    def filters(self):
        return {"report_join": report_join}
