# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the formats make of a file is what the real pvesh answered about it (fixtures/load_answers.json)."""

from __future__ import annotations

import json
import re

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._load import (
    effective,
    jobs_cfg,
    limits,
    stored,
    vzdump_conf,
)
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._load.options import CHECKS
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._load.property_string import FormatFault
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve import storage
from ansible_collections.hypervisor.io_hardening.tests.unit.facts import facts

STEPS = facts("load_answers")
DEFAULTS = "/nodes/pve1/vzdump/defaults"
JOBS_CFG = "/etc/pve/jobs.cfg"
DATACENTER = "/etc/pve/datacenter.cfg"
STORAGE_CFG = "/etc/pve/storage.cfg"


def asked(path):
    """The steps that asked pvesh for a path, each with the text of the file that was written before it."""
    found, text = [], None
    for step in STEPS:
        if step.get("written") == "/etc/vzdump.conf":
            text = step["text"]
        elif "command" in step and step["command"][1:3] == ["get", path]:
            found.append((text, json.loads(step["stdout"]), step["stderr"]))
    return found


def after(file):
    """The steps that changed a file, each with its text afterwards."""
    return [(step, step["changed"][file]) for step in STEPS if file in (step.get("changed") or {})]


@pytest.mark.parametrize(("text", "answer", "warned"), asked(DEFAULTS))
def test_vzdump_conf_gives_the_recorded_defaults(text, answer, warned):
    parsed = vzdump_conf.parse(text)
    used = effective.backup(None, parsed["values"])
    assert (used.bwlimit, used.ionice) == (int(answer["bwlimit"]), int(answer["ionice"]))
    assert (used.mode, used.storage) == (answer["mode"], answer["storage"])
    assert used.max_workers == int(answer["performance"]["max-workers"])
    assert used.fleecing["enabled"] == bool(answer["fleecing"]["enabled"])
    assert used.fleecing["storage"] == answer["fleecing"].get("storage")
    dropped = set(re.findall(r"parse error in '/etc/vzdump.conf' - '(.+?)'", warned))
    assert dropped == set(parsed["stored"]) - set(CHECKS) | {
        key for key, value in parsed["stored"].items() if value and not _taken(key, value)
    }
    assert ("ignore config line" in warned) == any(one["key"] is None for one in parsed["ignored"])


def _taken(key, value):
    try:
        CHECKS[key](value)
    except FormatFault:
        return False
    return True


def test_every_recorded_vzdump_conf_was_held_against_its_answer():
    assert len([text for text, _answer, _warned in asked(DEFAULTS) if text]) == 3


def test_jobs_cfg_gives_the_recorded_jobs():
    ((step, text),) = [(step, text) for step, text in after(JOBS_CFG) if "--pool" in step["command"]]
    jobs, ignored = jobs_cfg.parse(text, JOBS_CFG)
    (answer,) = [one for _text, one, _warned in asked("/cluster/backup") if one]
    assert ignored == [] and [job["id"] for job in jobs] == [one["id"] for one in answer]
    for job, one in zip(jobs, answer):
        values = job["values"]
        assert job["ignored"] == [] and job["enabled"] is bool(one["enabled"]) and job["all"] is bool(one.get("all"))
        assert job["guests"] == one.get("vmid", "").split(",") if "vmid" in one else job["guests"] == []
        for key in ("comment", "schedule", "node", "pool"):
            assert job[key] == one.get(key)
        for key in ("bwlimit", "ionice", "mode", "storage"):
            assert values[key] == one.get(key)
        workers = one.get("performance", {}).get("max-workers")
        assert values["max_workers"] == (None if workers is None else int(workers))
        fleecing = one.get("fleecing")
        assert (values["fleecing"] or {}).get("enabled") == (None if fleecing is None else bool(fleecing["enabled"]))


@pytest.mark.parametrize(("step", "text"), after(JOBS_CFG), ids=lambda one: str(one)[-30:])
def test_what_a_plan_stores_in_a_job_is_what_proxmox_ve_stores(step, text):
    arguments = step["command"][3:]
    given = dict(zip(arguments[::2], arguments[1::2]))
    if step["command"][1] != "set":
        return
    (job,) = [job for job in jobs_cfg.parse(text, JOBS_CFG)[0] if step["command"][2].endswith(job["id"])]
    for key in ("fleecing", "bwlimit"):
        if f"--{key}" not in given:
            continue
        if key == "fleecing":
            name = given["--fleecing"].partition("storage=")[2]
            assert job["stored"]["fleecing"] == stored.fleecing(None, name, of_job=True)
        else:
            assert job["stored"]["bwlimit"] == given["--bwlimit"]
    if "--delete" in given:
        assert job["stored"][given["--delete"]] is None


def test_a_value_that_pvesh_refuses_is_a_fault():
    refused = [step["command"] for step in STEPS if step.get("rc") and "--digest" not in step["command"]]
    values = [(command[2], command[3].lstrip("-"), command[4]) for command in refused if command[0] == "pvesh"]
    assert len(values) == 4
    for path, key, value in values:
        with pytest.raises(FormatFault):
            (limits.limits_of if path == "/cluster/options" else CHECKS[key])(value)


def test_datacenter_cfg_gives_the_recorded_limits():
    given = 0
    for step, text in after(DATACENTER):
        read = limits.parse_datacenter(text, DATACENTER)
        if "--bwlimit" in step["command"]:
            given += 1
            assert read["stored"] == step["command"][-1] and read["ignored"] == []
            assert stored.bwlimit(None, {key: int(kib) for key, kib in read["limits"].items()}) == read["stored"]
        else:
            assert (read["stored"], read["limits"], read["line"]) == (None, None, None)
    assert given == 2


def test_storage_cfg_gives_the_recorded_limit():
    said = {}
    for step, text in after(STORAGE_CFG):
        sections, _problems = storage.sections(text)
        said[tuple(step["command"][2:])] = sections["local"].properties.get("bwlimit")
    assert said == {("local", "--bwlimit", "restore=80000"): "restore=80000", ("local", "--delete", "bwlimit"): None}
