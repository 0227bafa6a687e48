# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Action guest_io_prove: measure a guest's disk as it is and as the policy wants it. Documentation:
modules/guest_io_prove.py.

A measurement takes minutes. Each setting of each round is a call of its own, in the order in which io_prove itself
would measure them, so that a person sees it go on.
"""

from __future__ import annotations

from typing import Any

from ..module_utils._prove.errors import ProveError
from ..module_utils._prove.report import proof
from ..module_utils._text import visible
from ..plugin_utils._action import Action, Ended
from ..plugin_utils._asked.measure import settings
from ..plugin_utils._called import called
from ..plugin_utils._render.next_lines import step_lines
from ..plugin_utils._render.next_steps import proof_steps
from ..plugin_utils._terminal import show, width

#: As io_prove's own default.
_ROUNDS = 3


class ActionModule(Action):
    """Calls guest_io_info and guest_io_assess for a guest that is named, and io_prove for each setting and round."""

    ARGUMENTS = {
        "guest": {"type": "str"},
        "disk": {"type": "str"},
        "root": {"type": "str", "default": "/"},
        "policy": {"type": "raw", "default": {}},
        "also": {"type": "list", "elements": "dict"},
        "during": {"type": "list", "elements": "str"},
        "backup": {"type": "dict"},
        "measure": {"type": "dict", "required": True},
    }

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """What io_prove returns of the whole measurement."""
        try:
            compared = self._settings(options)
        except ProveError as exc:
            raise ValueError(str(exc)) from None
        planned = self._planned(compared, options["measure"])
        if self.check:
            show([f"{self.host}: {planned['lines'][0]}", *(f"  {line}" for line in planned["lines"][1:])])
            return planned
        done = self._measured(planned["settings"], options["measure"])
        call = called(self.task_vars)
        # Of a machine that only has a storage to measure, there is no guest to look at.
        if options["guest"] or "localhost," not in call.inventory:
            show(step_lines(proof_steps(options["guest"], call), False, call.left_out, width()))
        return done

    def _settings(self, options: dict[str, Any]) -> list[dict[str, Any]]:
        guests: list[dict[str, Any]] = []
        findings: dict[str, Any] = {}
        guest = options["guest"]
        if guest:
            where = {"root": options["root"], "guests": [guest]}
            guests = self.module("guest_io_info", "guests", **where)["guests"]
            # Nothing is changed here: what a guest would get with another controller is measured.
            every_guest = "guest.id != ''"
            findings = self.action(
                "guest_io_assess", "plan", policy=options["policy"], migrate_controllers=every_guest, **where
            )
        return settings(guests, findings, guest, options["disk"], options["also"], options["during"], options["backup"])

    def _planned(self, compared: list[dict[str, Any]], measure: dict[str, Any]) -> dict[str, Any]:
        """What would be measured. Fails for what is missing for any setting, before anything is started."""
        check, self._task.check_mode = self._task.check_mode, True
        try:
            return self.module("io_prove", "lines", settings=compared, **measure)
        finally:
            self._task.check_mode = check

    def _measured(self, compared: list[dict[str, Any]], measure: dict[str, Any]) -> dict[str, Any]:
        """All runs as one measurement. Where one cannot be made, those before it are shown."""
        measure = dict(measure)
        rounds = int(measure.pop("runs", None) or _ROUNDS)
        runs: list[dict[str, Any]] = []
        accelerator: dict[str, str] = {}
        try:
            for number in range(1, rounds + 1):
                for setting in compared:
                    about = f"{self.host}: round {number} of {rounds}, {visible(setting['name'])}"
                    show([f"{about} ..."])
                    returned = self._once(setting, measure)
                    accelerator = accelerator or returned["accelerator"]
                    if accelerator["name"] == "tcg":
                        # Not tried again each time, for as long as a guest takes that does not boot.
                        measure["accelerator"] = "tcg"
                    runs += [dict(run, round=number) for run in returned["runs"]]
                    show([f"{about}: longest gap {runs[-1]['longest_gap_ms']:.0f} ms"])
        except Ended:
            if runs:
                show(["", *proof(compared, runs, accelerator, width())["lines"]])
            raise
        done = proof(compared, runs, accelerator, width())
        show(["", f"{self.host}, {visible(measure['path'])}", *done["lines"]])
        return {**done, "lines": proof(compared, runs, accelerator)["lines"]}

    def _once(self, setting: dict[str, Any], measure: dict[str, Any]) -> dict[str, Any]:
        given = {name: value for name, value in setting.items() if value is not None}
        return self.module("io_prove", "runs", settings=[given], runs=1, **measure)
