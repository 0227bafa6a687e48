# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import shlex

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.commands import Call
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.selector import Selector
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.next_lines import step_lines
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.next_steps import (
    next_steps,
    restart_steps,
    selector,
)
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import (
    HOSTILE,
    document,
    finding,
    guest,
    host,
    result,
)

RUN = "20261123T223005Z"
CALL = Call(inventory=["hosts.yml"])
LIMITS = {"subject": "writeback", "status": "changed", "changed": True, "detail": None}


def kinds(*args, **options):
    return [step["kind"] for step in next_steps(*args, **options)]


def waits(number, host="pve1", node="pve1", running=True):
    return {"host": host, "guest": number, "node": node, "running": running}


def subject(number, node):
    return {"guest": {"id": number, "node": node}, "controller": {}}


def test_nothing_to_do_has_no_step():
    assert next_steps(document([guest("1")]), None, CALL) == []
    assert next_steps(document([guest("1")], results=[]), None, CALL) == []


def test_after_a_run_its_guests_are_restarted_or_rolled_back_by_its_name():
    doc = document(
        [guest("1", "to_change"), guest("2", "to_change")], results=[result("1", restart_pending=True), result("2")]
    )
    restart, rollback, page = next_steps(doc, RUN, CALL, page="reports/guest-io.html")
    assert (restart["kind"], restart["guests"]) == ("restart", ["1"])
    assert "restart_match=guest.id=='1'" in restart["text"]
    assert (rollback["kind"], rollback["guests"]) == ("rollback", ["1", "2"])
    assert (
        rollback["text"] == f"ansible-playbook -i hosts.yml hypervisor.io_hardening.rollback_io -e rollback_run={RUN}"
    )
    assert page == {"kind": "page", "title": "Open the page", "guests": [], "text": "reports/guest-io.html"}


def test_a_check_run_leads_to_the_run_itself_and_to_no_restart():
    doc = document(
        [guest("1", "to_change"), guest("2", "restart_pending")], results=[result("1", restart_pending=True)]
    )
    (step,) = next_steps(doc, None, CALL, check=True)
    assert (step["kind"], step["guests"]) == ("harden", ["1"])
    assert step["text"] == "ansible-playbook -i hosts.yml hypervisor.io_hardening.harden_io"


def test_an_audit_leads_to_the_run_that_mends_and_to_the_restart_of_what_waits():
    doc = document(
        [guest("1", "to_change"), guest("2", "restart_pending")],
        hosts=[host(assessments=[{**LIMITS, "status": "to_change", "changed": False}])],
    )
    harden, restart = next_steps(doc, None, CALL)
    assert harden["title"] == "Change 1 guest and the settings of 1 host; it restarts nothing"
    assert restart["guests"] == ["2"]


def test_a_directory_of_configs_is_written_by_no_run():
    (step,) = next_steps(document([guest("1", "to_change")], not_read=[]), None, CALL)
    assert (step["kind"], step["guests"], step["text"]) == ("source", ["1"], None)


def test_what_a_policy_would_set_on_the_node_of_a_directory_is_a_step():
    about = {"disk": None, "name": None, "node": None, "rule": "IO301"}
    jobs = [finding(None, fixable=True, **about), finding(None, fixable=False, **about)]
    (step,) = next_steps(document([guest("1")], jobs, not_read=[]), None, CALL)
    assert (step["kind"], step["guests"], step["text"]) == ("source", [], None)
    assert step["title"].startswith("Harden the node that these files are from: the policy names other values in 1 ")
    assert next_steps(document([guest("1")], jobs[1:], not_read=[]), None, CALL) == []


def test_an_audit_that_could_not_read_a_host_is_made_again():
    doc = document([guest("1")], hosts=[host("pve1"), host("pve2", reported=False)])
    (step,) = next_steps(doc, None, CALL)
    assert step["title"] == "Mend the cause and run again (1 host gave no report)"
    assert step["text"].endswith("hypervisor.io_hardening.audit_io")
    gated = {**doc, "gate": {"fail_on": "error", "passed": False, "reason": "x"}}
    assert next_steps(gated, None, CALL)[0]["text"].endswith("hypervisor.io_hardening.gate_io")


@pytest.mark.parametrize(("left", "words"), [(False, "Nothing to do."), (True, "what is left needs a person")])
def test_a_run_without_a_step_says_so_in_a_line(left, words):
    (blank, line) = step_lines([], left)
    assert blank == "" and words in line


def test_steps_are_shown_with_what_is_to_be_pasted_in_a_line_of_its_own():
    steps = restart_steps([waits("1"), waits("2"), waits("3", running=None)], CALL)
    lines = step_lines(steps, False, ["env"], width=40)
    assert lines[1:4] == ["WHAT NEXT", "  Restart the 2 guests that wait:", f"    {steps[0]['text']}"]
    assert " ".join(" ".join(lines).split()).endswith(
        "Give these extra variables again, which the commands leave out: env"
    )
    assert "their node: 3" in " ".join(" ".join(lines).split())


