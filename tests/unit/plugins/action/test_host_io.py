# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The action host_io, with the modules that it calls, on trees of files."""

from __future__ import annotations

import json

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.action import host_io
from ansible_collections.hypervisor.io_hardening.plugins.modules import host_settings, host_settings_info
from ansible_collections.hypervisor.io_hardening.tests.unit.in_process import run_action, run_module
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.api_stand_in import (
    ClusterTree,
    options_of,
)

SWAPPINESS = {"swappiness": 10}


class HostVars(dict):
    """As Ansible's: what a host's variables hold, untemplated."""

    def raw_get(self, host):
        return self[host]


@pytest.fixture
def root(tmp_path):
    files = {
        "proc/sys/vm/swappiness": "60\n",
        "proc/meminfo": "MemTotal: 16384000 kB\n",
        "etc/pve/.keep": "",
    }
    for name, text in files.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "root"


def host_io_on(root, about="host", check=False, task_vars=None, **options):
    given = {
        "inventory_hostname": "pve1",
        "ansible_play_hosts": ["pve1"],
        "hostvars": HostVars(pve1={}),
        **(task_vars or {}),
    }
    return run_action(host_io, given, check=check, root=str(root), about=about, **options)


def swappiness(root):
    return (root / "proc/sys/vm/swappiness").read_text().strip()


def rules(returned, subject="causes"):
    return sorted({one["rule"] for one in returned["assessments"][subject]["findings"]})


def test_by_default_everything_is_reported_and_nothing_is_set(root):
    returned = host_io_on(root)
    assert not returned["changed"] and returned["results"] == [] and swappiness(root) == "60"
    assert all(not one["plan"] for one in returned["assessments"].values())


def test_what_the_policy_names_is_set_once_now_and_for_the_next_boot(root):
    returned = host_io_on(root, policy=SWAPPINESS, run="r1")
    causes = returned["assessments"]["causes"]
    assert (returned["changed"], causes["status"], causes["changed"], returned["run"]) == (True, "changed", True, "r1")
    assert swappiness(root) == "10"
    assert not [one for one in causes["findings"] if one["fixable"]]
    again = host_io_on(root, policy=SWAPPINESS)
    assert (again["changed"], again["results"], again["run"]) == (False, [], None)


def test_check_mode_and_an_assessment_write_nothing_and_say_what_would_be_set(root):
    for options in ({"set": False}, {"check": True}):
        returned = host_io_on(root, policy=SWAPPINESS, **options)
        assert returned["assessments"]["causes"]["status"] == "to_change"
        assert swappiness(root) == "60"
        assert not (root / "var/lib/hypervisor-io-hardening/journal").exists()


def test_all_that_was_set_is_given_back(root):
    host_io_on(root, policy=SWAPPINESS)
    before = host_io_on(root, state="absent", check=True)
    assert before["assessments"]["causes"]["status"] == "to_change" and swappiness(root) == "10"
    back = host_io_on(root, state="absent")
    assert back["assessments"]["causes"]["status"] == "taken_back" and swappiness(root) == "60"
    assert host_io_on(root, state="absent")["assessments"]["causes"]["status"] == "compliant"


def test_one_run_is_given_back_by_its_name(root):
    host_io_on(root, policy=SWAPPINESS, run="r1")
    given = {"undo_run": "r1", "root": str(root)}
    assert run_module(host_settings, check=True, **given)["changed"] and swappiness(root) == "10"
    assert run_module(host_settings, **given)["changed"] and swappiness(root) == "60"


def test_what_somebody_changed_since_it_was_set_stays_and_is_said(root):
    host_io_on(root, policy=SWAPPINESS)
    (root / "proc/sys/vm/swappiness").write_text("33\n")
    back = host_io_on(root, state="absent")
    assert swappiness(root) == "33"
    assert "stays: vm.swappiness is 33, 10 was written" in back["assessments"]["causes"]["detail"]


def test_what_the_journal_does_not_tell_is_said_and_fails_the_run(root):
    host_io_on(root, policy=SWAPPINESS)
    (journal,) = (root / "var/lib/hypervisor-io-hardening/journal").glob("*.jsonl")
    journal.write_text(journal.read_text().replace('"after":"10"', '"after":"11"'))
    back = host_io_on(root, state="absent")["assessments"]
    failures = [sentence for one in back.values() for sentence in one["failures"]]
    assert len(failures) == 1 and "line 1 is not a journal entry: its checksum is wrong" in failures[0]
    assert "unresolved" in [one["status"] for one in back.values()]


