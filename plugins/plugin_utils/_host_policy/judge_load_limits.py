# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The limits of restore, migration, clone and move (IO306), and those in a wrong unit (IO307)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...module_utils._load import stored
from ...module_utils._load.limits import effective
from ...module_utils._load.property_string import OPERATIONS
from ...module_utils._load.storages import LoadStorage
from ...module_utils._load.units import spelled
from ...module_utils._load.vzdump_conf import PATH
from ...module_utils._model.findings import Finding, change, finding
from ...module_utils._shown import piece
from . import load_words as words
from .load_policy import LoadPolicy
from .load_view import Facts, about, by_id, enabled, line, running

# Below the first a copy takes for ever, and above the second nothing is limited: KiB/s.
_SUSPICIOUS = (1 << 10, 10 << 20)

Limits = Mapping[str, float]


def judge(facts: Facts, policy: LoadPolicy, leads: bool) -> Iterator[Finding]:
    """What is found about limits; all but vzdump.conf is the cluster's, and judged where ``leads``."""
    file = facts["vzdump"]
    if file is not None:
        values = {"bwlimit": file["values"]["bwlimit"]}
        yield from _units(stored.VZDUMP, values, {"bwlimit": policy.backup.bwlimit}, PATH, file["lines"].get("bwlimit"))
    if not leads:
        return
    for job in enabled(facts):
        yield from _units(
            stored.job(job["id"]),
            {"bwlimit": job["values"]["bwlimit"]},
            {"bwlimit": policy.of_job(job["id"]).bwlimit},
            job["file"],
            line(job, "bwlimit"),
            about(job),
        )
    datacenter = facts["datacenter"]
    yield from _wanted(stored.DATACENTER, datacenter, policy.limits, _file(facts), datacenter["line"], ({}, {}))
    yield from _units(stored.DATACENTER, datacenter["limits"] or {}, policy.limits, _file(facts), datacenter["line"])
    now: Limits = datacenter["limits"] or {}
    above = (now, {**now, **policy.limits})
    for name, limits in policy.storages.items():
        yield from _named_storage(facts, name, limits, above)
    for storage in facts["storages"] or ():
        wanted = policy.storages.get(storage["id"], {})
        key = stored.storage(storage["id"])
        yield from _units(key, storage["limits"] or {}, wanted, _cfg(facts), storage["line"])
        yield from _order(facts, storage, policy)
    # A tree may lack a file that every node has: what it would set is not known.
    if not policy.limits and (facts["live"] or datacenter["file"]):
        yield from _none(facts, policy)
    yield from _pbs(facts, policy)


def _file(facts: Facts) -> str:
    return f"{facts['pve']}/datacenter.cfg"


def _cfg(facts: Facts) -> str:
    return f"{facts['pve']}/storage.cfg"


def _wanted(
    key: str, now: Mapping[str, Any], limits: Mapping[str, int], file: str, at: int | None, above: tuple[Limits, Limits]
) -> Iterator[Finding]:
    """IO306 where limits are other than the policy names. ``above`` are those that hold where these name none, as they
    are, and as the policy has them.
    """
    have: Limits = now["limits"] or {}
    said = []
    for name, kib in limits.items():
        for verb, named, others in (("is", have, above[0]), ("would be", {**have, **limits}, above[1])):
            limit, whose = _held(name, have, named, others)
            if limit != kib:
                held = spelled(limit) if limit or name in have else "not limited"
                said.append(f"{name} {verb} {held}{whose}, wanted {spelled(kib)}")
                break
    if not said:
        return
    before = now["stored"]
    after = stored.bwlimit(before, limits)
    yield finding(
        "IO306",
        "warning",
        f"{key}: {'; '.join(said)}",
        f"Set bwlimit {after} there.",
        file=file,
        line=at,
        actual=before,
        wanted=after,
        cure=[change(key, "bwlimit", before, after)],
    )


def _held(name: str, have: Limits, named: Limits, above: Limits) -> tuple[float, str]:
    """What an operation is held to, 0 for nothing, and by what where it has no value of its own: by the ``default`` of
    what is ``named``, else by the datacenter. ``default`` itself stands for the operations without a value.
    """
    if name in have:
        return have[name], ""
    if name != "default" and named.get("default"):
        return named["default"], " by default"
    if name != "default" and "default" in named:
        return 0, ""
    free = [one for one in OPERATIONS if one not in named] if name == "default" else [name]
    limit = max((above.get(one, above.get("default", 0)) for one in free), default=0)
    return limit, " by datacenter.cfg" if limit else ""