def test_of_many_commands_of_a_kind_the_terminal_shows_some_and_counts_the_rest():
    guests = [waits(str(number), host=f"pve{number % 20}", node=f"pve{number % 20}") for number in range(100, 600)]
    lines = step_lines(restart_steps(guests, CALL))
    assert sum("ansible-playbook" in line for line in lines) == 3
    assert "  ... and 17 more to restart; the reports name them all" in lines


def test_a_run_that_failed_says_what_was_not_done_and_that_a_second_run_goes_on():
    unread = finding(rule="IO100", disk=None, waived=None)
    doc = document(
        [guest("1", "to_change"), guest("2", "to_change")],
        [unread, {**unread, "guest": None, "file": None}, {**unread, "guest": None, "file": ""}],
        results=[result("1", "failed", reason="refused"), result("2")],
        hosts=[host("pve1"), host("pve2", reported=False)],
    )
    again, rollback = next_steps(doc, RUN, CALL)
    assert again["title"].startswith(
        "Mend the cause and run again (1 guest failed, 1 config was not read, 1 host was read only in part, 1 host gave"
        " no report)"
    )
    assert again["guests"] == ["1"]
    assert again["text"] == "ansible-playbook -i hosts.yml hypervisor.io_hardening.harden_io"
    assert rollback["kind"] == "rollback"


def test_the_limits_have_a_way_back_of_their_own():
    doc = document([guest("1")], results=[], hosts=[host(assessments=[LIMITS])])
    (step,) = next_steps(doc, None, CALL)
    assert (step["kind"], step["title"]) == ("limits", "Take back the limits of 1 host")
    assert step["text"].endswith("--tags limits -e host_writeback_state=absent hypervisor.io_hardening.harden_io")
    assert kinds(doc, None, Call(way="job", jobs="Guest I/O ")) == []


def test_limits_that_were_taken_back_are_not_to_be_taken_back_again():
    doc = document([guest("1")], results=[], hosts=[host(assessments=[{**LIMITS, "status": "taken_back"}])])
    assert kinds(doc, None, CALL) == []


def test_a_guest_that_does_not_run_is_not_restarted():
    assert restart_steps([waits("1", running=False)], CALL) == []
    (step,) = restart_steps([waits("1", running=None)], CALL)
    assert (step["guests"], step["text"]) == (["1"], None)


def test_a_job_is_named_with_what_its_survey_asks():
    call = Call(way="job", jobs="Guest I/O ")
    doc = document([guest("1", "to_change")], results=[result("1", restart_pending=True)])
    restart, rollback = next_steps(doc, RUN, call)
    assert restart["title"] == "Restart the guest that waits: launch Guest I/O restart, with this selector"
    assert restart["text"] == "guest.id=='1'"
    assert (rollback["title"], rollback["text"]) == (
        f"Roll back this run, {RUN}: launch Guest I/O roll back with its name",
        RUN,
    )


@pytest.mark.parametrize("call", [CALL, Call(way="make"), Call(way="job", jobs="x ")])
def test_more_guests_than_a_line_takes_are_restarted_host_by_host(call):
    guests = [waits(str(number), host=f"pve{number % 4}", node=f"pve{number % 4}") for number in range(100, 500)]
    steps = restart_steps(guests, call)
    assert [len(step["guests"]) for step in steps] == [100] * 4
    assert sorted(number for step in steps for number in step["guests"]) == sorted(one["guest"] for one in guests)
    for number, step in enumerate(steps):
        assert f"pve{number}" in (step["title"] if call.way == "job" else step["text"])
        assert len(step["text"]) < (1024 if call.way == "job" else 4095)


def test_three_hundred_guests_still_fit_a_line_of_a_terminal():
    (step,) = restart_steps([waits(str(number)) for number in range(100_000, 100_300)], CALL)
    assert len(shlex.split(step["text"])[-1]) < 4095


def test_a_selector_matches_exactly_the_guests_that_it_is_made_of():
    guests = [waits("1"), waits("2", node="pve2"), waits("3"), waits("3", node="pve2"), waits("4", node="pve2")]
    made = Selector("restart_match", selector(guests), guests=True)
    for number in "12345":
        for node in ("pve1", "pve2", "pve3"):
            wanted = number in "124" or (number, node) in (("3", "pve1"), ("3", "pve2"))
            assert made.matches(subject(number, node)) is wanted, (number, node)


def test_a_guest_of_a_plan_is_selected_by_its_address():
    address = 'module.guest["it\'s"].proxmox_vm_qemu.this'
    guests = [{**waits(address), "address": address}, waits("2")]
    assert selector(guests[:1]) == "guest.address=='" + address.replace("'", "\\'") + "'"
    assert selector(guests) == "guest.id=='2'||" + selector(guests[:1])


@pytest.mark.parametrize("name", [name for name in HOSTILE if "\udcff" not in name])
def test_a_hostile_id_stays_an_id(name):
    made = Selector("restart_match", selector([waits(name)]), guests=True)
    assert made.matches(subject(name, "pve1"))
    assert not made.matches(subject("105", "pve1"))
