# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""IO104: a disk's cache mode."""

from __future__ import annotations

from typing import Any

from ...module_utils._model.disk_io import CACHE_MODES, DURABLE_CACHE_MODES, native_needs_direct
from ...module_utils._model.findings import Change, Severity
from ...module_utils._model.records import Disk, Values
from . import direct_io
from .disks import Situation, configured, setting
from .hypervisors import hint
from .literal import literal, yaml_text
from .policy import KEEP
from .remark import Remark

_UNSAFE = "cache unsafe ignores the guest's flushes: data is lost when the host crashes"

_NO_COPY_ON_WRITE = (
    "Set cache=writeback by hand, or store the image without copy-on-write (btrfs: chattr +C on a new, empty file, then"
    " copy the image into it)."
)


def judge(disk: Disk, now: Values, wanted: dict[str, Any], at: Situation) -> Remark | None:
    """The remark on the disk's cache mode; ``now`` are its values after the next cold start."""
    mode, modes = now["cache"], wanted["cache"]
    if mode is None:
        return None
    if mode == "unsafe" and (disk["read_only"] or disk["overlay"]):
        kept = "is read-only" if disk["read_only"] else "is discarded when the guest stops"
        message = f"cache unsafe on a disk that {kept}: no data can be lost"
        return Remark("IO104", "note", message, "Nothing to set.", mode, modes)
    if direct_io.copy_on_write(disk):
        return _on_copy_on_write(disk, now, wanted, at)
    takes_direct = direct_io.takes_direct_io(disk, wanted["direct_io"])
    if CACHE_MODES[mode][0] and takes_direct is False:
        message = f"cache {mode} on {direct_io.where(disk)}, which refuses direct I/O: QEMU does not start the guest"
        advice = "Set cache=writeback by hand, or move the image to a file system that supports direct I/O."
        return Remark("IO104", "error", message, advice, mode, ["writeback", "writethrough"])
    target = None if modes == KEEP else _possible(modes, CACHE_MODES[mode][0] or takes_direct)
    if mode == "unsafe":
        if modes == KEEP:
            return Remark("IO104", "error", _UNSAFE, "Set cache=none, or name a cache in the policy.", mode, "none")
        # Flushes matter more than the policy's modes, and writeback works on every file system.
        return _changed(disk, now, wanted, at, target or "writeback", _UNSAFE, "error")
    if modes == KEEP or mode in modes:
        return None
    if mode in DURABLE_CACHE_MODES and mode not in wanted["loosen"]:
        message = (
            f"cache {mode} confirms a write only when it is on disk, and {modes[0]} does not, so it is not changed"
        )
        entry = _override(at, disk, f"loosen: [{mode}]")
        advice = f"If the guest does not rely on it, add to the policy's overrides: {entry}"
        return Remark("IO104", "warning", message, advice, mode, modes)
    against = f"cache {mode}, the policy wants {' or '.join(modes)}"
    if target is not None:
        return _changed(disk, now, wanted, at, target, against, "warning")
    where = direct_io.where(disk)
    if takes_direct is False:
        message = f"cache {mode} is kept: {where} refuses direct I/O"
        return Remark("IO104", "note", message, "Nothing to set.", mode, modes)
    message = f"{against}; it is not changed, because {where} may not support direct I/O"
    advice = (
        f"If it does (ext4, XFS), add to the policy's overrides: {_override(at, disk, 'direct_io: true')} If it does"
        " not (FUSE, btrfs, bcachefs), QEMU does not start the guest or its data is at risk: accept the cache with"
        " disk: {cache: keep}."
    )
    return Remark("IO104", "warning", message, advice, mode, modes)


def _changed(
    disk: Disk, now: Values, wanted: dict[str, Any], at: Situation, mode: str, message: str, severity: Severity
) -> Remark:
    cure = _cure(disk, now, wanted, mode)
    advice = hint(at.guest, "cache", key=disk["key"], value=mode)
    return Remark("IO104", severity, message, advice, now["cache"], wanted["cache"], cure)


def _possible(modes: list[str], takes_direct: bool | None) -> str | None:
    """The first wanted cache mode that the image's file system is known to support."""
    return next((mode for mode in modes if takes_direct or not CACHE_MODES[mode][0]), None)


def _on_copy_on_write(disk: Disk, now: Values, wanted: dict[str, Any], at: Situation) -> Remark | None:
    mode = now["cache"]
    if mode == "unsafe":
        advice = "Set cache=writeback, which keeps the flushes and does no direct I/O."
        cure = _cure(disk, now, wanted, "writeback")
        return Remark("IO104", "error", _UNSAFE, advice, mode, ["writeback"], cure)
    if mode not in ("none", "directsync"):
        return None
    of_storage = disk["storage"] is not None and disk["storage"]["type"] == "btrfs"
    kind = "btrfs" if of_storage or disk["filesystem"] is None else disk["filesystem"]["type"]
    message = f"cache {mode} on {kind} with copy-on-write: a buffer that changes in flight causes a checksum error"
    advice = hint(at.guest, "copy_on_write") if of_storage else _NO_COPY_ON_WRITE
    return Remark("IO104", "warning", message, advice, mode, ["writeback", "writethrough"])


def _override(at: Situation, disk: Disk, wish: str) -> str:
    """An entry for the policy's overrides, in YAML, for this disk alone."""
    match = f"guest.id == {literal(at.guest['id'])} && key == {literal(disk['key'])}"
    return f"- {{match: {yaml_text(match)}, disk: {{{wish}}}}}"


def _cure(disk: Disk, now: Values, wanted: dict[str, Any], mode: str) -> tuple[Change, ...]:
    """The changes that set a cache mode, with aio where its default would follow the cache.

    On some storages an unset aio is threads on a cached disk and native or io_uring on an uncached one: changing the
    cache alone would bring the freeze.
    """
    cache = setting(disk, "cache", mode)
    default, direct = disk["aio_default"], CACHE_MODES[mode][0]
    if default is None or configured(disk, "aio") is not None:
        return (cache,)
    wanted_aio = wanted["aio"] == KEEP or now["aio"] in wanted["aio"]
    follows = default["direct" if direct else "cached"] != now["aio"]
    if wanted_aio and follows and not native_needs_direct(now["aio"], direct):
        return (cache, setting(disk, "aio", now["aio"]))
    return (cache,)
