# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A host's versions against the known defects: IO402 to IO406. The QEMU of each guest is IO401 (judge_defects.py).

Nothing here has a cure: no run updates a package, and none reboots a host.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ...module_utils._model.findings import Finding, finding
from ...module_utils._shown import some
from ...module_utils._text import plural
from .._policy import defects
from .._policy.defects import Defect, Trigger
from .._policy.version import Version, parse

_RELEASE_SUFFIX = "-pve"


def judge(facts: dict[str, Any], policy: Any, leads: bool) -> list[Finding]:
    """The findings about a host's versions; ``facts`` as in docs/data.md, "Host versions".

    ``policy`` and ``leads`` do not matter: nothing here is set, and a version is the host's own.
    """
    return [
        *_unread(facts),
        *_kernel(facts),
        *_qemu(facts),
        *_pressure(facts),
        *_drivers(facts["windows"] or []),
        *_unknown_drivers(facts["windows"] or []),
    ]


def _unread(facts: dict[str, Any]) -> Iterator[Finding]:
    for problem in facts["problems"]:
        message = f"the versions of this host were not checked whole: {problem['reason']}"
        advice = "Make the file readable, and check again."
        yield finding("IO100", "error", message, advice, file=problem["file"], line=problem["line"])


def _kernel(facts: dict[str, Any]) -> Iterator[Finding]:
    """IO402, one finding for each defect of the running kernel that the host has the trigger of."""
    running = parse((facts["kernel"] or {}).get("version"))
    if running is None:
        return
    for defect in _met(running, facts["has"]):
        message, advice = f"kernel {running}: {defect.effect}", _reboot(defect, facts)
        yield finding("IO402", "warning", message, advice, actual=str(running), wanted=str(defect.fixed))


def _met(kernel: Version, has: dict[str, bool | None]) -> list[Defect]:
    """The defects of a kernel that the host has the trigger of; what is not known is not claimed."""
    return [
        defect
        for defect in defects.KERNEL.values()
        if defect.concerns(kernel) and (defect.hits is None or has[_TRIGGERS[defect.hits]])
    ]


#: The key of the facts' ``has`` for each trigger of the kernel's defects.
_TRIGGERS: dict[Trigger, str] = {
    defects.AACRAID: "aacraid",
    defects.STRIPED_EXT4: "striped_ext4",
    defects.BACKUP_SERVER: "backup_server",
}


def _reboot(defect: Defect, facts: dict[str, Any]) -> str:
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


def _installed_qemu(facts: dict[str, Any]) -> Version | None:
    return parse((facts["packages"] or {}).get("pve-qemu-kvm"))


def _qemu(facts: dict[str, Any]) -> Iterator[Finding]:
    """IO403: what hits guests whatever their disks have. What their disks decide is IO401."""
    installed = _installed_qemu(facts)
    met = [defect for defect in defects.of_qemu(installed) if defect.hits is None]
    if met:
        told = "; ".join(f"{defect.effect} (fixed in {defect.fixed})" for defect in met)
        fixed = max(defect.fixed for defect in met)
        advice = f"Install pve-qemu-kvm {fixed} or later, then stop and start the guests, or migrate them."
        yield finding("IO403", "note", f"QEMU {installed}: {told}", advice, actual=str(installed), wanted=str(fixed))


def _pressure(facts: dict[str, Any]) -> Iterator[Finding]:
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


def _drivers(windows: list[dict[str, Any]]) -> Iterator[Finding]:
    """IO405 for each Windows guest whose driver has a known defect."""
    for guest in windows:
        for defect in defects.VIRTIO_WIN.values():
            release = parse(guest["drivers"].get(_DRIVERS[defect.hits]))
            if release is not None and defect.concerns(release):
                message = f"guest {guest['guest']}: {_DRIVERS[defect.hits]} of virtio-win {release}: {defect.effect}"
                advice = f"Install virtio-win {defect.fixed} or later in the guest."
                yield finding("IO405", "warning", message, advice, actual=str(release), wanted=str(defect.fixed))


#: The name in the facts for each trigger of virtio-win's defects.
_DRIVERS: dict[Trigger | None, str] = {defects.VIOSCSI: "vioscsi"}


def _unknown_drivers(windows: list[dict[str, Any]]) -> Iterator[Finding]:
    """IO406, once a host: the Windows guests whose agent did not tell, by the reason."""
    reasons: dict[str, list[str]] = {}
    for guest in windows:
        if guest["unknown"]:
            reasons.setdefault(guest["unknown"], []).append(guest["guest"])
    if reasons:
        many = sum(map(len, reasons.values()))
        told = "; ".join(f"{', '.join(some(guests))}: {reason}" for reason, guests in reasons.items())
        message = f"the version of virtio-win in {plural(many, 'Windows guest')} is not known ({told})"
        advice = "Check it in the guests, or run QEMU's guest agent of 5.2 or later there and check again."
        yield finding("IO406", "note", message, advice)
