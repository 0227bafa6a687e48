# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""One disk against what the policy wants of it: findings, and the changes that cure them.

Judged is what the disk has after its next cold start (``next``), so that a
change that waits already is not made twice; what only waits is IO108.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from ...module_utils._model.disk_io import (
    AIO_DRIVERS,
    CACHE_MODES,
    DURABLE_CACHE_MODES,
    IOTHREAD_CONTROLLER,
    native_needs_direct,
)
from . import direct_io
from .document import KEEP


class Hold(NamedTuple):
    """Why disks on virtio-scsi are left without an iothread, and what to do about it: sentences, the first without its
    full stop.
    """

    reason: str
    hint: str


class Remark(NamedTuple):
    """A finding about one disk or controller, before guest and host are added.

    ``changes`` are the plan's ``(option, before, after)`` that cure it, none where nothing may;
    ``cured`` tells that a change elsewhere (the controller's) cures it.
    """

    rule: str
    severity: str
    message: str
    hint: str
    actual: Any
    wanted: Any
    changes: tuple[tuple[str, Any, Any], ...] = ()
    cured: bool = False


class Situation(NamedTuple):
    """What a disk's judgement depends on beside the disk: the controller before and after, QEMU's generation, the
    guest's id, and why a disk on virtio-scsi must not be given an iothread, or what to make sure of first (a sentence
    after a blank)."""

    controller: str
    controller_after: str
    old_qemu: bool
    guest: str
    hold: Hold | None = None
    caution: str = ""


def judged(disk: dict[str, Any]) -> bool:
    """True for the drives that the policy is about: disks, not media, and not on their way out."""
    return disk["media"] == "disk" and not disk["pending_delete"]


def settings(disk: dict[str, Any]) -> dict[str, Any] | None:
    """What the disk has after the next cold start, as ``effective``."""
    return disk["next"] or disk["effective"]


def judge(disk: dict[str, Any], wanted: dict[str, Any], situation: Situation) -> list[Remark]:
    """The remarks on one disk, the gravest of each kind once."""
    if disk["error"]:
        return [
            Remark(
                "IO100",
                "error",
                f"Proxmox VE rejects this drive: {disk['error']}",
                "Mend the line by hand; until then the guest starts without this disk.",
                disk["error"],
                None,
            )
        ]
    if disk["start_fault"]:
        return []  # judge_start.py
    now = settings(disk)
    storage = disk["storage"]
    if now is None and storage is None:
        return [_unknown_to_process()]
    if now is None:
        return [_unknown_storage(disk, "aio", "cache", "iothread")]
    remarks = [*_iothread(disk, now, wanted, situation), *_not_known(disk, now, wanted)]
    cache = _cache(disk, now, wanted, situation)
    if cache and cache.changes and native_needs_direct(_aio_after(disk, now, wanted, cache), _direct_after(now, cache)):
        cache = cache._replace(
            changes=(),
            hint="The disk's aio stays native by this policy, which takes an uncached disk; want aio threads too.",
        )
    aio = _aio(disk, now, wanted, situation, cache)
    return remarks + [remark for remark in (*aio, cache) if remark]


def _unknown_to_process() -> Remark:
    """A disk of a guest that is known from its process alone, and not from its command line."""
    return Remark(
        "IO100",
        "error",
        "what it runs with is not known: it was plugged in, moved or mirrored after the guest's start",
        "Stop and start the guest, so that its command line tells, or judge the disk by hand and waive this.",
        None,
        None,
    )


def _not_known(disk: dict[str, Any], now: dict[str, Any], wanted: dict[str, Any]) -> list[Remark]:
    """IO100 for those of the disk's values that nothing here tells; what its own line says is judged all the same."""
    unset = []
    if now["aio"] is None and _has_aio(now) and wanted["aio"] != KEEP:
        unset.append("aio")
    # Unset it is none, and writeback on btrfs, where the policy does not ask for none: in order either way.
    if now["cache"] is None and wanted["cache"] != KEEP and ("none" not in wanted["cache"] or disk["storage"] is None):
        unset.append("cache")
    if not unset:
        return []
    if disk["storage"] is not None:
        return [_unknown_storage(disk, *unset)]
    hint = "Judge this disk by hand, and waive it if it is in order."
    return [Remark("IO100", "error", f"its command line does not tell its {' and '.join(unset)}", hint, None, None)]