def _named_storage(
    facts: Facts, name: str, limits: Mapping[str, int], above: tuple[Limits, Limits]
) -> Iterator[Finding]:
    storage = by_id(facts).get(name)
    if storage is not None:
        yield from _wanted(stored.storage(name), storage, limits, _cfg(facts), storage["line"], above)
    elif facts["storages"] is not None:
        yield finding(
            "IO306",
            "warning",
            f"storage {name}: the policy limits it, and it is not in storage.cfg",
            "Correct its id in the policy, or take it out.",
            file=_cfg(facts),
        )


def _units(
    key: str, have: Mapping[str, Any], wanted: Mapping[str, Any], file: str, at: int | None, note: str = ""
) -> Iterator[Finding]:
    """IO307: a limit so small or so large that its unit is probably another; one that the policy names is meant."""
    for name, kib in have.items():
        if not kib or kib == wanted.get(name) or _SUSPICIOUS[0] <= kib <= _SUSPICIOUS[1]:
            continue
        guess = "MiB/s" if kib < _SUSPICIOUS[0] else "bytes/s"
        yield finding(
            "IO307",
            "warning",
            f"{key}: {note}{name} {kib:.15g} is {spelled(kib)}, and was probably meant in {guess}",
            "Proxmox VE counts this limit in KiB/s.",
            file=file,
            line=at,
            actual=kib,
        )


def _order(facts: Facts, storage: LoadStorage, policy: LoadPolicy) -> Iterator[Finding]:
    """IO306: 0 on a storage is unlimited or not, by the order in which an operation names its storages."""
    mine = _limits(storage, policy)
    datacenter = facts["datacenter"]["limits"]
    free = [
        name
        for name in OPERATIONS
        if mine.get(name, mine.get("default")) == 0
        for other in facts["storages"]
        if effective(name, [mine, _limits(other, policy)], datacenter)
        != effective(name, [_limits(other, policy), mine], datacenter)
    ]
    if free:
        yield finding(
            "IO306",
            "note",
            f"storage {storage['id']}: {', '.join(dict.fromkeys(free))} 0 is no limit, and with another storage that"
            " has one it depends on their order which of the two counts",
            "Give both a limit, or none.",
            file=_cfg(facts),
            line=storage["line"],
            actual=storage["stored"],
        )


def _limits(storage: LoadStorage, policy: LoadPolicy) -> dict[str, float]:
    """The limits of a storage, as they are or as the policy names them."""
    return {**(storage["limits"] or {}), **policy.storages.get(storage["id"], {})}


def _none(facts: Facts, policy: LoadPolicy) -> Iterator[Finding]:
    """IO306: operations that nothing limits, on any storage."""
    datacenter = facts["datacenter"]["limits"]
    listed = [_limits(one, policy) for one in facts["storages"] or ()] or [{}]
    free = [name for name in OPERATIONS if not any(effective(name, [one], datacenter) for one in listed)]
    if free:
        yield finding(
            "IO306",
            "note",
            f"datacenter: no limit on {', '.join(free)}: {words.NO_LIMIT}",
            "Limit them to less than the disk's rate: bwlimit in datacenter.cfg, or of a storage. A backup is not among"
            " them, it has a bwlimit of its own.",
            file=_file(facts),
            line=facts["datacenter"]["line"],
            actual=facts["datacenter"]["stored"],
        )


def _pbs(facts: Facts, policy: LoadPolicy) -> Iterator[Finding]:
    """IO306: a restore from a Proxmox Backup Server obeys no limit, whatever is set."""
    all_limits: list[Limits] = [facts["datacenter"]["limits"] or {}, policy.limits, *policy.storages.values()]
    all_limits += [one["limits"] or {} for one in facts["storages"] or ()]
    if not any(limits.get("restore", limits.get("default")) for limits in all_limits):
        return
    used = {one.backup.storage for one in running(facts)} | {job["values"]["storage"] for job in enabled(facts)}
    for storage in facts["storages"] or ():
        if storage["type"] == "pbs" and storage["id"] in used:
            yield finding(
                "IO306",
                "note",
                f"storage {piece(storage['id'])}: a restore from it obeys no limit: Proxmox VE gives pbs-restore none",
                "Restore when guests can wait, or limit the traffic of that server in its own settings.",
                file=_cfg(facts),
                line=storage["line"],
            )
