# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Filter report_table: the findings document as lines for a terminal. Documentation: report_table.yml."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._report.shape import ReportError
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._report.table import table_lines


def report_table(document, check=False, width=80, limit=40):
    try:
        return table_lines(document, check=check, width=width, limit=limit)
    except ReportError as exc:
        raise AnsibleFilterError("report_table: %s" % exc) from exc


class FilterModule:
    """Ansible's entry point."""

    def filters(self):
        return {"report_table": report_table}
