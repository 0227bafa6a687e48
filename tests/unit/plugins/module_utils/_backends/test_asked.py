# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A live read asks its node once: what a write would lose and what is offline is in the records, and so in check mode
and audit.
"""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import find
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.live_node import (
    GUEST,
    put,
    runner,
)
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._policy.fleet import assess

NET = "net0: virtio=BC:24:11:00:00:01,bridge=vmbr0,newopt=1"
UNDEFINED = (
    "format error; newopt: property is not defined in schema and the schema does not allow additional properties"
)


def read(host, run=None, **options):
    return find.read(str(host.root), run=run or runner(host), **options)


def judged(reading):
    return assess(reading.guests, {}, datetime.date(2026, 11, 28), reading.nodes, reading.problems)


def of_the_node(problems):
    """What the node did not answer; a tree has no /proc, which is a problem of its own."""
    return [problem for problem in problems if problem["node"]]


def questions(host):
    return sorted([call["command"], *call["argv"]] for call in host.calls())


def without(host, command, status=124):
    """The host, where one command does not answer."""
    run = runner(host)
    return lambda arguments: (status, "", "words") if arguments[4] == command else run(arguments)


def test_one_question_of_each_kind_for_all_guests(host):
    for guest in range(100, 105):
        put(host, guest)
    reading = read(host)
    assert questions(host) == [["pvesm", "status"], ["qm", "list"]] and of_the_node(reading.problems) == []
    assert [(guest["unsafe_lines"], guest["held"]) for guest in reading.guests] == [([], None)] * 5
    assert len(judged(reading)["plan"]) == 5
    # What else is read of the configs in the same call does not read them again.
    assert sorted(reading.texts.values()) == sorted(GUEST.replace("{id}", str(guest)) for guest in range(100, 105))


@pytest.mark.parametrize("line", [
    NET,
    "machine: q35,newopt=1",
    "agent: enabled=1,newflag=1",
    "cpu: custom-gone",
    "hookscript: /root/x.sh",
    "smbios1: uuid=7e1b9947-312b-51ef-b04a-0016d339daef,manufacturer=Dell Inc.",
    "name: my_vm",
    "tags: prod äö",
    "futurekey: 1",
])  # fmt: skip
@pytest.mark.parametrize("section", ["", "\n[PENDING]\n", "\n[before]\n"], ids=["main", "pending", "snapshot"])
def test_a_line_that_this_qm_refuses_is_an_unsafe_line_wherever_it_stands(host, line, section):
    text = GUEST.replace("name: web{id}\n", "") + section + line + "\n"
    put(host, 100, text)
    put(host, 101)
    reading = read(host)
    first, second = reading.guests
    (unsafe,) = first["unsafe_lines"]
    assert unsafe["text"] == line and text.split("\n")[unsafe["line"] - 1] == line and unsafe["reason"]
    found = judged(reading)
    assert [entry["guest"] for entry in found["plan"]] == ["101"] and second["unsafe_lines"] == []
    assert [(entry["guest"], entry["reason"]) for entry in found["unresolved"]] == [("100", "unsafe_lines")]
    assert any(finding["rule"] == "IO100" and finding["line"] == unsafe["line"] for finding in found["findings"])


def test_the_reason_is_qms_and_what_we_found_ourselves_stands_once(host):
    put(host, 100, f"{GUEST}cores: two\n{NET}\n[odd section]\nx\n")
    lines = [(unsafe["line"], unsafe["reason"]) for unsafe in read(host).guests[0]["unsafe_lines"]]
    assert [number for number, _reason in lines] == [7, 8, 9, 10] and lines[1][1] == UNDEFINED


def test_each_line_has_the_words_of_its_own(host):
    put(host, 100, f"{GUEST}cpu: custom-gone\n[PENDING]\ncpu: host,hidden=maybe\n")
    assert [unsafe["reason"].split(";")[0] for unsafe in read(host).guests[0]["unsafe_lines"]] == [
        "Custom cputype 'gone' not found", "format error"]  # fmt: skip


def test_where_qm_names_a_key_of_several_lines_all_of_them_are_named(host):
    put(host, 100, f"{GUEST}cpu: host\n[before]\ncpu: custom-gone\n")
    lines = read(host).guests[0]["unsafe_lines"]
    assert [unsafe["line"] for unsafe in lines] == [7, 9]
    assert all("1 of the lines 7, 9" in unsafe["reason"] and "'gone' not found" in unsafe["reason"] for unsafe in lines)


def test_a_complaint_that_fits_no_line_keeps_the_guest_from_being_written(host):
    put(host, 100)
    run = runner(host)

    def changed_since(arguments):
        status, out, words = run(arguments)
        return (
            status,
            out,
            words + ("vm 100 - unable to parse value of 'vga' - gone by now\n" if arguments[4] == "qm" else ""),
        )

    (guest,) = read(host, changed_since).guests
    assert guest["unsafe_lines"] == [] and "vga: gone by now" in guest["held"]["detail"]
    found = judged(read(host, changed_since))
    assert found["plan"] == [] and found["unresolved"][0]["reason"] == "not_asked"


def test_a_guest_that_came_after_the_question_is_not_taken_for_safe(host):
    put(host, 100)
    run = runner(host)
    (guest,) = read(host, lambda arguments: (0, "", "") if arguments[4] == "qm" else run(arguments)).guests
    assert "just now" in guest["held"]["detail"]


@pytest.mark.parametrize("status", [124, 137, 127, 255])
def test_where_qm_does_not_answer_no_guest_of_the_node_is_planned_and_it_is_said(host, status):
    put(host, 100)
    put(host, 101)
    found = judged(read(host, without(host, "qm", status)))
    assert found["plan"] == [] and [entry["reason"] for entry in found["unresolved"]] == ["not_asked"] * 2
    (problem,) = of_the_node(finding for finding in found["findings"] if finding["rule"] == "IO100")
    assert (problem["severity"], problem["node"], problem["guest"]) == (
        "error",
        "pve1",
        None,
    ) and "no guest of this node is written" in problem["message"]


def test_where_the_storages_do_not_answer_the_guests_are_judged_and_it_is_said(host):
    put(host, 100)
    reading = read(host, without(host, "pvesm"))
    assert [storage["active"] for storage in reading.storages] == [None] * len(reading.storages)
    (problem,) = of_the_node(reading.problems)
    assert problem["node"] == "pve1" and "pvesm status gave no answer within 120 s" in problem["reason"]
    assert [entry["guest"] for entry in judged(reading)["plan"]] == ["100"]


def test_each_storage_says_whether_this_node_can_use_it(host):
    put(host, 100, GUEST.replace("local:", "nfs1:") + "scsi1: nowhere:vm-100-disk-1,size=1G\n")
    with (host.root / "etc/pve/storage.cfg").open("a") as stream:
        stream.write("\ndir: off\n\tpath /off\n\tdisable\n\ndir: far\n\tpath /far\n\tnodes pve2,pve3\n")
    host.declare("storages-offline", "nfs1")
    reading = read(host)
    assert {storage["id"]: storage["active"] for storage in reading.storages} == {
        # fmt: skip
        "local": True,
        "lvm1": True,
        "ceph1": True,
        "nfs1": False,
        "btr1": True,
        "off": False,
        "far": False,
    }
    assert [disk["storage"]["active"] for disk in reading.guests[0]["disks"]] == [False, None]


def test_a_storage_that_the_answer_does_not_have_is_not_there(host):
    put(host, 100)
    reading = read(
        host,
        run=lambda arguments: (0, "Name Type Status\n", "") if arguments[4] == "pvesm" else runner(host)(arguments),
    )
    assert {storage["active"] for storage in reading.storages} == {False}


def test_this_node_says_nothing_of_another_ones_guests(host):
    put(host, 100)
    other = host.root / "etc/pve/nodes/pve2/qemu-server"
    other.mkdir(parents=True)
    (other / "200.conf").write_text(f"{GUEST}{NET}\n".replace("{id}", "200"))
    first, second = read(host, node="all").guests
    assert [guest["disks"][0]["storage"]["active"] for guest in (first, second)] == [True, None]
    assert (second["unsafe_lines"], second["held"]) == ([], None)
    host.log.unlink()
    read(host, node="pve2")
    read(host, only=["200"])
    assert host.calls() == []


def test_a_tree_is_not_asked(host, monkeypatch):
    monkeypatch.setattr(find, "is_this_host", lambda root: False)
    put(host, 100, f"{GUEST}{NET}\n")
    reading = read(host)
    assert host.calls() == [] and reading.guests[0]["held"] is None and reading.storages[0]["active"] is None


def test_the_answers_are_waited_for_together(host, monkeypatch):
    put(host, 100)
    monkeypatch.setitem(host.environment, "QM_DELAY", "0.5")
    read(host)
    first, second = host.calls()
    assert max(first["start"], second["start"]) < min(first["end"], second["end"])
