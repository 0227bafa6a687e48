# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""One disk against what the policy wants of it.

It is judged by its values after the next cold start, so that a pending change is not made twice; what is only pending
is IO108.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...module_utils._model.disk_io import native_needs_direct
from ...module_utils._model.records import Disk, Values
from . import judge_aio, judge_cache, judge_iothread
from .disks import Situation, after_restart
from .hypervisors import hint
from .policy import KEEP
from .remark import Remark


def judge(disk: Disk, wanted: dict[str, Any], at: Situation, waived: Callable[[str], bool]) -> list[Remark]:
    """The remarks on one disk, at most one for each rule. ``waived`` tells whether a rule is waived for it."""
    if disk["error"]:
        message, advice = f"the drive is invalid: {disk['error']}", "Fix the line by hand; the guest starts without it."
        return [Remark("IO100", "error", message, advice, disk["error"])]
    if disk["unknown"]:
        return [Remark("IO100", disk["unknown"]["severity"], disk["unknown"]["message"], disk["unknown"]["hint"])]
    if disk["start_fault"]:
        return []  # judge_start.py
    now = after_restart(disk)
    if now is None:
        return [_no_values(disk, at)]
    cache = judge_cache.judge(disk, now, wanted, at)
    if cache and _breaks_native(disk, now, wanted, cache):
        advice = "The policy keeps this disk's aio native, which needs an uncached disk; want aio threads too."
        cache = cache._replace(cure=(), hint=advice)
    made = cache.cure if cache and cache.cure and not waived(cache.rule) else ()
    remarks = (
        judge_iothread.judge(disk, now, wanted, at),
        _not_known(disk, now, wanted, at),
        judge_aio.judge(disk, now, wanted, at, made),
        cache,
    )
    return [remark for remark in remarks if remark]


def _breaks_native(disk: Disk, now: Values, wanted: dict[str, Any], cache: Remark) -> bool:
    """Whether the changes of the cache would leave the disk with aio native and cached, which QEMU refuses."""
    if not cache.cure:
        return False
    after = judge_aio.aio_after(disk, now, wanted, cache.cure)
    return native_needs_direct(after, bool(judge_aio.direct_after(now, cache.cure)))


def _no_values(disk: Disk, at: Situation) -> Remark:
    if disk["storage"] is not None:
        return _unknown_storage(disk, at, "aio", "cache", "iothread")
    message = "what it runs with is not known: it was plugged in, moved or mirrored after the guest started"
    advice = "Stop and start the guest, so that its command line shows it, or check the disk by hand and waive this."
    return Remark("IO100", "error", message, advice)


def _not_known(disk: Disk, now: Values, wanted: dict[str, Any], at: Situation) -> Remark | None:
    """IO100 for the values that are not known; what the disk's own line sets is still judged."""
    unset = []
    if now["aio"] is None and judge_aio.has_aio(now) and wanted["aio"] != KEEP:
        unset.append("aio")
    # Unset it is none, or writeback on btrfs, where the policy does not ask for none: right in both cases.
    if now["cache"] is None and wanted["cache"] != KEEP and ("none" not in wanted["cache"] or disk["storage"] is None):
        unset.append("cache")
    if not unset:
        return None
    if disk["storage"] is not None:
        return _unknown_storage(disk, at, *unset)
    message = f"its command line does not show its {' and '.join(unset)}"
    return Remark("IO100", "error", message, "Check this disk by hand, and waive it if it is right.")


def _unknown_storage(disk: Disk, at: Situation, *unset: str) -> Remark:
    """IO100 for options whose default depends on a storage that is not known."""
    name = disk["storage"]["id"] if disk["storage"] else None
    options = " and ".join(unset)
    verb = "is" if len(unset) == 1 else "are"
    message = f"{options} {verb} unset, and the default depends on storage {name}, which is not defined"
    return Remark("IO100", "error", message, hint(at.guest, "storage_unknown", unset=options))
