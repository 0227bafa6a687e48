# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The kernel: write-back throttling that is switched off, and a pressure that is none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...module_utils._causes import texts
from ...module_utils._model.findings import Finding, change, finding
from ...module_utils._shown import piece
from .host_policy import HostPolicy

Facts = Mapping[str, Any]

# The kernel's own targets in microseconds (block/blk-wbt.c, wbt_default_latency_nsec).
_ROTATIONAL, _OTHER = 75_000, 2_000
# From here on QEMU's iothreads wait in io_uring, and Linux can tell that from waiting for a disk.
_QEMU, _LINUX = (10, 2), (6, 15)


def judge(facts: Facts, policy: HostPolicy) -> Iterator[Finding]:
    """IO504, IO511."""
    yield from _throttling(facts, policy.wbt is not None)
    yield from _pressure(facts)


def _throttling(facts: Facts, asked: bool) -> Iterator[Finding]:
    for disk in facts["disks"]:
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


def _pressure(facts: Facts) -> Iterator[Finding]:
    qemu, linux = texts.version(facts["qemu"]), texts.version(facts["kernel"])
    if qemu and linux and qemu >= _QEMU and linux < _LINUX:
        yield finding(
            "IO511",
            "note",
            f"I/O pressure and iowait near 100 % say nothing here: QEMU {piece(facts['qemu'])} waits in io_uring, and"
            f" Linux {piece(facts['kernel'])} counts that as waiting for a disk",
            "Do not take /proc/pressure/io or iowait for evidence of a freeze; io_stall_info looks at the guests"
            " themselves. Linux 6.15 tells the two apart.",
        )
