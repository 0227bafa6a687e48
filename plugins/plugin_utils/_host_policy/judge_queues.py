# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The queues of a host's disks against the policy, IO211 to IO215 (docs/queues.md). Pure, no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...module_utils._model.findings import Change, Finding, change, finding
from ...module_utils._queues import udev_rules
from ...module_utils._queues.settings import DISK, RULE, same_limit
from ...module_utils._shown import some
from ...module_utils._text import amount, exact_amount, plural
from ...module_utils._writeback.settings import SHORT_BYTES
from . import disks_policy, judge_queues_reach
from .host_policy import HostPolicy

Facts = Mapping[str, Any]
Disk = Mapping[str, Any]

_MEASURE = (
    "Measure on this disk which queue holds the freeze under a bound, and what it costs (playbook calibrate_io); then"
    " name it in the policy's disks."
)


def judge(facts: Facts, policy: HostPolicy, _leads: bool) -> list[Finding]:
    """The findings of ``_queues/read.py``'s facts; all of them are the host's own, whether it leads or not."""
    found: list[Finding] = []
    for disk in facts["disks"]:
        wanted = disks_policy.wanted(policy.disks, disk["ids"])
        if wanted:
            found += _against(disk, wanted, facts)
        elif disk["kind"] == "disk":
            found += _long(disk, facts["dirty"])
        found += judge_queues_reach.of_disk(disk, wanted, facts)
    return [*found, *_left(facts, policy), *judge_queues_reach.of_storages(facts, bool(policy.disks))]


def about(disk: Disk) -> str:
    """How a message begins: the stable name of the disk, then the kernel's."""
    best = disk["ids"][0] if disk["ids"] else disk["name"]
    return f"disk {best}: {disk['name']}" if best != disk["name"] else f"disk {best}: it"


def _against(disk: Disk, wanted: dict[str, str], facts: Facts) -> Iterator[Finding]:
    """IO211, IO212 and IO215: a disk that the policy names."""
    possible = {}
    for option, value in wanted.items():
        why = _impossible(disk, option, value)
        if why:
            yield finding(
                "IO215",
                "error",
                f"{about(disk)} cannot have {option} {_told(option, value)}: {why}",
                "Change it in the policy's disks.",
                actual=_text(disk[option]),
                wanted=value,
            )
        elif option not in ("max_bytes", "strict_limit") or not _covered(wanted, facts["dirty"]):
            possible[option] = value
    best = disk["ids"][0]
    ours = facts["rules"].get(best, {})
    # What we set moves with the policy, also to more, and so does a max_bytes that moved with the host's limit.
    stays = {
        option for option in possible if option not in ours and _is_stricter(option, disk[option], possible[option])
    }
    now = [
        change(DISK + best, option, _text(disk[option]), value)
        for option, value in possible.items()
        if option not in stays and not _is(option, disk[option], value)
    ]
    if now:
        yield finding(
            "IO211",
            "warning",
            f"{about(disk)} has {_list(now, 'before')}; the policy asks for {_list(now, 'after')}",
            "Set it. A shorter queue lets less of a flush in front of a guest's request.",
            actual={one["option"]: one["before"] for one in now},
            wanted={one["option"]: one["after"] for one in now},
            cure=now,
        )
    at_boot = [
        change(RULE + best, option, ours.get(option), value)
        for option, value in possible.items()
        # A rule would raise at boot what stays as it is now.
        if ours.get(option) != value and option not in stays
    ]
    if at_boot:
        yield finding(
            "IO212",
            "warning",
            f"{about(disk)} does not get {_list(at_boot, 'after')} when it appears, as at boot",
            f"Write a udev rule to {udev_rules.PATH}.",
            file=udev_rules.PATH,
            actual={one["option"]: one["before"] for one in at_boot},
            wanted={one["option"]: one["after"] for one in at_boot},
            cure=at_boot,
        )


