# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""One step of a calibration on its host: the storage's rate, or one run of a guest under a load with given values.

Built on the lab of _prove, which measures one guest on a busy storage. What is decided of the runs is in choose.py.
"""

from __future__ import annotations

from typing import Any

from .._host.tree import Tree
from .._prove import backup, lab, setting, storage
from .._prove.errors import ProveError
from . import disk, kept, rate
from .candidates import LOADS

MEASURES = ("rate", *LOADS)
_RATE_S = 3
_RATE_MB = 512

Options = dict[str, Any]


def _setting(options: Options) -> dict[str, Any]:
    """The guest's setting: as the policy hardens it, or Proxmox VE's defaults; with a backup, except in a restore.

    Beside a writer the backup goes nowhere: what its target does to the guest's writes is measured without a writer.
    """
    guest = dict(setting.HARDENED if options["hardened"] else setting.TODAY, name=options["measure"])
    if options["measure"] == "restore":
        return guest
    saved = dict(options["backup"] or {})
    if options["measure"] == "writer":
        saved.update(target=None, target_mb_per_s=0, target_requests_per_s=0, fleecing=None)
    return {**guest, "during": backup.BACKUP, "backup": saved}


def _lab_options(options: Options) -> Options:
    """Those of io_prove, for one run."""
    writers = 0 if options["measure"] == "backup" else 1
    return {
        **options,
        "settings": [_setting(options)],
        "runs": 1,
        "image_format": "raw",
        "load_writers": writers,
    }


def values(options: Options, facts: dict[str, Any]) -> kept.Values:
    """What is set while a run is measured: of each disk's queue, and of the device's dirty limit."""
    queue = {key: value for key, value in (options["queue"] or {}).items() if value is not None}
    dirty = {key: value for key, value in (options["dirty"] or {}).items() if value is not None}
    found: kept.Values = {one["name"]: dict(queue) for one in facts["disks"] if queue}
    if dirty and facts["device"]:
        found.setdefault(facts["device"]["name"], {}).update(dirty)
    if (queue or dirty) and not found:
        raise kept.CannotSet("this directory is on no block device of its own, so there is nothing to set")
    return found


def check(options: Options, tree: Tree) -> dict[str, Any]:
    """{disk, production, left_behind}: what is there, before anything is started.

    Raises ProveError for what is missing, and where the storage is in production and ``sure`` is not given.
    """
    if options["measure"] == "rate":
        storage.check_room(options["path"], _RATE_MB * storage.MIB)
        storage.check_direct(options["path"])
    else:
        lab.check(_lab_options(options))
    facts = disk.facts(tree, options["path"])
    production = disk.production(tree, options["path"], facts["around"])
    if production and not options["sure"]:
        more = f" and {len(production) - 3} more" if len(production) > 3 else ""
        raise ProveError(
            f"{options['path']} is in production: {'; '.join(production[:3])}{more}. A calibration slows down"
            " everything on that storage for minutes. Nothing was started. Say that you are sure (sure), or name"
            " another directory"
        )
    return {"disk": facts, "production": production, "left_behind": kept.left_behind(tree)}


def _rates(options: Options) -> dict[str, Any]:
    """Those of the storage and, where there is one, of the backup's target."""
    found: dict[str, Any] = {**rate.measure(options["path"], _RATE_MB * storage.MIB, _RATE_S), "target_mb_per_s": None}
    saved = backup.check(options["backup"] or {}, "the backup")
    if saved["target"] is not None:
        storage.check_room(saved["target"], _RATE_MB * storage.MIB)
        target = rate.measure(saved["target"], _RATE_MB * storage.MIB, _RATE_S)["write_mb_per_s"]
        found["target_mb_per_s"] = min(target, saved["target_mb_per_s"] or target)
    return found


def take(options: Options, tree: Tree) -> dict[str, Any]:
    """The step: {disk, production, put_back, rate, run, accelerator}; rate or run is null. Raises ProveError.

    put_back are the files of /sys that a killed run had left changed. Nothing stays set.
    """
    with kept.Kept(tree) as record:
        put_back = record.put_back_left()
        found = check(options, tree)
        done: dict[str, Any] = {
            "disk": found["disk"],
            "production": found["production"],
            "put_back": put_back,
            "rate": None,
            "run": None,
            "accelerator": None,
        }
        if options["measure"] == "rate":
            return {**done, "rate": _rates(options)}
        given = _lab_options(options)
        needs = lab.check(given)
        device = found["disk"]["device"]
        moved = (lambda: disk.moved_bytes(tree, device["name"])) if device else None
        with record.changed(values(options, found["disk"])), lab.Lab(given, needs) as one:
            run = one.run(needs["settings"][0], 1, moved)
            accelerator = {"name": one.accelerator, "reason": one.accelerator_reason}
        run["disk_mb_per_s"] = run["load"]["mb_per_s"]
        files = 1 + len(backup.directories(needs["settings"][0]["backup"] or backup.DEFAULTS))
        run["written_mb"] = run["load"]["mb"] + files * options["image_mb"]
        return {**done, "run": run, "accelerator": accelerator}
