# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Where backups go (IO308), and what backups left behind (IO310)."""

from __future__ import annotations

from collections.abc import Iterator

from ...module_utils._model.findings import Finding, finding
from ...module_utils._shown import piece, some
from ...module_utils._text import plural
from .load_policy import LoadPolicy
from .load_view import Facts, about, enabled, line, named, running, why_unusable


def judge(facts: Facts, policy: LoadPolicy, leads: bool) -> Iterator[Finding]:
    """What is found about the targets of a node's backups; a job without one is the cluster's matter."""
    for job in enabled(facts) if leads else ():
        name = job["values"]["storage"]
        why = why_unusable(facts, name, "backup", job) if name else None
        if why:
            yield finding(
                "IO308",
                "warning",
                f"job {job['id']}: {about(job)}its storage {piece(name)} {why}: it backs nothing up",
                "Name a storage that can hold backups, or remove the job.",
                file=job["file"],
                line=line(job, "storage"),
                actual=name,
            )
    yield from _targets(facts)
    for left in facts["guests"]["left_images"]:
        yield finding(
            "IO310",
            "note",
            f"guest {left['guest']} ({piece(left['name'])}): {plural(len(left['images']), 'fleecing image')} of an"
            f" earlier backup left: {', '.join(some(left['images']))}",
            "The next backup of the guest removes them. Where there is none, remove them with pvesm free, if no backup"
            " runs.",
            file=left["file"],
            line=left["line"],
            actual=left["images"],
        )


def _targets(facts: Facts) -> Iterator[Finding]:
    """IO308 for the targets that this node's backups use."""
    jobs = running(facts)
    targets = dict.fromkeys(one.target for one in jobs if one.target is not None and one.guests != [])
    for target in targets:
        used = named(one.job for one in jobs if one.target == target)
        served = [one for one in facts["guests"]["served"] if one["server"] in target.servers]
        for one in served:
            yield finding(
                "IO308",
                "warning",
                f"{target.key}: its server {one['server']} is guest {one['guest']} ({piece(one['name'])}) of this"
                f" node, and {used} back{'s' if used.startswith('job ') else ''} up to it: a backup waits for a guest"
                " that waits for the backup",
                "Back up to another machine, or leave that guest out of the job.",
                file=target.file,
                line=target.line,
                actual=one["server"],
            )
        without = [one for one in jobs if one.target == target and one.waits]
        if target.hard and not served:
            also = ", and so do the writes of guests that are backed up without fleecing" if without else ""
            fleecing = "Fleecing keeps guests out of that; a" if without else "A"
            yield finding(
                "IO308",
                "note",
                f"{target.key}: a hard NFS mount: where its server is gone, a backup waits for ever{also}",
                f"{fleecing} soft mount ends a backup with an error in place of waiting.",
                file=target.file,
                line=target.line,
            )