def test_a_setting_that_fails_is_told_and_stays_a_finding(root):
    def host_settings_fails(**options):
        results = [
            {
                "subject": "causes",
                "key": entry["key"],
                "status": "failed",
                "changes": [],
                "reason": "error",
                "detail": "no",
            }
            for entry in options["plan"]
        ]
        return {"failed": True, "msg": "no", "results": results, "changed": False, "left": [], "run": "r1"}

    returned = host_io_on(root, policy=SWAPPINESS, modules={"host_settings": host_settings_fails})
    causes = returned["assessments"]["causes"]
    assert causes["status"] == "unresolved" and causes["failures"] and not returned.get("failed")
    assert any("swappiness" in json.dumps(one) for one in causes["findings"])


def test_what_was_set_is_read_and_judged_again(root):
    """A finding of another rule about the very option is gone too, and one that nothing cured is not hidden."""
    limits = root / "etc/pve/datacenter.cfg"
    limits.write_text("bwlimit: migration=1\n")
    policy = {"limits": {"migration": "100 MiB/s"}}
    before = host_io_on(root, "load", policy=policy, set=False)["assessments"]["load"]
    assert [one["rule"] for one in before["findings"] if "migration" in one["message"]] == ["IO306", "IO307"]
    load = host_io_on(root, "load", policy=policy)["assessments"]["load"]
    assert not [one for one in load["findings"] if one["rule"] in ("IO306", "IO307")]
    assert (load["status"], load["changed"]) == ("changed", True)
    limits.write_text("bwlimit: migration=1,clone=1\n")
    load = host_io_on(root, "load", policy=policy)["assessments"]["load"]
    assert [one["severity"] for one in load["findings"] if one["rule"] == "IO307"] == ["warning"]
    assert (load["status"], load["changed"]) == ("unresolved", True) and load["detail"].startswith("1 setting changed;")


def test_what_somebody_else_set_meanwhile_is_in_order(root):
    hostvars = HostVars(pve1={"read": run_module(host_settings_info, root=str(root))})
    host_io_on(root, policy=SWAPPINESS)
    found = host_io_on(root, policy=SWAPPINESS, facts_in="read", task_vars={"hostvars": hostvars})
    causes = found["assessments"]["causes"]
    assert {one["status"] for one in found["results"]} == {"unchanged"}
    assert (causes["status"], causes["changed"], causes["findings"]) == ("compliant", False, [])


def test_a_subject_that_was_not_read_stays_unknown_where_another_is_set(root):
    facts = run_module(host_settings_info, root=str(root))["host"]
    hostvars = HostVars(pve1={"read": {"host": {**facts, "queues": None}}})
    found = host_io_on(root, policy=SWAPPINESS, facts_in="read", task_vars={"hostvars": hostvars})["assessments"]
    assert (found["causes"]["status"], found["queues"]["status"]) == ("changed", "unknown")
    assert found["queues"]["detail"] == "it could not be read"


def test_a_host_that_cannot_be_read_after_it_was_set_fails_and_its_run_is_known(root):
    calls = []

    def host_settings_info_fails_later(**options):
        calls.append(options)
        if len(calls) > 1:
            return {"failed": True, "msg": "no more"}
        return run_module(host_settings_info, **options)

    returned = host_io_on(
        root, policy=SWAPPINESS, run="r1", modules={"host_settings_info": host_settings_info_fails_later}
    )
    causes = returned["assessments"]["causes"]
    assert (causes["status"], returned["run"]) == ("unresolved", "r1") and swappiness(root) == "10"
    assert causes["failures"] == ["causes: could not be read after it was set: no more"]


def test_each_assessment_has_the_day_on_which_it_was_judged(root):
    found = host_io_on(root, date="2026-11-23")["assessments"]
    assert {one["date"] for one in found.values()} == {"2026-11-23"}