def _has_aio(now: dict[str, Any]) -> bool:
    """False where the disk's driver has no aio; of a driver that is not known it is taken to have one."""
    return now["driver"] is None or now["driver"] in AIO_DRIVERS


def _unknown_storage(disk: dict[str, Any], *unset: str) -> Remark:
    """IO100 for the options that a drive leaves to a storage that nobody knows."""
    name = (disk["storage"] or {"id": None})["id"]
    left = f"{' and '.join(unset)} {'is' if len(unset) == 1 else 'are'} unset, and the default"
    return Remark(
        "IO100",
        "error",
        f"{left} depends on storage {name}, which is not in storage.cfg",
        f"Add the storage to storage.cfg, or set {' and '.join(unset)}: what the drive itself says holds on every"
        " storage.",
        None,
        None,
    )


def _set(disk: dict[str, Any], option: str, after: Any) -> tuple[str, Any, Any]:
    before = (disk["pending"] or disk["configured"])[option]
    return (option, before, after)


def _iothread(disk: dict[str, Any], now: dict[str, Any], wanted: dict[str, Any], at: Situation) -> list[Remark]:
    if wanted["iothread"] == KEEP or now["iothread"]:
        return []
    if now["iothread"] is None:
        hint = "Judge this disk by hand, and waive it if it is in order."
        return [
            Remark(
                "IO100",
                "error",
                "whether it has an iothread is not known: its command line does not tell its controller",
                hint,
                None,
                True,
            )
        ]
    safe_aio = now["aio"] == "threads"
    severity = "warning" if safe_aio else "error"
    if disk["bus"] not in ("scsi", "virtio"):
        return [
            Remark(
                "IO106",
                severity,
                f"bus {disk['bus']} cannot have an iothread"
                + (", aio threads keeps the freeze away" if safe_aio else ""),
                "Move the disk to scsi or virtio by hand, with the guest's drivers in place; until then aio=threads.",
                False,
                True,
            )
        ]
    if at.hold is not None and disk["bus"] == "scsi":
        return [
            Remark(
                "IO102",
                severity,
                f"no iothread in effect, and none is given: {at.hold.reason}",
                at.hold.hint,
                False,
                True,
            )
        ]
    configured = (disk["pending"] or disk["configured"])["iothread"]
    possible = disk["bus"] == "virtio" or at.controller_after == IOTHREAD_CONTROLLER
    if configured:
        return [
            Remark(
                "IO102",
                severity,
                f"iothread=1 is ignored: controller {at.controller} gives no iothread",
                f"Set the controller to {IOTHREAD_CONTROLLER}.",
                False,
                True,
                cured=possible,
            )
        ]
    if not possible:
        return [
            Remark(
                "IO102",
                severity,
                f"no iothread, and controller {at.controller} cannot give one",
                f"Needs controller {IOTHREAD_CONTROLLER}, see IO101.",
                False,
                True,
            )
        ]
    return [
        Remark(
            "IO102",
            severity,
            "no iothread in effect",
            "Set iothread=1." + (at.caution if disk["bus"] == "scsi" else ""),
            False,
            True,
            (_set(disk, "iothread", True),),
        )
    ]


