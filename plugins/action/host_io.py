# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Action host_io: read on the host, assess on the controller, and set what the policy names. Documentation:
modules/host_io.py.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from ..plugin_utils._action import Action, Ended
from ..plugin_utils._asked.api import needs_ssh, only_read
from ..plugin_utils._asked.rollback import unread
from ..plugin_utils._host_policy.assess import Case, after, assess, in_check, taken_back
from ..plugin_utils._host_policy.cluster import leads
from ..plugin_utils._host_policy.subjects import DOCUMENTS, Subject
from ..plugin_utils._policy import shapes


class ActionModule(Action):
    """Calls host_settings_info unless its facts are there, host_settings where there is something to set, and
    host_settings_info again for what was set.
    """

    ARGUMENTS = {
        "about": {"type": "str", "choices": sorted(DOCUMENTS), "required": True},
        "policy": {"type": "raw"},
        "policy_name": {"type": "str", "default": "policy"},
        "facts_in": {"type": "str"},
        "root": {"type": "str", "default": "/"},
        "api": {"type": "dict"},
        "node": {"type": "str"},
        "state": {"type": "raw", "default": "present"},
        "set": {"type": "bool", "default": True},
        "date": {"type": "raw"},
        "journal": {"type": "str"},
        "run": {"type": "str"},
    }

    def act(self, options: dict[str, Any]) -> dict[str, Any]:
        """An assessment for each subject that the document is about."""
        document = DOCUMENTS[options["about"]]
        policy = document.parse(options["policy"], options["policy_name"])
        day = datetime.date.today() if options["date"] is None else shapes.date("date", options["date"])
        absent = shapes.choice("state", options["state"], ("present", "absent")) == "absent"
        subjects = {name: subject for name, subject in document.subjects.items() if subject.asked(policy)}
        done: dict[str, Any] = {}
        if options["api"]:
            found = self._by_api(subjects, policy, day, options, absent and options["set"])
        elif absent and options["set"]:
            settable = [name for name, subject in document.subjects.items() if subject.set]
            found, done = self._give_back(settable, options)
        else:
            found, done = self._assess_and_set(subjects, policy, day, options)
        return self._returned({name: {**one, "date": day.isoformat()} for name, one in found.items()}, done)

    def _by_api(
        self, subjects: dict[str, Subject], policy: Any, day: datetime.date, options: dict[str, Any], absent: bool
    ) -> dict[str, Any]:
        """What can be judged of a host behind an API, where nothing is set; of the rest, that it needs ssh."""
        told = {name: subject for name, subject in subjects.items() if subject.by_api and not absent}
        facts = self._facts(options, list(told))
        speaks = self._speaks(options, facts)
        found = {
            name: only_read(
                assess(Case(name, facts.get(name), policy, self.host, speaks), subject.by_api, day),
                facts[name]["nodes"],
            )
            for name, subject in told.items()
        }
        return {**found, **{name: needs_ssh(name) for name in subjects if name not in told}}

    def _assess_and_set(
        self, subjects: dict[str, Subject], policy: Any, day: datetime.date, options: dict[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        facts = self._facts(options, list(subjects))
        speaks = self._speaks(options, facts)

        def judged(name: str, known: Any) -> dict[str, Any]:
            return assess(Case(name, known, policy, self.host, speaks), subjects[name].judges, day)

        found = {name: judged(name, facts.get(name)) for name in subjects}
        plan = [entry for one in found.values() for entry in one["plan"]]
        if not (plan and options["set"]):
            return found, {}
        done = self._set(options, plan=plan)
        if self.check:
            return {name: in_check(one, _of(name, done["results"])) for name, one in found.items()}, done
        # Also where somebody else made the change meanwhile.
        made = [name for name in found if any(one["status"] != "failed" for one in _of(name, done["results"]))]
        again, problem = self._facts_again(options, made)
        for name, one in found.items():
            now = judged(name, again.get(name)) if name in made else one
            found[name] = after(now, one["plan"], _of(name, done["results"]), problem if name in made else None)
        return found, done

    def _facts_again(self, options: dict[str, Any], subjects: list[str]) -> tuple[dict[str, Any], str | None]:
        """What is known of the subjects that were set, and a sentence where they could not be read."""
        if not subjects:
            return {}, None
        try:
            read = self.module("host_settings_info", "host", subjects=subjects, root=options["root"])
        except Ended as ended:
            return {}, f"could not be read after it was set: {ended}"
        return read["host"], None

    def _facts(self, options: dict[str, Any], subjects: list[str]) -> dict[str, Any]:
        """What is known of the subjects; those that no earlier task read are read now."""
        facts = dict(self._read_before(self.host, options["facts_in"]) or {})
        left = [name for name in subjects if name not in facts]
        if left:
            given = {name: options[name] for name in ("root", "api", "node")}
            facts.update(self.module("host_settings_info", "host", subjects=left, **given)["host"])
        return facts

    def _read_before(self, host: str, variable: str | None) -> Any:
        """What an earlier task read of a host, taken as it is; None where it did not.

        Through hostvars as they are: a template would be evaluated in each of thousands of values.
        """
        if not variable:
            return None
        known = self.task_vars["hostvars"].raw_get(host)
        read = known.get(variable) if isinstance(known, Mapping) else None
        return read.get("host") if isinstance(read, Mapping) else None

    def _speaks(self, options: dict[str, Any], facts: dict[str, Any]) -> bool:
        """Whether the host speaks for its cluster."""
        hosts = self.task_vars.get("ansible_play_hosts") or [self.host]
        return leads(self.host, hosts, self._clusters(options, facts))

    def _clusters(self, options: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
        found = {}
        for host in self.task_vars.get("ansible_play_hosts") or ():
            there = facts if host == self.host else self._read_before(host, options["facts_in"]) or {}
            found[host] = (there.get("load") or {}).get("cluster")
        return found

    def _set(self, options: dict[str, Any], **what: Any) -> dict[str, Any]:
        given = {name: options[name] for name in ("root", "journal", "run")}
        return self.module("host_settings", "results", policy=options["policy_name"], **given, **what)

    def _give_back(self, subjects: list[str], options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        done = self._set(options, undo_subjects=subjects)
        found = {name: taken_back(name, done, self.check) for name in subjects}
        if done["problems"]:
            # What the journal does not tell is of no subject that is known: it is said once.
            first = found[subjects[0]]
            lead = "not everything that was set is known, and what is not known was not given back"
            first.update(status="unresolved", failures=[*first["failures"], lead + unread(done["problems"])])
            first["detail"] = "; ".join([first["detail"], first["failures"][-1]])
        return found, done

    def _returned(self, found: dict[str, Any], done: dict[str, Any]) -> dict[str, Any]:
        changed = bool(done.get("changed"))
        return {
            "changed": changed,
            "assessments": found,
            "results": done.get("results", []),
            "run": done.get("run") if changed and not self.check else None,
            **({"diff": done["diff"]} if done.get("diff") else {}),
        }


def _of(subject: str, results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in results if one["subject"] == subject]
