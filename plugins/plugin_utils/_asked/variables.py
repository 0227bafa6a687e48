# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Refuses variables and tags that the playbooks and roles do not know.

A misspelt variable that names guests would mean all guests; a misspelt tag would do nothing and still succeed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher, get_close_matches

from ...module_utils._shown import piece
from .specs import OF_PLAYS, PREFIXES, SURVEY, known, specs

#: Facts that the roles set.
FACTS = frozenset(
    ("guest_io_findings", "guest_io_results", "host_writeback_report", "io_host_report", "io_load_report")
)
#: Prefixes that others use as well: a role for containers may have a restart_policy in the same inventory.
COMMON = ("awx_", "gate_", "report_", "restart_", "rollback_", "survey_")
#: Variables that AWX itself sets for every job (awx_meta_vars of its UnifiedJob, and its webhooks).
_OF_AWX = re.compile(
    r"awx_((job|parent_job|workflow_job|user|schedule|webhook)_|(inventory_(id|name)|project_(revision|scm_branch))\Z)"
)
#: What a slice of a gate passes on to the job that joins them, by its job's number.
_OF_SLICES = re.compile(r"io_hardening_part_[0-9]+\Z")
#: Tags that Molecule leaves out in every run of its own.
_OF_MOLECULE = ("molecule-idempotence-notest", "molecule-notest", "notest")
#: The variables that name guests by their ids, each for some playbooks only.
NAME_GUESTS = ("guest_io_guests", "rollback_guests")

_CLOSE = 0.6
_NEARLY_THE_SAME = 0.85


def variable_refusals(
    extra: Iterable[str], others: Mapping[str, str | None], prefixes: Iterable[str] | None = None
) -> list[str]:
    """A sentence for each unknown variable.

    ``extra`` are the names given with -e; ``others`` are those from the inventory, facts and plays, each with its host
    (None: more than one). Only names with one of ``prefixes`` are checked; the default is all prefixes of the
    collection, and extra variables that are nearly one of its names.

    With a prefix that other roles use as well, only extra variables and names close to a known one are refused.
    """
    extra = set(extra)
    looked_at = list(PREFIXES if prefixes is None else prefixes)
    found = []
    for name, host in sorted({**others, **dict.fromkeys(extra)}.items()):
        prefix = next((prefix for prefix in looked_at if name.startswith(prefix)), None)
        if prefix is None:
            near = _nearly(name) if name in extra and prefixes is None else None
            if near:
                found.append(f"{piece(name)}: no such variable. Did you mean {near}?")
        elif _is_unknown(name, prefix, name in extra):
            found.append(_no_such(name, prefix, host))
    return found


def _is_unknown(name: str, prefix: str, is_extra: bool) -> bool:
    if name in known()[prefix] or (name in FACTS and not is_extra) or _OF_AWX.match(name) or _OF_SLICES.match(name):
        return False
    return is_extra or prefix not in COMMON or _closest(name, prefix) is not None


def _closest(name: str, prefix: str) -> str | None:
    """The known variable with that prefix that ``name`` is probably meant to be; the prefix itself does not count."""
    names = [one[len(prefix) :] for one in known()[prefix]]
    matches = get_close_matches(name[len(prefix) :].lower(), names, 1, _CLOSE)
    return prefix + matches[0] if matches else None


def _nearly(name: str) -> str | None:
    """The known variable that ``name`` differs from by a letter or two, as when its prefix is misspelt."""
    names = list(specs())
    matches = get_close_matches(name.lower().replace("-", "_"), names, 1, _NEARLY_THE_SAME)
    return matches[0] if matches and name not in names else None


def _no_such(name: str, prefix: str, host: str | None) -> str:
    closest = _closest(name, prefix)
    parts = [f"{piece(name)}{', set for ' + host if host else ''}: no such variable."]
    if closest in NAME_GUESTS:
        parts.append(f"A misspelt {closest} would mean all guests.")
    names = known()[prefix]
    if prefix == SURVEY:
        parts.append(f"A question is named {SURVEY} and the variable it is about.")
    else:
        parts.append(f"There are {', '.join(names)}." if len(names) > 1 else f"There is {names[0]}.")
    if closest:
        parts.append(f"Did you mean {closest}?")
    return " ".join(parts)


def unseen_refusals(extra: Iterable[str], of_hosts: Mapping[str, Iterable[str]]) -> list[str]:
    """A sentence for each variable of a play that is set in the inventory, where a play does not see it.

    ``of_hosts`` has the names of each host's variables, those of ``extra`` among them.
    """
    found = []
    for name in OF_PLAYS:
        host = next((host for host, names in of_hosts.items() if name in names), None)
        if host is not None and name not in set(extra):
            found.append(
                f"{name}, set for {host}: Ansible does not look for it in an inventory. Give it to the run: -e"
                f" {name}=VALUE"
            )
    return found


def nothing_to_do(does: str, pattern: str) -> str:
    """The sentence for a run without a host: ``does`` is what its playbook does, ``pattern`` which hosts it takes."""
    return (
        f"Nothing to {does}: no host of {piece(pattern)} is in the inventory and its limit. Name an inventory with such"
        " hosts, or others with -e io_hardening_hosts=PATTERN, such as proxmox_nodes"
    )


def selection_refusals(extra: Iterable[str], names_guests: Iterable[str]) -> list[str]:
    """A sentence for each extra variable that names guests to another playbook: this one would take all guests."""
    takes = set(names_guests)
    instead = f"name guests with {', '.join(sorted(takes))}"
    return [
        f"{name}: this playbook does not look at it; {instead}." for name in NAME_GUESTS if name in set(extra) - takes
    ]


def tag_refusals(tags: Iterable[str], run: Iterable[str], skip: Iterable[str]) -> list[str]:
    """A sentence for each tag of --tags and --skip-tags that the playbook does not have, and one if nothing is left.

    ``tags`` are the playbook's. Each of its tasks has one, so "tagged" means all of it, and "untagged" nothing.
    """
    tags, run, skip = list(tags), list(run), list(skip)
    found = [_no_such_tag("--tags", tag, tags) for tag in run if tag not in ("all", "tagged", *tags)]
    found += [_no_such_tag("--skip-tags", tag, tags) for tag in skip if tag not in (*_OF_MOLECULE, *tags)]
    if not found and tags and not left(tags, run, skip):
        found.append("--tags and --skip-tags leave nothing to do.")
    return found


def left(tags: Iterable[str], run: Iterable[str], skip: Iterable[str]) -> list[str]:
    """Those of a playbook's tags whose tasks run."""
    run = set(run)
    return [tag for tag in tags if tag not in set(skip) and (tag in run or run & {"all", "tagged"})]


def _no_such_tag(option: str, tag: str, tags: list[str]) -> str:
    there_are = f"There are {', '.join(tags)}." if tags else "This playbook has no tags: leave the option out."
    closest = max(tags, key=lambda known: SequenceMatcher(None, tag, known).ratio(), default=None)
    close = closest is not None and SequenceMatcher(None, tag, closest).ratio() >= _CLOSE
    return f"{option} {piece(tag)}: no such tag. {there_are}" + (f" Did you mean {closest}?" if close else "")