def _cache(disk: dict[str, Any], now: dict[str, Any], wanted: dict[str, Any], at: Situation) -> Remark | None:
    mode = now["cache"]
    if mode is None:
        return None
    if mode == "unsafe" and (disk["read_only"] or disk["overlay"]):
        kept = "is read-only" if disk["read_only"] else "is discarded when the guest stops"
        return Remark(
            "IO104",
            "note",
            f"cache unsafe on a disk that {kept}: no data can be lost",
            "Nothing to set.",
            mode,
            wanted["cache"],
        )
    if direct_io.copy_on_write(disk):
        return _cache_on_cow(disk, now, wanted)
    modes = wanted["cache"]
    takes_direct = direct_io.takes_direct_io(disk, wanted["direct_io"])
    if CACHE_MODES[mode][0] and takes_direct is False:
        return Remark(
            "IO104",
            "error",
            f"cache {mode} on {direct_io.where(disk)}, which refuses direct I/O: QEMU does not start the guest",
            "Set cache=writeback by hand, or move the image to a file system that takes direct I/O.",
            mode,
            ["writeback", "writethrough"],
        )
    target = None if modes == KEEP else _possible(modes, CACHE_MODES[mode][0] or takes_direct)
    if mode == "unsafe":
        message = "cache unsafe throws the guest's flushes away: data is lost when the host crashes"
        if modes == KEEP:
            return Remark("IO104", "error", message, "Set cache=none, or name a cache in the policy.", mode, "none")
        # Flushes are worth more than the policy's word, and writeback starts on every file system.
        target = target or "writeback"
        return Remark(
            "IO104", "error", message, f"Set cache={target}.", mode, modes, _set_cache(disk, now, wanted, target)
        )
    if modes == KEEP or mode in modes:
        return None
    if mode in DURABLE_CACHE_MODES and mode not in wanted["loosen"]:
        return Remark(
            "IO104",
            "warning",
            f"cache {mode} acknowledges a write only when it is on disk; {modes[0]} would loosen that, so it is left",
            "Where the guest does not rely on it, add to guest_io_policy.overrides:"
            f" {_override(at, disk, f'loosen: [{mode}]')}",
            mode,
            modes,
        )
    if target is None:
        return _cache_stays(disk, mode, modes, takes_direct, at)
    return Remark(
        "IO104",
        "warning",
        f"cache {mode}, the policy wants {' or '.join(modes)}",
        f"Set cache={target}.",
        mode,
        modes,
        _set_cache(disk, now, wanted, target),
    )


def _possible(modes: list[str], takes_direct: bool | None) -> str | None:
    """The first of the wanted cache modes that the image's file system is known to take."""
    return next((mode for mode in modes if takes_direct or not CACHE_MODES[mode][0]), None)


def _cache_stays(disk: dict[str, Any], mode: str, modes: list[str], takes_direct: bool | None, at: Situation) -> Remark:
    """A cached disk that the policy wants uncached, on a file system that refuses that, or may."""
    where = direct_io.where(disk)
    if takes_direct is False:
        return Remark(
            "IO104", "note", f"cache {mode} is kept: {where} refuses direct I/O", "Nothing to set.", mode, modes
        )
    return Remark(
        "IO104",
        "warning",
        f"cache {mode}, the policy wants {' or '.join(modes)}; it is left, because {where} is not known to take"
        " direct I/O",
        f"Where it does (ext4, XFS), add to guest_io_policy.overrides: {_override(at, disk, 'direct_io: true')} Where"
        " it does not (FUSE, btrfs, bcachefs), QEMU does not start the guest or its data is at risk: accept the cache"
        " with disk: {cache: keep}.",
        mode,
        modes,
    )


def _override(at: Situation, disk: dict[str, Any], wish: str) -> str:
    """An entry of the policy's overrides, in YAML, for this disk alone."""
    match = f"guest.id == '{at.guest}' && key == '{disk['key']}'"
    return f"- {{match: {json.dumps(match)}, disk: {{{wish}}}}}"


def _set_cache(
    disk: dict[str, Any], now: dict[str, Any], wanted: dict[str, Any], mode: str
) -> tuple[tuple[str, Any, Any], ...]:
    """The changes that set a cache mode, aio named where its default would follow the cache.

    On lvm, cifs and krbd an unset aio is threads while the disk is cached and native or io_uring
    when it is not: without a word about aio, mending the cache would bring the freeze.
    """
    cache = _set(disk, "cache", mode)
    default = disk["aio_default"]
    wanted_aio = wanted["aio"] == KEEP or now["aio"] in wanted["aio"]
    if default is None or _set(disk, "aio", None)[1] is not None or not wanted_aio:
        return (cache,)
    direct = CACHE_MODES[mode][0]
    follows = default["direct" if direct else "cached"] != now["aio"]
    return (
        (cache, _set(disk, "aio", now["aio"])) if follows and not native_needs_direct(now["aio"], direct) else (cache,)
    )


def _direct_after(now: dict[str, Any], cache: Remark | None) -> bool | None:
    """None where the disk's cache is not known."""
    if cache and cache.changes:
        return CACHE_MODES[cache.changes[0][2]][0]
    return None if now["cache"] is None else CACHE_MODES[now["cache"]][0]


def _aio_after(disk: dict[str, Any], now: dict[str, Any], wanted: dict[str, Any], cache: Remark | None) -> str | None:
    beside = _aio_beside(disk, now, cache)
    if beside is None:
        return None
    return beside if wanted["aio"] == KEEP or beside in wanted["aio"] else wanted["aio"][0]


