# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The action guest_io_change: batches, a second try for guests that changed meanwhile, and the findings afterwards."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.action import guest_io_assess, guest_io_change
from ansible_collections.hypervisor.io_hardening.tests.unit.in_process import run_action

HOST = {"inventory_hostname": "host1"}
GUEST = "name: web{id}\nscsi0: local:{id}/vm-{id}-disk-0.raw\nscsihw: virtio-scsi-pci\n"


class Tree:
    """Three guests to change."""

    def __init__(self, folder):
        self.configs = folder / "etc/pve/nodes/pve1/qemu-server"
        self.configs.mkdir(parents=True)
        (folder / "etc/pve/storage.cfg").write_text("dir: local\n\tpath /var/lib/vz\n\tcontent images\n")
        for guest in (100, 101, 102):
            (self.configs / f"{guest}.conf").write_text(GUEST.format(id=guest))
        self.options = {"root": str(folder), "policy": {}}

    def assess(self):
        return run_action(guest_io_assess, HOST, **self.options)

    def change(self, **options):
        return run_action(guest_io_change, HOST, plan=self.assess()["plan"], **self.options, **options)

    def hardened(self):
        return {path.stem for path in self.configs.iterdir() if "iothread=1" in path.read_text()}


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


def statuses(returned):
    return [(result["guest"], result["status"], result["reason"]) for result in returned["results"]]


def refusing(reason, guests, then=None):
    """A stand-in for guest_io that fails these guests in its first call; it returns the plans it was given, too."""
    calls = []

    def guest_io(plan, **_options):
        calls.append([entry["guest"] for entry in plan])
        failed = guests if len(calls) == 1 else ()
        results = [
            {
                **{key: entry[key] for key in ("guest", "name", "node")},
                "status": "failed" if entry["guest"] in failed else "changed",
                "reason": reason if entry["guest"] in failed else None,
                "restart_pending": False,
            }
            for entry in plan
        ]
        return {
            "changed": True,
            "results": results,
            "diff": [],
            **({"failed": True, "msg": "1 failed"} if failed else {}),
        }

    return calls, guest_io


def test_a_plan_is_carried_out_batch_by_batch_and_the_guests_are_read_again(tree):
    returned = tree.change(batch=2)
    assert statuses(returned) == [(guest, "changed", None) for guest in ("100", "101", "102")]
    assert returned["changed"] and len(returned["diff"]) == 3 and tree.hardened() == {"100", "101", "102"}
    assert returned["findings"]["plan"] == [] and len(returned["findings"]["guests"]) == 3


def test_a_check_run_writes_nothing_and_leaves_the_findings_as_they_are(tree):
    returned = tree.change(check=True)
    assert [status for _guest, status, _reason in statuses(returned)] == ["changed"] * 3
    assert returned["changed"] and "findings" not in returned and tree.hardened() == set()


def test_a_guest_that_changed_meanwhile_is_read_and_changed_once_more(tree):
    calls, guest_io = refusing("digest_moved", {"101"})
    returned = tree.change(modules={"guest_io": guest_io})
    assert calls == [["100", "101", "102"], ["101"]]
    assert statuses(returned) == [(guest, "changed", None) for guest in ("100", "101", "102")]


def test_a_guest_that_failed_for_another_reason_is_not_tried_again_and_does_not_fail_the_task(tree):
    calls, guest_io = refusing("refused", {"101"})
    returned = tree.change(modules={"guest_io": guest_io})
    assert len(calls) == 1 and ("101", "failed", "refused") in statuses(returned) and not returned.get("failed")


def test_what_was_done_is_returned_where_a_later_batch_cannot_be_carried_out(tree):
    calls, guest_io = refusing("", set())

    def ends(plan, **options):
        return guest_io(plan, **options) if not calls else {"failed": True, "msg": "no space left"}

    returned = tree.change(batch=2, modules={"guest_io": ends})
    assert returned["failed"] and returned["msg"] == "no space left" and returned["changed"]
    assert statuses(returned) == [("100", "changed", None), ("101", "changed", None)]
