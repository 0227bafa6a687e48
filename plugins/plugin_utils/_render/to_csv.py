# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The findings document as a table of guests for spreadsheets: CSV as RFC 4180 has it, a row per guest."""

from __future__ import annotations

import csv
import io
from typing import Any

from ...module_utils._text import one_line, visible
from .._fleet.document import Item, check_document, disk_state, guest_key
from .._fleet.outcome import outcomes

COLUMNS = (
    "host",
    "node",
    "guest",
    "name",
    "hypervisor",
    "state",
    "reason",
    "detail",
    "changed",
    "restart_pending",
    "running",
    "started",
    "disks",
    "noncompliant_disks",
    "waived_disks",
    "errors",
    "warnings",
    "notes",
    "rules",
    "waived_rules",
    "waivers",
    "config",
)
# A spreadsheet takes a cell that begins like this for a formula, whatever the quotes say (OWASP, "CSV Injection").
_FORMULA = tuple("=+-@\t\r\uff1d\uff0b\uff0d\uff20")


def csv_report(document: Any, check: bool = False) -> str:
    """CSV with a head and a row per guest, sorted by host and guest; the lines end with CR LF.

    A text that a spreadsheet would take for a formula begins with an apostrophe. Lists are separated by blanks.
    check: the document's ``results`` are those of a check run.
    Raises ReportError where the document does not have its shape.
    """
    check_document(document)
    guests = {guest_key(guest): guest for guest in document["guests"]}
    found: dict[tuple[Any, ...], list[Item]] = {}
    for finding in document["findings"]:
        found.setdefault(guest_key(finding), []).append(finding)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for entry in outcomes(document, check):
        key = guest_key(entry)
        row = _row(entry, guests.get(key, {}), found.get(key, []))
        writer.writerow([_cell(row[column]) for column in COLUMNS])
    return text.getvalue()


def _row(entry: Item, guest: Item, findings: list[Item]) -> dict[str, Any]:
    """Column to value of one guest."""
    disks = [disk_state(disk) for disk in guest.get("disks") or ()]
    waived = [finding for finding in findings if finding.get("waived")]
    against = [finding for finding in findings if not finding.get("waived")]
    severities = [finding["severity"] for finding in against]
    return {
        **{key: entry[key] for key in ("host", "node", "guest", "name", "hypervisor", "state", "reason", "detail")},
        **{key: entry[key] for key in ("changed", "restart_pending")},
        "running": guest.get("running"),
        "started": guest.get("started"),
        "disks": len(disks),
        "noncompliant_disks": disks.count("noncompliant"),
        "waived_disks": disks.count("waived"),
        "errors": severities.count("error"),
        "warnings": severities.count("warning"),
        "notes": severities.count("note"),
        "rules": _list(finding.get("rule") for finding in against),
        "waived_rules": _list(finding.get("rule") for finding in waived),
        "waivers": _list(finding["waived"].get("id") for finding in waived),
        "config": guest.get("config"),
    }


def _list(values: Any) -> str:
    return " ".join(sorted({visible(value) for value in values}))


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, int):
        return value
    text = one_line(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
