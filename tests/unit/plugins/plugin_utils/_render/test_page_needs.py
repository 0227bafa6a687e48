# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

from typing import get_args

import jmespath
import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._model.findings import (
    ResultReason,
    UnresolvedReason,
)
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.join import join_documents
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.outcome import outcomes
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render import page_needs
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.page_need import MOST_NAMED
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import (
    document,
    finding,
    fleet,
    guest,
    result,
)


def needs(doc, variable="guest_io_migrate_controllers"):
    return page_needs.needs(doc, outcomes(doc), variable)


def pasted(need):
    return {label: text for label, text, _does in need["pastes"]}


def titles(doc):
    return [(need["title"], need["count"]) for need in needs(doc)]


def left(guests, reason, detail="why"):
    return [{**one, "reason": reason, "detail": detail} for one in guests]


def test_every_reason_of_a_report_says_what_to_do():
    assert set(page_needs._ADVICE) == {*get_args(ResultReason), *get_args(UnresolvedReason), "unknown"}


def test_nothing_is_needed_where_all_is_in_order():
    assert needs(document([guest("1"), guest("2", "waived")], [finding("1", severity="note")])) == []


def test_failures_come_first_then_what_is_unresolved_then_what_waits():
    guests = [guest("1", "restart_pending"), guest("2", "unresolved"), guest("3", "to_change"), guest("4", "to_change")]
    doc = document(
        guests, [], left(guests[1:2], "locked"), results=[result("4", "failed", reason="refused", detail="qm set: no")]
    )
    joined = {**doc, "hosts": [{"host": "pve2", "reported": False, "assessments": []}]}
    assert titles(joined) == [
        ("No report", "1 host"),
        ("Refused", "1 guest"),
        ("Locked by another job", "1 guest"),
        ("Restart pending", "1 guest"),
        ("To change", "1 guest"),
    ]


def test_a_guest_that_could_not_be_read_is_named_with_its_file():
    (need,) = [
        need
        for need in needs(document([guest("1")], [finding("9", rule="IO100")]))
        if need["title"] == "Could not be read"
    ]
    assert need["people"][0][1][0][0] == "9 web01" and "9.conf line 12" in need["people"][0][1][0][1]


def test_ids_are_complete_and_names_are_not():
    guests = [guest(str(number), "restart_pending") for number in range(100, 1100)]
    (need,) = needs(document(guests))
    assert need["pastes"][0] == ("Ids", ",".join(str(number) for number in range(100, 1100)), "")
    assert sum(len(named) for _host, named in need["people"]) == MOST_NAMED and need["more"] == 800
    assert need["names"].endswith("105 web01 and 994 more")


def test_the_setting_that_allows_other_drivers_is_complete_for_any_number_of_guests():
    guests = [guest(str(number), "unresolved") for number in range(100, 528)]
    (need,) = needs(document(guests, (), left(guests, "driver_change")))
    setting = yaml.safe_load(pasted(need)["Setting"])
    assert jmespath.search(
        f"[?{setting['guest_io_migrate_controllers']}]",
        [{"guest": {"id": one["guest"]}} for one in [*guests, guest("99")]],
    ) == [{"guest": {"id": one["guest"]}} for one in guests]


def test_the_same_about_several_hosts_is_said_once_and_notes_are_not():
    about = {"guest": None, "name": None, "node": None, "disk": None, "file": None, "rule": "IO201"}
    doc = join_documents(
        {name: document([guest("1")], [finding(**about), finding(**about, severity="note")]) for name in ("a", "b")}
    )
    (need,) = needs(doc)
    assert (need["count"], need["pastes"]) == ("2 hosts", [("Hosts", "a,b", "")])


def test_one_rule_about_many_hosts_is_one_need_with_each_host_s_own_words():
    about = {"guest": None, "name": None, "node": None, "disk": None, "file": None, "rule": "IO203"}
    doc = join_documents(
        {f"pve{n}": document([guest(str(n))], [finding(**about, message=f"line {n}")]) for n in range(300)}
    )
    (need,) = needs(doc)
    assert need["count"] == "300 hosts" and need["more"] == 100 and pasted(need)["Hosts"].count(",") == 299
    assert need["people"][0] == ("pve0", [("line 0", "Set iothread=1 and virtio-scsi-single.")])
    assert need["names"].endswith("and 294 more")


@pytest.mark.parametrize("until, needed", [("2026-12-01", True), ("2027-03-31", False), ("2026-11-01", False)])
def test_a_waiver_that_ends_soon_is_named(until, needed):
    """One that has ended is a finding of the policy."""
    doc = document(
        [guest("1")],
        waivers=[{"id": "W-1", "rules": [], "until": until, "reason": "r", "expired": False, "matched": 1}],
    )
    assert ([need["names"] for need in needs(doc)] == ["W-1"]) is needed


def test_what_nobody_looked_at_is_said():
    doc = join_documents({"pve1": document([guest("1")]), "pve2": document()}, complete=False)
    assert titles(doc) == [("No guest was read", "1 host"), ("Only some hosts were checked", "")]


def test_what_a_need_filters_is_in_the_table():
    """The table finds the guests of a reason by its words."""
    from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.page_data import page_data

    doc = fleet(60)
    data = page_data(doc, outcomes(doc))
    words = {data["texts"][number] for number in data["guests"]["reason"] if number >= 0}
    states = {state for state, _words in data["states"]}
    filters = [need["filter"] for need in needs(doc)]
    assert filters and all(
        one["state"] in states and one.get("why", "locked by another job") in words for one in filters
    )


def step(kind, title="Do it", text="ansible-playbook x", guests=()):
    return {"kind": kind, "title": title, "guests": list(guests), "text": text}


def test_the_command_of_a_step_is_with_what_it_is_for():
    guests = [guest("1", "restart_pending"), guest("2", "to_change")]
    steps = [
        step("again"),
        step("restart", text="restart"),
        step("harden", text="harden"),
        step("rollback"),
        step("page"),
    ]
    doc = document(guests)
    found = page_needs.needs(doc, outcomes(doc), "v", steps)
    assert [(need["title"], pasted(need)) for need in found] == [
        ("Run again", {"Run again": "ansible-playbook x"}),
        ("Restart pending", {"Ids": "1", "Selector": "guest.id=='1'", "Restart": "restart"}),
        ("To change", {"Ids": "2", "Harden": "harden"}),
    ]


def test_a_step_without_text_is_a_sentence():
    doc = document([guest("1", "restart_pending")])
    (need,) = page_needs.needs(doc, outcomes(doc), "v", [step("restart", "Restart it on its node", None)])
    assert need["advice"].endswith(" Restart it on its node.") and "Restart" not in pasted(need)


def test_a_node_to_harden_is_needed_beside_the_guests_of_a_directory():
    step = {"kind": "source", "title": "Harden the node", "guests": [], "text": None}
    for guests in ([], [guest("1", "to_change")]):
        doc = document(guests, not_read=[])
        found = page_needs.needs(doc, outcomes(doc), "allow", [{**step, "guests": ["1"]}, step])
        assert [one["advice"] for one in found if one["title"] == "To change"][len(guests) :] == ["Harden the node."]


def test_limits_to_change_are_needed_without_a_guest():
    doc = document([guest("1")])
    (need,) = page_needs.needs(doc, outcomes(doc), "v", [step("harden", "Change the limits of 1 host")])
    assert need["advice"] == "Change the limits of 1 host." and pasted(need) == {"Harden": "ansible-playbook x"}
