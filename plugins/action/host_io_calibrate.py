# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Action host_io_calibrate: find the cheapest limits that hold a guest's freeze under a bound. Documentation:
modules/host_io_calibrate.py.

A calibration takes minutes. Each run is a call of io_calibrate of its own, so that a person sees it go on, and so that
the host's values are changed for one run at a time.
"""

from __future__ import annotations

import time
from typing import Any

from ..module_utils._calibrate import candidates, choose, policy, report
from ..module_utils._prove import backup
from ..module_utils._prove.errors import ProveError
from ..module_utils._text import visible
from ..plugin_utils._action import Action, Ended
from ..plugin_utils._terminal import show, width

#: Seconds that a run is taken to last before one was made.
_FIRST_RUN_S = 45
#: What a run may write at most, MiB, as io_calibrate's own default.
_RUN_MB = 16384
_LEAST_MB = 1024


class ActionModule(Action):
    """Calls io_calibrate for the rate, and then for each run that the room _calibrate asks for."""

    ARGUMENTS = {
        "loads": {
            "type": "list",
            "elements": "str",
            "choices": list(candidates.LOADS),
            "default": list(candidates.LOADS),
        },
        "bound_ms": {"type": "float", "default": 100},
        "write_bound_ms": {"type": "float", "default": 1000},
        "rounds": {"type": "int", "default": 3},
        "minutes": {"type": "float", "default": 11},
        "total_mb": {"type": "int", "default": 262144},
        "backup": {"type": "dict", "default": {}},
        "fleecing": {"type": "path"},
        "fleecing_storage": {"type": "str"},
        "measure": {"type": "dict", "required": True},
    }

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """The calibration, with its report and the policy."""
        for key in ("bound_ms", "write_bound_ms", "rounds", "minutes", "total_mb"):
            if options[key] <= 0:
                raise ValueError(f"{key} is {options[key]:g}; it must be more than 0")
        if options["fleecing"] and not options["fleecing_storage"]:
            raise ValueError(
                "fleecing names the directory to measure with; name its storage for the policy too (fleecing_storage)"
            )
        try:
            today = backup.check(options["backup"], "the backup of today")
        except ProveError as exc:
            raise ValueError(str(exc)) from None
        # Every load once, in the order in which they are measured: what is chosen for one is set under those after it.
        loads = [load for load in candidates.LOADS if load in options["loads"]]
        checked = self._checked_first(loads, today, options)
        if self.check:
            lines = [f"{self.host} has everything that the calibration needs.", *checked["production"]]
            lines += [
                f"A killed run left {path} changed; the next run puts it back." for path in checked["left_behind"]
            ]
            show(lines)
            return {"lines": lines, "disk": checked["disk"], "runs": [], "policy": {}}
        return self._shown(_Calibration(self, options, loads, today).made(), options)

    def _checked_first(self, loads: list[str], today: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
        """What is missing for any load fails here, before anything is started."""
        check, self._task.check_mode = self._task.check_mode, True
        try:
            found: dict[str, Any] = {}
            for load in loads:
                asked = {**today, "fleecing": options["fleecing"] or today["fleecing"]} if load == "backup" else today
                found = self.module("io_calibrate", "disk", **options["measure"], measure=load, backup=given(asked))
            return found
        finally:
            self._task.check_mode = check

    def _shown(self, calibration: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
        show(["", f"{self.host}, {visible(options['measure']['path'])}", *report.lines(calibration, width())])
        return {
            "disk": calibration["facts"],
            "rate": calibration["rate"],
            "candidates": calibration["candidates"],
            "chosen": calibration["chosen"],
            "runs": calibration["runs"],
            "accelerator": calibration["accelerator"],
            "policy": calibration["policy"],
            "lines": report.lines(calibration),
        }


class _Calibration:
    """One calibration while it goes on."""

    def __init__(self, action: ActionModule, options: dict[str, Any], loads: list[str], today: dict[str, Any]) -> None:
        self._action, self._options, self._today = action, options, today
        self._measure = dict(options["measure"])
        self._end = time.monotonic() + options["minutes"] * 60
        self._longest = float(_FIRST_RUN_S)
        self._left_mb = options["total_mb"]
        self._found: dict[str, Any] = {
            "loads": loads,
            "bounds": {"gap_ms": options["bound_ms"], "write_ms": options["write_bound_ms"]},
            "rounds": options["rounds"],
            "candidates": {load: [] for load in loads},
            "chosen": {},
            "runs": [],
            "left_out": [],
            "not_measured": [],
            "accelerator": None,
            "policy": {},
            "complete": False,
        }

    def made(self) -> dict[str, Any]:
        """The whole calibration, as report.py takes it. Where a run fails, what was measured before is shown."""
        found, options = self._found, self._options
        host = self._action.host
        show([f"{host}: how fast the disk is ..."])
        first = self._action.module("io_calibrate", "rate", **self._measure, measure="rate", backup=given(self._today))
        found.update(facts=first["disk"], rate=first["rate"])
        if first["put_back"]:
            show([f"{host}: put back what a killed run had left changed: {', '.join(first['put_back'])}"])
        disk_rate = min(first["rate"]["write_mb_per_s"], first["rate"]["read_mb_per_s"])
        shorter, left_out = candidates.of_queue(found["facts"], first["rate"]["write_mb_per_s"])
        above = candidates.TODAY
        for load in found["loads"]:
            if load == "backup":
                of = candidates.of_backup(
                    self._today, disk_rate, first["rate"]["target_mb_per_s"], options["fleecing"] or None
                )
            elif load == "writer":
                of = shorter
            else:
                # Nothing is backed up beside a restore.
                above = {**above, "backup": {}}
                of = candidates.of_restore(disk_rate, [] if above["queue"] or above["dirty"] else shorter)
            found["left_out"] += [] if load == "backup" or found["left_out"] else left_out
            found["candidates"][load] = candidates.on(above, of)
            try:
                self._load(load)
            except Ended:
                if found["runs"]:
                    show(["", *report.lines(found, width())])
                raise
            above = candidates.joined(above, found["chosen"][load] or candidates.TODAY)
        chosen = {load: one for load, one in found["chosen"].items() if one}
        found["complete"] = True
        found["policy"] = policy.policies(chosen, found["facts"], options["fleecing_storage"])
        return found

    def _load(self, load: str) -> None:
        """All runs of one load, and what is chosen of them."""
        tried = self._found["candidates"][load]
        bounds, runs = self._found["bounds"], self._found["runs"]
        while one := choose.following(tried, runs, load, bounds, self._options["rounds"]):
            if time.monotonic() + self._longest > self._end or self._left_mb < _LEAST_MB:
                self._found["not_measured"] += [
                    f"{each['name']} ({load})" for each in tried if not choose.of(runs, load, each["name"])
                ]
                break
            try:
                runs.append(self._once(load, one))
            except Ended as ended:
                if not ended.result.get("cannot_set"):
                    raise
                self._found["left_out"].append(f"{one['name']} is left out: {ended.result['msg']}")
                tried.remove(one)
        self._found["chosen"][load] = choose.cheapest(tried, runs, load, bounds)

    def _once(self, load: str, one: dict[str, Any]) -> dict[str, Any]:
        about = f"{self._action.host}: {load}, {one['name']}"
        show([f"{about} ..."])
        begun = time.monotonic()
        returned = self._action.module(
            "io_calibrate",
            "run",
            **{
                **self._measure,
                "measure": load,
                "queue": one["queue"] or None,
                "dirty": one["dirty"] or None,
                "backup": given({**self._today, **one["backup"]}),
                "load_mb_per_s": one["load_mb_per_s"],
                "load_total_mb": min(_RUN_MB, self._left_mb),
            },
        )
        self._longest = max(time.monotonic() - begun, self._longest if self._found["runs"] else 0)
        run = {"load": load, "name": one["name"], **returned["run"]}
        # The run's own figures about its load have that name.
        run["load"], run["written"] = load, returned["run"]["load"]
        self._left_mb -= run["written_mb"]
        self._found["accelerator"] = self._found["accelerator"] or returned["accelerator"]
        if returned["accelerator"]["name"] == "tcg":
            # Not tried again each time, for as long as a guest takes that does not boot.
            self._measure["accelerator"] = "tcg"
        write = run["longest_write_ms"]
        show(
            [
                f"{about}: freeze {run['longest_gap_ms']:.0f} ms, longest write"
                f" {'not known' if write is None else f'{write:.0f} ms'}, {run['disk_mb_per_s']} MB/s"
            ]
        )
        return run


def given(values: dict[str, Any]) -> dict[str, Any]:
    """Without nulls, which a module's option does not take."""
    return {key: value for key, value in values.items() if value is not None}
