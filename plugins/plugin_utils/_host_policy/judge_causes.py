# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Other causes of freezes on a host, IO501 to IO510 (docs/causes.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...module_utils._causes import at_boot
from ...module_utils._model.findings import Finding, finding
from ...module_utils._shown import piece
from . import (
    judge_causes_lvm,
    judge_causes_md,
    judge_causes_memory,
    judge_causes_nfs,
    judge_causes_wbt,
    judge_causes_zfs,
)
from .host_policy import HostPolicy


def judge(facts: Mapping[str, Any], policy: HostPolicy, _leads: bool) -> list[Finding]:
    """The findings of ``_causes/read.py``'s facts; all of them are the host's own, whether it leads or not."""
    subjects = (
        judge_causes_memory,
        judge_causes_zfs,
        judge_causes_lvm,
        judge_causes_nfs,
        judge_causes_md,
        judge_causes_wbt,
    )
    found = [one for subject in subjects for one in subject.judge(facts, policy)]
    return [*found, *_left(facts["boot"]["ours"], policy)]


#: Our file, and what it sets → the rule about it, and its key in the policy.
_OURS = {
    ("sysctl.d", "vm.swappiness"): ("IO510", at_boot.SYSCTL_FILE, "swappiness"),
    ("sysctl.d", "dev.raid.speed_limit_max"): ("IO507", at_boot.SYSCTL_FILE, "md_sync_speed_max"),
    ("modprobe.d", "zfs_arc_max"): ("IO502", at_boot.MODPROBE_FILE, "zfs_arc_max"),
    ("tmpfiles.d", "transparent_hugepage"): ("IO509", at_boot.TMPFILES_FILE, "transparent_hugepage"),
}


def _left(ours: Mapping[str, Mapping[str, str]], policy: HostPolicy) -> Iterator[Finding]:
    """What an earlier policy had us set, and this one does not name."""
    for (place, option), (rule, path, key) in _OURS.items():
        value = ours[place].get(option)
        if value is not None and getattr(policy, key) is None:
            yield finding(
                rule,
                "note",
                f"our {path} still sets {option} to {piece(value)} at boot, and the policy of hosts does not name"
                f" {key}",
                f"Name {key}, or give it back: with a rollback of the run that set it, or with io_host_state: absent,"
                " which gives back all that was set.",
                file=path,
                actual=value,
            )
