# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""ZFS: the ceiling of its cache, what governs what it writes, scrubs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...module_utils._causes import at_boot, texts
from ...module_utils._causes.read import MODULE
from ...module_utils._model.findings import Finding, finding
from ...module_utils._number import whole_number
from ...module_utils._shown import piece, some
from ...module_utils._text import amount, exact_amount
from . import lasting
from .host_policy import HostPolicy
from .lasting import NO_SYS, Boot, Value

Facts = Mapping[str, Any]

_GIB = 1 << 30


def judge(facts: Facts, policy: HostPolicy) -> Iterator[Finding]:
    """IO502, IO503, IO508."""
    if facts["zfs"]:
        yield from _arc(facts, policy.zfs_arc_max)
        yield from _initramfs(facts)
        yield from _dirty(facts)
        yield from _scans(facts)
    elif policy.zfs_arc_max is not None and (facts["zfs_storages"] or not facts["sys"]):
        why = "the module zfs is not loaded" if facts["sys"] else NO_SYS
        yield lasting.unknown("IO502", "zfs_arc_max", why, _said(str(policy.zfs_arc_max)))


def _arc(facts: Facts, wanted: int | None) -> Iterator[Finding]:
    zfs, total = facts["zfs"], facts["memory"]["total"]
    ceiling, parameter = zfs["arc"]["c_max"], zfs["parameters"]["zfs_arc_max"]
    if wanted is not None:
        yield from _wanted_arc(facts, wanted)
        return
    if ceiling is None or total is None or ceiling <= total // 2:
        return
    chosen = parameter not in (None, 0)
    version = texts.version(zfs["version"])
    since = (
        f", the default of OpenZFS from 2.3 on (this is {piece(zfs['version'])})"
        if version and version >= (2, 3)
        else ""
    )
    yield finding(
        "IO502",
        "note" if chosen else "warning",
        f"the ARC may grow to {amount(ceiling)} of {amount(total)} of memory"
        f"{', as zfs_arc_max says' if chosen else since}: guests that need memory wait until the ARC gives it back,"
        " or are swapped out or killed",
        f"Name zfs_arc_max in the policy of hosts: {_advice(total)}.",
        actual=ceiling,
    )


def _advice(total: int) -> str:
    """pve-docs' installer gives the ARC a tenth of the memory, at most 16 GiB."""
    return f"{min(max(total // 10 // _GIB, 2), 16)} GiB is what Proxmox VE's installer would choose here"


def _wanted_arc(facts: Facts, wanted: int) -> Iterator[Finding]:
    zfs = facts["zfs"]
    least, total = zfs["arc"]["c_min"], facts["memory"]["total"]
    impossible = None
    if least and wanted <= least:
        impossible = f"above the ARC's minimum, here {amount(least)}"
    elif total and wanted >= total:
        impossible = f"below the host's memory, here {amount(total)}"
    if impossible:
        yield finding(
            "IO502",
            "error",
            f"zfs_arc_max cannot be {exact_amount(wanted)}: OpenZFS takes a ceiling only where it is {impossible}",
            "Name another zfs_arc_max in the policy of hosts.",
            actual=zfs["parameters"]["zfs_arc_max"],
            wanted=wanted,
        )
        return
    last = facts["boot"]["zfs_arc_max"]
    boot = Boot(
        "modprobe.d",
        at_boot.MODPROBE_FILE,
        "zfs_arc_max",
        facts["boot"]["ours"]["modprobe.d"].get("zfs_arc_max"),
        [last] if last else [],
    )
    more = (
        " The root is on ZFS: run update-initramfs -u -k all afterwards, or a boot does not see the file."
        if zfs["root"]
        else ""
    )
    now = zfs["parameters"]["zfs_arc_max"]
    held = None if now is None else str(now)
    path = f"{MODULE}/zfs_arc_max"
    yield from lasting.judge(Value("IO502", "zfs_arc_max", "module zfs", path, held, str(wanted), boot, _said, more))


def _said(value: str) -> str:
    """A zfs_arc_max for a person, also one that somebody else wrote."""
    number = whole_number(value)
    return piece(value) if number is None else exact_amount(number) if number else "not set"


def _initramfs(facts: Facts) -> Iterator[Finding]:
    if facts["zfs"]["initramfs_is_older"]:
        yield finding(
            "IO502",
            "warning",
            f"{at_boot.MODPROBE_FILE} is newer than the initramfs, from which a host with its root on ZFS loads the"
            " module: the next boot has the old zfs_arc_max",
            "Run update-initramfs -u -k all.",
            file=at_boot.MODPROBE_FILE,
        )


def _dirty(facts: Facts) -> Iterator[Finding]:
    names = facts["zfs_storages"]
    if not names:
        return
    most = facts["zfs"]["parameters"]["zfs_dirty_data_max"]
    governs = "zfs_dirty_data_max" + (f", here {amount(most)}" if most else "")
    yield finding(
        "IO503",
        "note",
        f"{'storage' if len(names) == 1 else 'storages'} {', '.join(some(names))}: the write-back limits (vm.dirty_*)"
        f" do nothing for ZFS; what a pool may owe its disks is {governs}, and above 60 % of that writers are slowed",
        "Nothing to do. Where guests on it freeze while something writes much, try a zfs_dirty_data_max of what the"
        " pool writes in a second or two.",
        actual=most,
    )


def _scans(facts: Facts) -> Iterator[Finding]:
    for one in facts["zfs"]["pools"]:
        if one["scan"]:
            yield finding(
                "IO508",
                "note",
                f"pool {piece(one['name'])}: a {one['scan']} runs now, and reads all its disks",
                "Measure, and judge freezes, when it is over." if one["scan"] == "scrub" else "Let it end.",
                actual=one["scan"],
            )
