# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Backups that meet a scrub, a trim or a check of md arrays (IO309)."""

from __future__ import annotations

from collections.abc import Iterator

from ...module_utils._load import maintenance, schedules
from ...module_utils._model.findings import Finding, finding
from ...module_utils._shown import piece
from .load_policy import LoadPolicy
from .load_view import Facts, Running, label, line, named, running

# How long they run is in no file. A scrub or a check of a large disk takes hours, and a backup of a node too.
_WORK_LASTS, _BACKUP_LASTS = 12 * 60, 6 * 60


def judge(facts: Facts, policy: LoadPolicy, leads: bool) -> Iterator[Finding]:
    """IO309, one for what is done beside backups, and one for the schedules that are not understood."""
    known: list[tuple[Running, schedules.Starts]] = []
    unknown = []
    for one in running(facts) if facts["maintenance"] else ():
        if one.guests == []:
            continue
        starts = schedules.calendar(one.job["schedule"] or "")
        if starts is None:
            unknown.append(one)
        else:
            known.append((one, starts))
    for work in facts["maintenance"]:
        starts = maintenance.starts(work)
        if starts is None:
            yield _unknown(
                f"the schedule of {work['what']} is not understood", work["file"], work["line"], work["schedule"]
            )
            continue
        met = [one for one, other in known if schedules.meet(starts, other, _WORK_LASTS, _BACKUP_LASTS)]
        if met:
            yield finding(
                "IO309",
                "note",
                f"{work['what']} and {named(one.job for one in met)} can run at the same time: both read the disks of"
                " the guests, which wait longer then",
                "Move one of them to another day.",
                file=work["file"],
                line=work["line"],
                actual={label(one.job): one.job["schedule"] for one in met},
            )
    for one in unknown:
        said = f"job {one.job['id']}: its schedule is not understood: {piece(one.job['schedule'] or '')}"
        yield _unknown(said, one.job["file"], line(one.job, "schedule"), one.job["schedule"])


def _unknown(said: str, file: str, at: int | None, schedule: str | None) -> Finding:
    return finding(
        "IO309",
        "note",
        f"{said}; whether a backup meets a scrub, a trim or a check was not judged",
        "Look at both by hand.",
        file=file,
        line=at,
        actual=schedule,
    )