def _impossible(disk: Disk, option: str, value: str) -> str | None:
    """Why a disk cannot have what the policy asks for; None where it can."""
    if option in ("nr_requests", "max_sectors_kb"):
        if disk["kind"] == "layer":
            lies_on = f" ({', '.join(disk['below'])})" if disk["below"] else ""
            return f"it has no queue; name the disks that it lies on{lies_on}"
        if disk[option] is None:
            return f"its kernel has no {option} for it"
        most = disk["max_hw_sectors_kb"]
        if option == "max_sectors_kb" and most is not None and int(value) > most:
            return f"its hardware takes at most {most}"
    elif not disk["has_limit"]:
        return "a limit of a device's own needs Linux 6.2 or later"
    return None


def _covered(wanted: Mapping[str, str], dirty: Mapping[str, Any]) -> bool:
    """Whether the host's own limit does what a ``max_bytes`` is to do; the kernel takes none above it."""
    return dirty["limit"] is not None and int(wanted["max_bytes"]) >= dirty["limit"]


def _is(option: str, value: Any, wanted: str) -> bool:
    if option == "max_bytes":
        return same_limit(value, int(wanted))
    return _text(value) == wanted


def _is_stricter(option: str, value: Any, wanted: str) -> bool:
    """Whether a disk has less than the policy names, which lets less in front of a guest's request."""
    if option == "strict_limit" or value is None or _is(option, value, wanted):
        return False
    return int(value) < int(wanted)


def _text(value: Any) -> str | None:
    """A value as it is stored."""
    return None if value is None else str(int(value))


def _told(option: str, value: str) -> str:
    if option == "max_bytes":
        return exact_amount(int(value))
    return {"1": "on", "0": "off"}[value] if option == "strict_limit" else value


def _list(changes: Sequence[Change], side: str) -> str:
    """``nr_requests 16, no max_bytes``: one side of changes."""
    values = [(one["option"], one["before"] if side == "before" else one["after"]) for one in changes]
    return ", ".join(
        f"no {option}" if value is None else f"{option} {_told(option, value)}" for option, value in values
    )


def _left(facts: Facts, policy: HostPolicy) -> Iterator[Finding]:
    """What rules of ours set that the policy does not name any more, or that are of a name which a disk had."""
    for name, options in facts["rules"].items():
        disk = next((one for one in facts["disks"] if name in one["ids"]), None)
        wanted = disks_policy.wanted(policy.disks, disk["ids"]) if disk and disk["ids"][0] == name else {}
        left = [change(RULE + name, option, value, None) for option, value in options.items() if option not in wanted]
        if not left or (disk is None and disks_policy.wanted(policy.disks, [name])):
            # A disk that is not here now may come back.
            continue
        other = f", and this disk has its rule as {disk['ids'][0]}" if disk and disk["ids"][0] != name else ""
        yield finding(
            "IO212",
            "note",
            f"disk {name}: a udev rule of ours still sets {_list(left, 'before')}, which the policy does not name"
            f"{other}",
            "Name it in the policy's disks, or give it back: with a rollback of the run that set it, or with"
            " io_host_state: absent, which gives back all that was set.",
            file=udev_rules.PATH,
            actual={one["option"]: one["before"] for one in left},
        )


def _long(disk: Disk, dirty: Mapping[str, Any]) -> Iterator[Finding]:
    """IO213: a rotational disk under guests on which a flush can put more before a guest's request than was measured
    to be harmless. What another disk stands is not known without a measurement.
    """
    queue = disk["queue_bytes"]
    if not (disk["rotational"] and disk["images"] and queue):
        return
    limits = [limit for limit in (dirty["limit"], disk["max_bytes"]) if limit is not None]
    if min([queue, *limits]) <= SHORT_BYTES:
        return
    requests = f"{plural(disk['nr_requests'], 'request')} of {disk['max_sectors_kb']} KiB"
    flush = "" if dirty["limit"] is None else f", and {amount(dirty['limit'])} may wait in memory for one flush"
    yield finding(
        "IO213",
        "note",
        f"{about(disk)} is rotational, holds guests' images ({', '.join(some(disk['images']))}), and its queue holds"
        f" {amount(queue)} ({requests}){flush}",
        _MEASURE,
        actual=queue,
    )
