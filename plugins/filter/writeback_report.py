# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Filter writeback_report. Documentation: writeback_report.yml."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

from ..module_utils._writeback.assess import report


def writeback_report(assessment, result=None, check_mode=False):
    if not isinstance(assessment, dict) or "findings" not in assessment:
        raise AnsibleFilterError("writeback_report: the input must be the result of assess_writeback")
    return report(assessment, result, check_mode)


class FilterModule:
    """Ansible's entry point."""

    def filters(self):
        return {"writeback_report": writeback_report}