def _aio_beside(disk: dict[str, Any], now: dict[str, Any], cache: Remark | None) -> str | None:
    """The aio a disk has once its cache is mended, with no further word about aio."""
    named = [after for option, _before, after in (cache.changes if cache else ()) if option == "aio"]
    if named:
        return named[0]
    unset = _set(disk, "aio", None)[1] is None
    return (
        disk["aio_default"]["direct" if _direct_after(now, cache) else "cached"]
        if unset and disk["aio_default"]
        else now["aio"]
    )


def _cache_on_cow(disk: dict[str, Any], now: dict[str, Any], wanted: dict[str, Any]) -> Remark | None:
    mode = now["cache"]
    kind, hint = (
        "btrfs",
        "Remove the cache option by hand, or store the image without copy-on-write (storage option nocow).",
    )
    if (disk["storage"] or {}).get("type") != "btrfs":
        kind = disk["filesystem"]["type"]
        hint = (
            "Set cache=writeback by hand, or store the image without copy-on-write (btrfs: chattr +C on a new, empty"
            " file, then copy it in)."
        )
    if mode == "unsafe":
        return Remark(
            "IO104",
            "error",
            "cache unsafe throws the guest's flushes away: data is lost when the host crashes",
            "Set cache=writeback, which keeps the flushes and does no direct I/O.",
            mode,
            ["writeback"],
            _set_cache(disk, now, wanted, "writeback"),
        )
    if mode in ("none", "directsync"):
        return Remark(
            "IO104",
            "warning",
            f"cache {mode} on {kind} with copy-on-write: a buffer that changes in flight makes a checksum error",
            hint,
            mode,
            ["writeback", "writethrough"],
        )
    return None


def _aio(
    disk: dict[str, Any], now: dict[str, Any], wanted: dict[str, Any], at: Situation, cache: Remark | None
) -> list[Remark]:
    aio, modes = now["aio"], wanted["aio"]
    if aio is None:
        return (
            [_without_effect(disk, now, modes)]
            if not _has_aio(now) and (modes != KEEP or disk["configured"]["aio"])
            else []
        )
    direct_after = _direct_after(now, cache)
    beside, after = _aio_beside(disk, now, cache), _aio_after(disk, now, wanted, cache)
    if now["cache_direct"] is not None and native_needs_direct(aio, now["cache_direct"]):
        cured = not native_needs_direct(after, direct_after)
        return [
            Remark(
                "IO105",
                "error",
                f"aio native with cache {now['cache']}: QEMU refuses it, the guest does not start",
                f"Set aio={after}." if after != aio else "Set cache=none, or another aio.",
                {"aio": aio, "cache": now["cache"]},
                {"aio": modes, "cache": wanted["cache"]},
                (_set(disk, "aio", after),) if cured and after != beside else (),
                cured=cured,
            )
        ]
    if after != beside and native_needs_direct(after, bool(direct_after)):
        keeps = "the cache of this one is not known" if direct_after is None else f"this one keeps cache {now['cache']}"
        return [
            Remark(
                "IO103",
                _aio_severity(now, at),
                f"aio {aio}, the policy wants native, which needs an uncached disk; {keeps}",
                "Want aio threads for this disk, or a cache of none.",
                aio,
                modes,
            )
        ]
    if after == beside:
        return []
    return [
        Remark(
            "IO103",
            _aio_severity(now, at),
            f"aio {aio} {'with' if now['iothread'] else 'without'} an iothread, the policy wants {' or '.join(modes)}",
            f"Set aio={after}.",
            aio,
            modes,
            (_set(disk, "aio", after),),
        )
    ]


def _aio_severity(now: dict[str, Any], at: Situation) -> str:
    if now["aio"] == "threads":
        return "note"
    return "note" if now["iothread"] and not at.old_qemu else "error"


def _without_effect(disk: dict[str, Any], now: dict[str, Any], modes: Any) -> Remark:
    storage = (disk["storage"] or {}).get("type") or "path"
    return Remark(
        "IO107",
        "note",
        f"aio has no effect here: storage type {storage} reaches QEMU through its driver {now['driver']}, which has"
        " none",
        "Nothing to set; limit backup and migration load for this storage. rbd with krbd would take aio.",
        None,
        modes,
    )