def test_a_waived_finding_is_not_cured(root):
    rule = next(
        one["rule"]
        for one in host_io_on(root, policy=SWAPPINESS, set=False)["assessments"]["causes"]["findings"]
        if one["cure"]
    )
    waiver = {"id": "w", "rules": [rule], "until": "2999-01-01", "reason": "tested", "match": "host == 'pve1'"}
    returned = host_io_on(root, policy={**SWAPPINESS, "waivers": [waiver]})
    assert swappiness(root) == "60" and not returned["changed"]
    assert returned["assessments"]["causes"]["waivers"][0]["matched"] > 0


def test_facts_that_were_read_before_are_not_read_again(root):
    facts = run_module(host_settings_info, root=str(root))
    (root / "proc/sys/vm/swappiness").unlink()
    hostvars = HostVars(pve1={"read": facts})
    returned = host_io_on(root, policy=SWAPPINESS, facts_in="read", set=False, task_vars={"hostvars": hostvars})
    assert returned["assessments"]["causes"]["status"] == "to_change"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"policy": {"swapines": 1}}, "swapines"),
        ({"policy": {"swappiness": "much"}}, "policy.swappiness: is 'much'"),
        ({"state": "gone"}, "state: is 'gone'"),
        ({"policy": []}, "policy: is []"),
    ],
)
def test_a_mistake_is_refused_with_its_place(root, options, says):
    returned = host_io_on(root, **options)
    assert returned["failed"] and says in returned["msg"]


def test_a_root_that_is_not_there_is_said(root):
    assert "is not a directory" in run_module(host_settings_info, root=str(root / "gone"))["msg"]
    assert "is not a directory" in run_module(host_settings, root=str(root / "gone"), plan=[])["msg"]


@pytest.mark.parametrize(("about", "state"), [("host", "present"), ("host", "absent"), ("load", "absent")])
def test_behind_an_api_nothing_is_read_or_set(about, state):
    """The files below the root are those of the machine that the playbook runs on."""

    def call(**_options):
        raise AssertionError

    returned = run_action(
        host_io,
        {"inventory_hostname": "cluster1"},
        modules={"host_settings_info": call, "host_settings": call},
        about=about,
        state=state,
        api={"url": "https://pve1"},
    )
    assert not returned.get("failed"), returned
    assert {found["status"] for found in returned["assessments"].values()} == {"needs_ssh"}
    assert (returned["changed"], returned["results"], returned["run"]) == (False, [], None)


def test_behind_an_api_the_load_is_read_and_not_set(tmp_path):
    tree = ClusterTree(tmp_path / "root")
    (tree.root / "etc/vzdump.conf").write_text("ionice: 5\n")
    (tree.root / "etc/pve/jobs.cfg").write_text("vzdump: nightly\n\tschedule 02:00\n\tall 1\n\tstorage local\n\n")
    acl = {"/": ["Sys.Audit", "Datastore.Audit", "VM.Audit"]}
    policy = {"backup": {"max_workers": 1}, "limits": {"restore": "80 MiB/s"}, "jobs": {"gone": {"max_workers": 1}}}
    with tree.stand_in(tmp_path, acl) as api:
        returned = host_io_on("/", about="load", policy=policy, api=options_of(api), date="2026-11-28")
        again = host_io_on("/", about="load", policy=policy, api=options_of(api), node="pve2", date="2026-11-28")
        assert {call.method for call in api.calls} == {"GET"}
    found = returned["assessments"]["load"]
    assert (found["status"], found["plan"], returned["changed"], returned["results"]) == ("unresolved", [], False, [])
    assert found["detail"].startswith(f"{len(found['findings'])} findings; read through the API: what the policy names")
    said = {(one["rule"], one["message"].partition(";")[0]) for one in found["findings"]}
    assert {
        ("IO304", "vzdump.conf: on nodes pve1, pve2: 16 workers by default, wanted 1 worker"),
        ("IO306", "datacenter: restore is not limited, wanted 80 MiB/s"),
        ("IO311", "job gone: the policy names it, and there is no such job"),
    } <= said
    assert [one for one in found["findings"] if one["cure"] or one["fixable"]] == []
    assert ("vzdump.conf: on node pve2: 16 workers by default", "IO304") in {
        (one["message"].partition(",")[0], one["rule"]) for one in again["assessments"]["load"]["findings"]
    }
