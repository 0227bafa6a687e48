# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""IO103, IO105 and IO107: a disk's aio mode."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...module_utils._model.disk_io import AIO_DRIVERS, CACHE_MODES, native_needs_direct
from ...module_utils._model.findings import Change, Severity
from ...module_utils._model.records import Disk, Values
from .disks import Situation, configured, setting
from .hypervisors import hint
from .policy import KEEP
from .remark import Remark

Cure = Sequence[Change]


def judge(disk: Disk, now: Values, wanted: dict[str, Any], at: Situation, cache: Cure) -> Remark | None:
    """The remark on the disk's aio mode; ``now`` are its values after the next cold start, ``cache`` the changes that
    are made for its cache mode.
    """
    aio, modes = now["aio"], wanted["aio"]
    if aio is None:
        says = not has_aio(now) and (modes != KEEP or disk["configured"]["aio"])
        return _without_effect(disk, now, modes, at) if says else None
    direct = direct_after(now, cache)
    unasked = _unasked(disk, now, cache, direct)
    after = _wanted(unasked, modes)
    if now["cache_direct"] is not None and native_needs_direct(aio, now["cache_direct"]):
        own = (setting(disk, "aio", after),) if after != unasked else ()
        enough = own and not native_needs_direct(after, now["cache_direct"])
        return Remark(
            "IO105",
            "error",
            f"aio native with cache {now['cache']}: QEMU refuses it, the guest does not start",
            hint(at.guest, "aio", key=disk["key"], value=str(after))
            if after != aio
            else "Set cache=none, or another aio.",
            {"aio": aio, "cache": now["cache"]},
            {"aio": modes, "cache": wanted["cache"]},
            () if native_needs_direct(after, bool(direct)) else own if enough else (*own, *cache),
        )
    if after == unasked:
        return None
    severity: Severity = "note" if aio == "threads" or (now["iothread"] and not at.old_qemu) else "error"
    if native_needs_direct(after, bool(direct)):
        why = "the cache of this one is not known" if direct is None else f"this one keeps cache {now['cache']}"
        message = f"aio {aio}, the policy wants native, which needs an uncached disk; {why}"
        return Remark("IO103", severity, message, "Want aio threads for this disk, or cache none.", aio, modes)
    iothread = "with" if now["iothread"] else "without"
    message = f"aio {aio} {iothread} an iothread, the policy wants {' or '.join(modes)}"
    advice = hint(at.guest, "aio", key=disk["key"], value=str(after))
    return Remark("IO103", severity, message, advice, aio, modes, (setting(disk, "aio", after),))


def has_aio(now: Values) -> bool:
    """False where the disk's driver has no aio option; a driver that is not known is taken to have one."""
    return now["driver"] is None or now["driver"] in AIO_DRIVERS


def direct_after(now: Values, cache: Cure) -> bool | None:
    """Whether the disk is opened with O_DIRECT after the changes of its cache; None where its cache is not known."""
    mode = now["cache"]
    for change in cache:
        mode = change["after"] if change["option"] == "cache" else mode
    return None if mode is None else CACHE_MODES[mode][0]


def aio_after(disk: Disk, now: Values, wanted: dict[str, Any], cache: Cure) -> str | None:
    """The aio that the disk has after all changes."""
    return _wanted(_unasked(disk, now, cache, direct_after(now, cache)), wanted["aio"])


def _wanted(unasked: str | None, modes: Any) -> str | None:
    return unasked if unasked is None or modes == KEEP or unasked in modes else str(modes[0])


def _unasked(disk: Disk, now: Values, cache: Cure, direct: bool | None) -> str | None:
    """The aio that the disk has after the changes of its cache alone."""
    for change in cache:
        if change["option"] == "aio":
            return str(change["after"])
    default = disk["aio_default"]
    if default is None or configured(disk, "aio") is not None:
        return now["aio"]
    return default["direct" if direct else "cached"]


def _without_effect(disk: Disk, now: Values, modes: Any, at: Situation) -> Remark:
    kind = disk["storage"]["type"] if disk["storage"] else None
    of_storage = f" for storage type {kind}" if kind else ""
    message = f"aio has no effect: QEMU's driver {now['driver']}{of_storage} has no such option"
    return Remark("IO107", "note", message, hint(at.guest, "no_aio"), None, modes)
