# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The findings document as lines that GitHub Actions turns into annotations of files.

Sources: docs.github.com, "Workflow commands for GitHub Actions", "Setting an error message"; the escapes are those that
actions/runner takes back (src/Runner.Common/ActionCommand.cs).
"""

from __future__ import annotations

from typing import Any

from ...module_utils._text import plural, visible
from .._fleet.document import Item, check_document, severity_rank, silent_hosts, sort_key
from .._policy.rules import RULES
from .places import in_checkout
from .text import called, location, sentences
from .words import UNKNOWN

#: GitHub shows no more of each kind for a step (docs.github.com, "Actions limits"; community discussion 26680).
MOST = 10
# Our severity to GitHub's command.
_COMMAND = {"error": "error", "warning": "warning", "note": "notice"}


def annotation_lines(document: Any, base: str = "", here: str = "") -> list[str]:
    """Lines for the standard output of a step, the most severe first, and what is left out; waived findings have none.

    base, here: as for ``sarif_report``. Only a file below ``base`` is a file of the checkout; others are in the text.
    Raises ReportError where the document does not have its shape.
    """
    check_document(document)
    silent = [visible(host) for host in silent_hosts(document)]
    lines = [_line("error", {"title": "No report"}, f"{host}: {UNKNOWN}") for host in silent[:MOST]]
    found = sorted(
        (finding for finding in document["findings"] if not finding.get("waived")),
        key=lambda finding: (severity_rank(finding), sort_key(finding)),
    )
    told = []
    for severity, command in _COMMAND.items():
        of_kind = [finding for finding in found if finding["severity"] == severity]
        room = MOST - len(lines) if severity == "error" else MOST
        lines += [_of(finding, command, base, here) for finding in of_kind[:room]]
        if len(of_kind) > room:
            told.append(f"{room} of {plural(len(of_kind), severity)}")
    if told:
        lines.append(f"Annotations: {', '.join(told)}; GitHub shows no more of a step. The reports have all.")
    return lines


def _of(finding: Item, command: str, base: str, here: str) -> str:
    rule = visible(finding.get("rule"))
    known = RULES.get(rule)
    properties = {}
    text = sentences(finding.get("message"), finding.get("hint"))
    named = (finding.get("host"), *called(finding), finding.get("disk"))
    names = " ".join(visible(name) for name in named if name)
    path, inside = in_checkout(str(finding["file"]), base, here) if finding.get("file") else ("", False)
    if inside:
        properties["file"] = visible(path)
        if isinstance(finding.get("line"), int) and finding["line"] > 0:
            properties["line"] = str(finding["line"])
    properties["title"] = f"{rule} {known.title}" if known else rule
    where = "" if inside else location(finding)
    return _line(command, properties, ": ".join(filter(None, (where, names, text))))


def _line(command: str, properties: dict[str, str], text: str) -> str:
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{command} {given}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
