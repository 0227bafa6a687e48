# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""md: checks of arrays, and how fast they may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...module_utils._causes import at_boot
from ...module_utils._causes.read import SYSCTLS
from ...module_utils._model.findings import Finding, change, finding
from ...module_utils._shown import piece
from . import lasting
from .host_policy import HostPolicy
from .lasting import NO_SYS, Boot, Value, at_most

Facts = Mapping[str, Any]

_LIMIT = "dev.raid.speed_limit_max"


def judge(facts: Facts, policy: HostPolicy) -> Iterator[Finding]:
    """IO507."""
    named = policy.md_sync_speed_max is not None
    if named and not facts["sys"]:
        yield lasting.unknown(
            "IO507", "the rate of md's checks", NO_SYS, _said(str((policy.md_sync_speed_max or 0) >> 10))
        )
    if policy.md_sync_speed_max is not None and facts["arrays"]:
        yield from _wanted(facts, str(policy.md_sync_speed_max >> 10))
    for one in facts["arrays"]:
        if one["sync_action"] in ("check", "repair", "resync", "recover"):
            speed = one["sync_speed_max"]
            yield finding(
                "IO507",
                "note",
                f"array {piece(one['name'])}: a {_WORDS[one['sync_action']]} runs now"
                + (f", at up to {_said(str(speed))}" if speed else ""),
                "Measure, and judge freezes, when it is over. A slower rebuild leaves the array degraded for longer."
                if one["sync_action"] == "recover"
                else "Measure, and judge freezes, when it is over"
                + ("." if named else ", or name md_sync_speed_max in the policy of hosts."),
                actual=one["sync_action"],
            )


_WORDS = {"check": "check", "repair": "repair", "resync": "resync", "recover": "rebuild"}


def _wanted(facts: Facts, wanted: str) -> Iterator[Finding]:
    now, last = facts["sysctls"][_LIMIT], facts["boot"]["sysctls"][_LIMIT]
    own = facts["boot"]["ours"]["sysctl.d"].get(_LIMIT)
    boot = Boot("sysctl.d", at_boot.SYSCTL_FILE, _LIMIT, own, [last] if last else [])
    stricter, held = at_most(wanted), None if now is None else str(now)
    yield from lasting.judge(
        Value("IO507", _LIMIT, "kernel", SYSCTLS[_LIMIT], held, wanted, boot, said=_said, stricter=stricter)
    )
    for one in facts["arrays"]:
        if one["sync_speed_max"] is None:
            why = "sync_speed_max is not there, or is no number"
            yield lasting.unknown("IO507", f"array {piece(one['name'])}: its rate", why, _said(wanted))
        elif one["own_speed"] and one["sync_speed_max"] > int(wanted):
            name, speed = piece(one["name"]), str(one["sync_speed_max"])
            yield finding(
                "IO507",
                "warning",
                f"array {name}: sync_speed_max is {_said(speed)}, its own, wanted {_said(wanted)}; {_LIMIT}"
                " does not count for it",
                "Set it now. What set it sets it again at boot: look for sync_speed_max in /etc/mdadm/mdadm.conf and in"
                " /etc/udev/rules.d.",
                actual=speed,
                wanted=wanted,
                cure=[change(f"array {one['name']}", "sync_speed_max", speed, wanted)],
            )


def _said(value: str) -> str:
    return f"{piece(value)} KiB/s"
