# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Memory: swap on a ZFS volume, swappiness, transparent huge pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...module_utils._causes import at_boot
from ...module_utils._causes.read import SYSCTLS
from ...module_utils._model.findings import Finding, finding
from ...module_utils._shown import piece
from ...module_utils._text import amount
from . import lasting
from .host_policy import HostPolicy
from .lasting import Boot, Setting, Value, at_most

Facts = Mapping[str, Any]

# What pve-docs advise for hosts with ZFS (local-zfs.adoc, "SWAP on ZFS").
_ADVISED = 10
_NEVER = "never"


def judge(facts: Facts, policy: HostPolicy) -> Iterator[Finding]:
    """IO501, IO509, IO510."""
    yield from _swap(facts)
    yield from _swappiness(facts, policy.swappiness)
    yield from _huge_pages(facts, policy.transparent_hugepage)


def _swap(facts: Facts) -> Iterator[Finding]:
    for one in facts["swaps"]:
        if one["kind"] == "zvol":
            used = f"{amount(one['used'])} of it used" if one["used"] else "nothing of it used yet"
            yield finding(
                "IO501",
                "error" if one["used"] else "warning",
                f"swap {piece(one['path'])}: it is a ZFS volume, {used}; to swap out, ZFS needs memory just when there"
                " is none, and then the host stands still with all its guests",
                "Take it off (swapoff) while there is memory to spare, remove it from /etc/fstab, and swap on a"
                " partition that ZFS does not use.",
                actual=one["path"],
            )


def _swappiness(facts: Facts, wanted: int | None) -> Iterator[Finding]:
    now = facts["sysctls"]["vm.swappiness"]
    boot = Boot(
        "sysctl.d",
        at_boot.SYSCTL_FILE,
        "vm.swappiness",
        facts["boot"]["ours"]["sysctl.d"].get("vm.swappiness"),
        _settings(facts["boot"]["sysctls"]["vm.swappiness"]),
    )
    if wanted is not None:
        path, named = SYSCTLS["vm.swappiness"], str(wanted)
        held = None if now is None else str(now)
        value = Value("IO510", "vm.swappiness", "kernel", path, held, named, boot, stricter=at_most(named))
        yield from lasting.judge(value)
        return
    on_disk = [one for one in facts["swaps"] if one["kind"] != "zram"]
    used = sum(one["used"] for one in on_disk)
    if on_disk and now is not None and now > _ADVISED and (used or facts["zfs"]):
        said = f"and {amount(used)} of swap is used" if used else "on a host with ZFS and swap"
        yield finding(
            "IO510",
            "note",
            f"vm.swappiness is {now} {said}: a guest whose memory was swapped out stands still until it is read back,"
            " from the disk that is busy",
            f"Name swappiness: {_ADVISED} in the policy of hosts.",
            actual=now,
            wanted=_ADVISED,
        )


def _huge_pages(facts: Facts, wanted: str | None) -> Iterator[Finding]:
    now = facts["thp"]
    boot = Boot(
        "tmpfiles.d",
        at_boot.TMPFILES_FILE,
        "transparent_hugepage",
        facts["boot"]["ours"]["tmpfiles.d"].get("transparent_hugepage"),
        facts["boot"]["thp"],
    )
    if wanted is not None:
        if now == _NEVER and not boot.settings:
            # The kernel's command line: it holds after a boot too.
            return
        option = "transparent_hugepage"
        value = Value("IO509", option, "kernel", at_boot.THP, now, wanted, boot, stricter=lambda word: word == _NEVER)
        yield from lasting.judge(value)
    elif now == "always":
        yield finding(
            "IO509",
            "note",
            "transparent huge pages are always given: where memory is in pieces, a process waits until the kernel has"
            " moved enough of it together",
            "Name transparent_hugepage: madvise in the policy of hosts. QEMU asks for them itself (MADV_HUGEPAGE).",
            actual=now,
            wanted="madvise",
        )


def _settings(last: Setting | None) -> list[Setting]:
    return [last] if last else []
