# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The last line of a run that failed: Ansible prints it twice, so it is short. The report has the details."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...module_utils._text import failed_guests, plural, visible
from .._asked.parts import nowhere
from .._fleet.document import Document, Item, guest_key, on_several_nodes
from .._fleet.failures import failed, unread
from .text import brief, location, short
from .words import reason_words

_MOST_NAMED = 10


def failures(document: Document, results: Iterable[Item]) -> list[str]:
    """One sentence about the guests that failed, one for each file or host that could not be read.

    Empty where all went well.
    """
    results = list(results)
    several = on_several_nodes([*document.get("guests", ()), *results])
    guests = [
        {**result, "guest": _guest(result, several), "reason": reason_words(result["reason"] or "unknown")}
        for result in failed(results)
    ]
    files = unread(document)
    said = [f"{failed_guests(guests)}; the report above says why"] if guests else []
    said += [f"{_place(finding, several)}{brief(finding['message'], 200)}" for finding in files[:_MOST_NAMED]]
    if len(files) > _MOST_NAMED:
        said.append(f"and {plural(len(files) - _MOST_NAMED, 'more problem')}; the report above names them all")
    return said


def trouble(documents: Mapping[str, Any], results: Mapping[str, Any], assessments: Mapping[str, Any]) -> dict[str, Any]:
    """Sentences that fail the run: ``failures`` by host, and ``missing``, the guests that were named and are on no
    host; ``trouble`` is whether there is any.

    ``assessments`` are those of the hosts themselves, by subject and host; their own ``failures`` are settings.
    """
    answers = {host: document.get("named", {}) if document else None for host, document in documents.items()}
    found = {host: failures(document, results.get(host) or []) for host, document in documents.items() if document}
    for by_host in assessments.values():
        for host, report in by_host.items():
            found.setdefault(host, []).extend((report or {}).get("failures") or ())
    missing = nowhere(answers, "is not there")
    return {"failures": found, "missing": missing, "trouble": bool(missing or any(found.values()))}


def _place(finding: Item, several: set[tuple[object, object]]) -> str:
    """What the sentence begins with; a problem without guest and file is the host's."""
    place = location(finding, " line ") or (f"guest {_guest(finding, several)}" if finding["guest"] else "")
    return f"{place}: " if place else ""


def _guest(item: Item, several: set[tuple[object, object]]) -> str:
    node = f" on {visible(item['node'])}" if guest_key(item)[::2] in several and item.get("node") else ""
    return f"{short(item['guest'])}{node}"
