# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A host's versions against the known defects: IO402 to IO404. The QEMU of each guest is IO401 (judge_defects.py).

Nothing here has a cure: no run updates a package, and none reboots a host.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...module_utils._model.findings import Finding, finding
from .._policy import defects
from .._policy.defects import Defect, Trigger
from .._policy.version import Version, parse

_RELEASE_SUFFIX = "-pve"

#: The key of the facts' ``has`` for each trigger of the kernel's defects.
_TRIGGERS: dict[Trigger, str] = {
    defects.AACRAID: "aacraid",
    defects.STRIPED_EXT4: "striped_ext4",
    defects.BACKUP_SERVER: "backup_server",
}


def judge(facts: Mapping[str, Any], policy: Any, leads: bool) -> list[Finding]:
    """The findings about a host's versions; ``facts`` as in docs/data.md, "Host versions".

    ``policy`` and ``leads`` do not matter: nothing here is set, and a version is the host's own.
    """
    return [*_kernel(facts), *_qemu(facts), *_pressure(facts)]


def _kernel(facts: Mapping[str, Any]) -> Iterator[Finding]:
    """IO402, one finding for each defect of the running kernel that the host has the trigger of."""
    running = parse((facts["kernel"] or {}).get("version"))
    if running is None:
        return
    for defect in _met(running, facts["has"]):
        message, advice = f"kernel {running}: {defect.effect}", _reboot(defect, facts)
        yield finding("IO402", "warning", message, advice, actual=str(running), wanted=str(defect.fixed))


def _met(kernel: Version, has: Mapping[str, bool | None]) -> list[Defect]:
    """The defects of a kernel that the host has the trigger of; what is not known is not claimed."""
    return [
        defect
        for defect in defects.KERNEL.values()
        if defect.concerns(kernel) and (defect.hits is None or has[_TRIGGERS[defect.hits]])
    ]


def _reboot(defect: Defect, facts: Mapping[str, Any]) -> str:
    """What to do about a defect of the running kernel."""
    fixed = [one for one in _versions(facts["kernels"]) if one >= defect.fixed and not _met(one, facts["has"])]
    if not fixed:
        return f"Install Proxmox VE's kernel {defect.fixed} or later, and reboot the host."
    advice = f"Reboot the host: kernel {max(fixed)} is installed."
    pinned = parse((facts["pinned"] or "").removesuffix(_RELEASE_SUFFIX))
    if pinned is not None and _met(pinned, facts["has"]):
        return f"Release the pinned kernel {pinned} (proxmox-boot-tool kernel unpin). {advice}"
    return advice


def _versions(texts: Iterable[str | None]) -> list[Version]:
    return [found for found in map(parse, texts) if found is not None]


def _installed_qemu(facts: Mapping[str, Any]) -> Version | None:
    return parse((facts["packages"] or {}).get("pve-qemu-kvm"))


def _qemu(facts: Mapping[str, Any]) -> Iterator[Finding]:
    """IO403: what hits guests whatever their disks have. What their disks decide is IO401."""
    installed = _installed_qemu(facts)
    met = [defect for defect in defects.of_qemu(installed) if defect.hits is None]
    if met:
        told = "; ".join(f"{defect.effect} (fixed in {defect.fixed})" for defect in met)
        fixed = max(defect.fixed for defect in met)
        advice = f"Install pve-qemu-kvm {fixed} or later, then stop and start the guests, or migrate them."
        yield finding("IO403", "note", f"QEMU {installed}: {told}", advice, actual=str(installed), wanted=str(fixed))


def _pressure(facts: Mapping[str, Any]) -> Iterator[Finding]:
    """IO404: the QEMU that starts guests here makes the host's I/O pressure and iowait wrong."""
    qemu, kernel = _installed_qemu(facts), parse((facts["kernel"] or {}).get("version"))
    if qemu is None or qemu < defects.FALSE_PRESSURE_SINCE:
        return
    wanted = []
    if qemu < defects.FALSE_PRESSURE_FIXED:
        wanted.append(f"pve-qemu-kvm {defects.FALSE_PRESSURE_FIXED}")
    if kernel is not None and kernel < defects.FALSE_PRESSURE_KERNEL:
        wanted.append(f"a kernel of {defects.FALSE_PRESSURE_KERNEL}")
    if wanted:
        shown = f"QEMU {qemu}" + (f" on kernel {kernel}" if kernel else "")
        yield finding(
            "IO404",
            "note",
            f"{shown} counts an idle iothread as one that waits for I/O: the host shows nearly 100 % I/O pressure and a"
            " high iowait without any load",
            f"Take neither alone for a stall. They are right with {' and '.join(wanted)}, or later.",
            actual=str(qemu),
        )
