# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Write-back throttling that is switched off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...module_utils._model.findings import Finding, change, finding
from ...module_utils._shown import piece
from .host_policy import HostPolicy
from .lasting import NO_SYS, unknown

Facts = Mapping[str, Any]

# The kernel's own targets in microseconds (block/blk-wbt.c, wbt_default_latency_nsec).
_ROTATIONAL, _OTHER = 75_000, 2_000


def judge(facts: Facts, policy: HostPolicy) -> Iterator[Finding]:
    """IO504."""
    asked = policy.wbt is not None
    if asked and not facts["sys"]:
        yield unknown("IO504", "write-back throttling", NO_SYS, "the kernel's default")
    for disk in facts["disks"]:
        if asked and disk["wbt_lat_usec"] is None:
            why = f"wbt_lat_usec of {disk['name']} is no number"
            yield unknown("IO504", f"disk {piece(disk['id'])}: write-back throttling", why, "the kernel's default")
        # bfq switches it off itself, and does not need it.
        if disk["wbt_lat_usec"] == 0 and disk["scheduler"] != "bfq":
            wanted = str(_ROTATIONAL if disk["rotational"] else _OTHER)
            yield finding(
                "IO504",
                "warning",
                f"disk {piece(disk['id'])}: write-back throttling is off (wbt_lat_usec of {disk['name']} is 0):"
                " what the host writes through its cache fills the queue in front of the guests' requests",
                "Set it now. Whoever switched it off does so again at boot: look for wbt_lat_usec in /etc/udev/rules.d,"
                " /etc/tmpfiles.d and /etc/rc.local."
                if asked
                else "Name wbt: default in the policy of hosts, and find who switched it off: look for wbt_lat_usec in"
                " /etc/udev/rules.d, /etc/tmpfiles.d and /etc/rc.local.",
                actual="0",
                wanted=wanted,
                cure=[change(f"disk {disk['id']}", "wbt_lat_usec", "0", wanted)] if asked else [],
            )
