# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The findings document as a Code Quality report: GitLab shows in a merge request which findings it adds and removes.

Source of the format: docs.gitlab.com, "Code Quality", "Code Quality report format". GitLab leaves out every finding
after the first that does not have it (gitlab-org/gitlab, lib/gitlab/ci/parsers/codequality/code_climate.rb).
"""

from __future__ import annotations

from typing import Any

from ...module_utils._text import visible
from .._fleet.document import Item, check_document, dumps
from .places import fingerprints, in_checkout
from .text import called, sentences

# GitLab's words, from the least severe: info, minor, major, critical, blocker.
_SEVERITY = {"error": "critical", "warning": "minor", "note": "info"}


def codequality_report(document: Any, base: str = "", here: str = "") -> str:
    """A JSON list with an entry per finding that is not waived, a line each.

    base, here: as for ``sarif_report``. A file outside of ``base`` has its path without the leading slash; a finding
        without a file has the host and the guest for a path, or ``policy``.
    Raises ReportError where the document does not have its shape.
    """
    check_document(document)
    prints = fingerprints(document["findings"])
    entries = [
        dumps(_entry(finding, mark, base, here))
        for finding, mark in zip(document["findings"], prints)
        if not finding.get("waived")
    ]
    return "[\n" + ",\n".join(entries) + "\n]\n" if entries else "[]\n"


def _entry(finding: Item, fingerprint: str, base: str, here: str) -> dict[str, Any]:
    line = finding.get("line")
    return {
        "description": sentences(f"{_about(finding)}{finding.get('message') or ''}", finding.get("hint")),
        "check_name": visible(finding.get("rule")),
        "fingerprint": fingerprint,
        "severity": _SEVERITY[finding["severity"]],
        "location": {
            "path": _path(finding, base, here or base),
            "lines": {"begin": line if isinstance(line, int) and line > 0 else 1},
        },
    }


def _about(finding: Item) -> str:
    """Who it is about: GitLab shows the description alone."""
    named = (finding.get("host"), *called(finding), finding.get("disk"))
    names = [visible(name) for name in named if name]
    return f"{' '.join(names)}: " if names else ""


def _path(finding: Item, base: str, here: str) -> str:
    if finding.get("file"):
        path, _inside = in_checkout(str(finding["file"]), base, here)
        while path.startswith(("/", "../")):
            path = path.partition("/")[2]
        return visible(path)
    names = [visible(finding[key]).replace("/", "_") for key in ("host", "guest") if finding.get(key)]
    return "/".join(names) or "policy"
