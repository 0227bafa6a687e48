# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Filters that make reports out of a findings document. Each is documented in the .yml file of its name."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._report.join import join_documents
from ..module_utils._report.shape import ReportError
from ..module_utils._report.table import table_lines
from ..module_utils._report.text import visible
from ..module_utils._report.to_html import html_report
from ..module_utils._report.to_json import json_report
from ..module_utils._report.to_junit import junit_report
from ..module_utils._report.to_sarif import sarif_report

FILTERS = {
    "report_html": html_report,
    "report_join": join_documents,
    "report_json": json_report,
    "report_junit": junit_report,
    "report_sarif": sarif_report,
    "report_table": table_lines,
}


def _for_people(name: str, report: Callable[..., Any]) -> Callable[..., Any]:
    """`report` with its error as Ansible's, under the filter's name."""

    @functools.wraps(report)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return report(*args, **kwargs)
        except ReportError as exc:
            raise AnsibleFilterError(f"{name}: {visible(exc)}") from exc

    return run


class FilterModule:
    """The collection's filters about reports."""

    def filters(self) -> dict[str, Any]:
        """Name to function."""
        return {name: _for_people(name, report) for name, report in FILTERS.items()}
