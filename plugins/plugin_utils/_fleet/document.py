# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What every report asks of a findings document before it starts, and the order it shows things in."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

from ...module_utils._model.findings import SEVERITIES
from ...module_utils._text import natural_key
from .._render.text import visible

SCHEMA = 1
# the lists every findings document has, see docs/data.md
LISTS = ("findings", "plan", "unresolved", "guests")


class ReportError(ValueError):
    """The input cannot be reported. The text is for a person: what, where, what is expected."""


def check_document(document, where: str = "the findings document") -> Mapping:
    """`document` itself when it has the shape of docs/data.md; raises ReportError with what is wrong.

    Only what the reports stand on is checked; `docs/findings.schema.json` says it all.
    """
    if not isinstance(document, Mapping):
        raise ReportError(
            "%s is %s, not a dictionary. Give what the filter hypervisor.io_hardening.assess returned."
            % (where, _kind(document))
        )
    if document.get("schema") != SCHEMA:
        raise ReportError(
            "%s has schema %r; this version of the collection reads schema %d."
            % (where, document.get("schema"), SCHEMA)
        )
    for key in LISTS:
        check_list(document.get(key), "%s: %s" % (where, key))
    if not isinstance(document.get("summary"), Mapping):
        raise ReportError("%s: summary is %s, not a dictionary." % (where, _kind(document.get("summary"))))
    for finding in document["findings"]:
        if finding.get("severity") not in SEVERITIES:
            raise ReportError(
                "%s: a finding of %s has severity %r; allowed are %s."
                % (where, finding.get("rule"), finding.get("severity"), ", ".join(SEVERITIES))
            )
    return document


def check_list(value, where: str) -> Sequence:
    """`value` itself when it is a list of dictionaries; raises ReportError otherwise."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        raise ReportError("%s is %s, not a list." % (where, _kind(value)))
    for item in value:
        if not isinstance(item, Mapping):
            raise ReportError("%s holds %s where a dictionary belongs." % (where, _kind(item)))
    return value


def _kind(value) -> str:
    if value is None:
        return "missing"
    return {"list": "a list", "dict": "a dictionary", "str": "a string"}.get(type(value).__name__, type(value).__name__)


def owner(item: Mapping) -> tuple:
    """Whose a finding, guest, result or plan entry is: (host, node, guest).

    The number alone does not tell: a host may be a tree of a whole cluster, in which two nodes have the same one.
    """
    return (item.get("host"), item.get("node"), item.get("guest"))


def doubled(items) -> set:
    """The (host, guest) that stand on more than one node: where they are named, their node is too."""
    first: dict = {}
    return {key[::2] for key in map(owner, items) if first.setdefault(key[::2], key[1]) != key[1]}


def place(item: Mapping) -> tuple:
    """Sort key of a finding, guest or result: host, guest (9 before 10), node, disk, rule."""
    return (
        _rank(item.get("host")),
        _rank(item.get("guest")),
        _rank(item.get("node")),
        _rank(item.get("disk")),
        item.get("rule") or "",
    )


@functools.lru_cache(maxsize=100_000)
def _rank(value) -> tuple:
    return natural_key("" if value is None else str(value))


def silent_hosts(document: Mapping) -> list:
    """The hosts that gave no document: nothing is known of their guests."""
    return [host["host"] for host in document.get("hosts") or () if not host.get("reported", True)]


def spot(finding: Mapping, line: str = ":") -> str:
    """A finding's file and line as text, "" without a file; ``line`` stands between them."""
    file = visible(finding.get("file"))
    return file + (line + str(finding["line"]) if file and finding.get("line") is not None else "")


def disk_state(disk: Mapping) -> str:
    """A disk's state in a word: compliant, waived, or open (something that is not waived stands against it)."""
    if disk.get("compliant"):
        return "compliant"
    return "waived" if disk.get("waived") else "open"


def known_hosts(document: Mapping, entries) -> set:
    """The names of the hosts that the document or a guest of `entries` names; none of a flat directory of configs."""
    named = {entry.get("host") for entry in entries} | {host["host"] for host in document.get("hosts") or ()}
    return named - {None}


def empty_hosts(document: Mapping) -> list:
    """The hosts that gave a document in which no guest was read. A node may have none; nobody should take it for
    judged.
    """
    read = {guest.get("host") for guest in document["guests"]}
    silent = set(silent_hosts(document))
    return [
        host["host"] for host in document.get("hosts") or () if host["host"] not in read and host["host"] not in silent
    ]


def of_directory(document: Mapping) -> bool:
    """Whether it was read from a directory of configs on the controller, to which no run writes."""
    return "not_read" in document


def severity_rank(finding: Mapping) -> int:
    """0 for an error, 1 for a warning, 2 for a note."""
    return SEVERITIES.index(finding["severity"])
