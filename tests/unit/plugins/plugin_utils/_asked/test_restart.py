# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which guests are restarted, in which order, and how that is shown."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve.record import record
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve.storage import parse
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.restart import restart_order

STORAGES = {storage["id"]: storage for storage in parse("")[0]}
PLAIN = "name: web\nscsi0: local:1/a.qcow2,size=1G\nscsihw: virtio-scsi-single\n"
WAITS = PLAIN + "\n[PENDING]\nscsi0: local:1/a.qcow2,size=1G,aio=threads,iothread=1\n"


def guest(number, text=WAITS, running=True):
    return {**record(str(number), text.encode(), STORAGES, "pve1", f"/{number}.conf"), "running": running}


def of(*guests):
    return list(guests)


@pytest.mark.parametrize("match", ["", "  ", None])
def test_without_a_selector_no_guest_is_restarted(match):
    with pytest.raises(ValueError, match="restart_match is not set"):
        restart_order(of(guest(100)), match)


@pytest.mark.parametrize("match", [True, False, 0, 105, {"guest.id": "105"}, [], 1.5])
def test_what_is_no_expression_is_shown_and_not_called_unset(match):
    with pytest.raises(
        ValueError, match="restart_match is .*; it takes a JMESPath expression over the guest"
    ) as caught:
        restart_order(of(guest(100)), match)
    assert "not set" not in str(caught.value)


@pytest.mark.parametrize(
    "match, said", [("guest.id ==", "restart_match"), ("starts_with(guest.ostype, 'l')", "guest 100")]
)
def test_a_selector_that_cannot_be_is_said_with_its_place(match, said):
    with pytest.raises(ValueError, match=said):
        restart_order(of(guest(100)), match)


def test_a_list_is_told_that_it_takes_one_expression():
    with pytest.raises(
        ValueError, match="restart_match is \\[.*takes a JMESPath expression over the guest, .*; join several with"
    ):
        restart_order(of(guest(100)), ["guest.id == '100'"])


def test_a_selector_that_names_nobody_is_said():
    assert (
        restart_order(of(guest(100), guest(101)), "guest.id == '7'")["names_nobody"]
        == "restart_match matches none of the 2 guests here: guest.id == '7'"
    )
    assert restart_order(of(guest(100)), "guest.id == '100'")["names_nobody"] is None


def test_named_guests_that_wait_are_restarted_by_their_ids():
    found = restart_order(of(guest(1000), guest(99), guest(100), guest(98)), "guest.id != '98'")
    assert [entry["guest"] for entry in found["order"]] == ["99", "100", "1000"]
    assert found["order"][0]["waits"] == ["scsi0 iothread off → on", "scsi0 aio io_uring → threads"]
    assert found["skipped"] == found["nothing_pending"] == []


def test_what_is_left_out_of_the_order_is_said():
    guests = [
        guest(100, PLAIN),
        guest(101, "lock: backup\n" + WAITS),
        guest(102, running=False),
        guest(103, running=None),
        guest(104, "template: 1\n" + WAITS),
        guest(105, WAITS.replace("aio=threads", "aio=native,cache=writeback")),
    ]
    found = restart_order(of(*guests), "guest.name == 'web'")
    assert found["order"] == [] and found["nothing_pending"] == ["100"]
    assert [(entry["guest"], entry["reason"]) for entry in found["skipped"]] == [
        ("101", "locked"),
        ("102", "not_running"),
        ("103", "not_here"),
        ("104", "template"),
        ("105", "would_not_start"),
    ]


def test_what_else_comes_into_force_is_named():
    (entry,) = restart_order(
        of(guest(100, WAITS + "cores: 8\nnet0: virtio\nscsihw: virtio-scsi-pci\n")), "guest.id != ''"
    )["order"]
    assert entry["also"] == ["cores", "net0"]


def test_what_a_process_runs_with_counts():
    drifted = guest(100, PLAIN)
    drifted["disks"][0]["runs"] = {**drifted["disks"][0]["effective"], "cache": "writeback"}
    (entry,) = restart_order(of(drifted), "guest.id != ''")["order"]
    assert entry["waits"] == ["scsi0 cache writeback → none"]
    applied = guest(100)
    applied["disks"][0]["runs"] = applied["disks"][0]["next"]
    assert restart_order(of(applied), "guest.id != ''")["nothing_pending"] == ["100"]
