# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""For what a run fails at its end: guests that could not be changed or read. What is only left alone is no failure."""

from __future__ import annotations

from typing import Any

from ...module_utils._text import failed_guests, plural
from .._fleet.document import doubled, owner, spot
from .text import brief, short, visible
from .words import reason_words

_MOST_NAMED = 10


def failures(document: dict[str, Any], results: list[dict[str, Any]]) -> list[str]:
    """A sentence on the failed results of guest_io and one per file that could not be read, none where all went well.

    They are for the last line of a run, which Ansible prints twice: what each guest's trouble was is in the report.
    """
    several = doubled([*document.get("guests", ()), *results])
    failed = [
        {**result, "guest": _guest(result, several), "reason": reason_words(result["reason"] or "unknown")}
        for result in results
        if result["status"] == "failed"
    ]
    said = [f"{failed_guests(failed)}; the report above says why"] if failed else []
    unread = [
        finding
        for finding in document["findings"]
        if finding["rule"] == "IO100"
        and finding["severity"] == "error"
        and finding["disk"] is None
        and not finding["waived"]
    ]
    said += [f"{_place(finding, several)}: {brief(finding['message'], 200)}" for finding in unread[:_MOST_NAMED]]
    if len(unread) > _MOST_NAMED:
        said.append(f"and {plural(len(unread) - _MOST_NAMED, 'more problem')}; the report above names them all")
    return said


def _place(finding: dict[str, Any], several: set) -> str:
    return spot(finding, " line ") or f"guest {_guest(finding, several)}"


def _guest(item: dict[str, Any], several: set) -> str:
    node = f" on {visible(item['node'])}" if owner(item)[::2] in several and item.get("node") else ""
    return f"{short(item['guest'])}{node}"
