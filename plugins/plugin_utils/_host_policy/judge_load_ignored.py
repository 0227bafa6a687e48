# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Settings of backups and limits that Proxmox VE ignores, and what a policy names that is not there (IO311)."""

from __future__ import annotations

from collections.abc import Iterator

from ...module_utils._load.options import CHECKS, STORED
from ...module_utils._load.vzdump_conf import PATH
from ...module_utils._model.findings import Finding, Severity, finding
from ...module_utils._shown import piece
from .load_policy import LoadPolicy
from .load_view import Facts, about


def judge(facts: Facts, policy: LoadPolicy, leads: bool) -> Iterator[Finding]:
    """IO311 of a node's vzdump.conf and, where ``leads``, of the cluster's files."""
    file = facts["vzdump"]
    if file is None:
        if leads and facts["jobs"] and not facts["live"]:
            yield finding(
                "IO311",
                "note",
                "vzdump.conf: it is not below this root, so what jobs take from it was not judged",
                f"Add the node's {PATH}.",
            )
    else:
        for one in file["ignored"]:
            yield _ignored("vzdump.conf: ", one["line"], one["key"], one["reason"], PATH)
    if not leads:
        return
    for job in facts["jobs"]:
        for one in job["ignored"]:
            yield _ignored(f"job {job['id']}: {about(job)}", one["line"], one["key"], one["reason"], job["file"])
    for one in facts["ignored"]:
        yield _ignored(
            f"{one['file'].rsplit('/', 1)[-1]}: ", one["line"], one["key"] or "job", one["reason"], one["file"]
        )
    for one in facts["datacenter"]["ignored"]:
        yield _ignored("datacenter: ", one["line"], one["key"], one["reason"], facts["datacenter"]["file"])
    for storage in facts["storages"] or ():
        if storage["fault"]:
            yield finding(
                "IO311",
                "warning",
                f"storage {storage['id']}: its bwlimit is not in force: {storage['fault']}",
                "Correct it, or remove it.",
                file=f"{facts['pve']}/storage.cfg",
                line=storage["line"],
                actual=storage["stored"],
            )
    for name in sorted(policy.jobs.keys() - {job["id"] for job in facts["jobs"] if not job["old"]}):
        yield finding(
            "IO311",
            "warning",
            f"job {piece(name)}: the policy names it, and there is no such job",
            "Correct its id in the policy, or take it out. Ids are in /etc/pve/jobs.cfg.",
            file=f"{facts['pve']}/jobs.cfg",
        )


def _ignored(start: str, line: int, key: str | None, reason: str, file: str) -> Finding:
    """A line that is not in force: a warning where somebody relies on it."""
    relied = key in (*STORED, *CHECKS, "schedule", "enabled", "job")
    severity: Severity = "warning" if relied else "note"
    return finding(
        "IO311",
        severity,
        f"{start}line {line} is not in force: {reason}",
        "Correct the line, or remove it.",
        file=file,
        line=line,
        actual=key,
    )
