# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""For what a run fails at its end: guests that could not be changed or read. What is only left alone is no failure."""

from __future__ import annotations

from typing import Any

from .shape import doubled, owner


def failures(document: dict[str, Any], results: list[dict[str, Any]]) -> list[str]:
    """One sentence per failed result of guest_io and per file that could not be read, none where all went well."""
    several = doubled([*document.get("guests", ()), *results])
    sentences = [
        f"{_guest(result, several)}: {result['reason']}: {result['detail']}" for result in results if result["status"] == "failed"
    ]
    for finding in document["findings"]:
        if finding["rule"] == "IO100" and finding["severity"] == "error" and finding["disk"] is None and not finding["waived"]:
            where = finding["file"] or _guest(finding, several)
            line = f" line {finding['line']}" if finding["line"] else ""
            sentences.append(f"{where}{line}: {finding['message']}")
    return sentences


def _guest(item: dict[str, Any], several: set) -> str:
    node = f" on {item['node']}" if owner(item)[::2] in several and item.get("node") else ""
    return f"guest {item['guest']}{node}"
