# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The top of the page: when it was judged, the verdict, and how much there is."""

from __future__ import annotations

from collections.abc import Sequence

from ...module_utils._model.findings import SEVERITIES
from ...module_utils._text import plural
from .._fleet.document import Document, Item, disk_state, disks_of, guests_asked, known_hosts, silent_hosts
from .page_needs import guests_in_need
from .text import count


def subtitle(document: Document, check: bool) -> str:
    """The day, and what the run changed; ``check``: its results are those of a check run."""
    text = f"Judged on {document.get('date') or 'an unknown day'}."
    if "results" not in document:
        return f"{text} Nothing was changed."
    if check:
        return f"{text} Check run: nothing was written."
    changed = sum(result.get("status") == "changed" for result in document["results"])
    return f"{text} This run changed {plural(changed, 'guest')}; the page shows the state after it."


def verdict(document: Document, entries: Sequence[Item], needed: Sequence[Item]) -> dict[str, str]:
    """{mark, title, text}: the page in a sentence; the gate's verdict where there is one.

    entries: the outcomes of the guests; ``needed`` is what needs a person.
    """
    gate = document.get("gate")
    if gate:
        word = "passed" if gate["passed"] else "failed"
        return {"mark": word, "title": f"Gate {word}", "text": f"Fails on {gate['fail_on']}: {gate['reason']}."}
    silent, in_need = silent_hosts(document), guests_in_need(entries)
    said = []
    if in_need:
        said.append(f"{in_need:,} of {count(len(entries), 'guest')} {'needs' if in_need == 1 else 'need'} you")
    if silent:
        said.append(f"{count(len(silent), 'host')} gave no report")
    others = sum(need["mark"] != "note" for need in needed)
    if said or others:
        title = ", and ".join(said) or _others(others, guests_asked(document))
        failed = any(need["mark"] in ("failed", "error") for need in needed)
        return {"mark": "failed" if failed else "to_change", "title": title, "text": ""}
    if not guests_asked(document):
        hosts = count(len(known_hosts(document, entries)), "host")
        return {"mark": "passed", "title": f"No host needs you: {hosts} in order", "text": ""}
    if not entries:
        return {"mark": "note", "title": "No guest was read", "text": ""}
    return {"mark": "passed", "title": f"No guest needs you: {count(len(entries), 'guest')} in order", "text": ""}


def _others(number: int, with_guests: bool) -> str:
    """How many things need a person, where no guest does."""
    if with_guests:
        return f"No guest needs you; {count(number, 'other thing')} {'does' if number == 1 else 'do'}"
    return f"{count(number, 'thing')} {'needs' if number == 1 else 'need'} you"


def facts(document: Document, entries: Sequence[Item]) -> list[tuple[str, str]]:
    """(number, words) of what is in the fleet, and of what was found."""
    hosts = len(known_hosts(document, entries))
    disks = [disk_state(disk) for disk in disks_of(document)]
    waived = f", {disks.count('waived'):,} waived" if "waived" in disks else ""
    found = document["summary"]["findings"]
    counts = [
        (hosts, "host", ""),
        (len(entries), "guest", ""),
        (len(disks), "disk", f", {disks.count('compliant'):,} compliant{waived}"),
        *((found[severity], severity, "") for severity in SEVERITIES),
    ]
    return [(f"{number:,}", plural(number, word).split(" ")[1] + more) for number, word, more in counts if number]
