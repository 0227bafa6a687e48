# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A run stands as long as something that it wrote is in a config: 'last' is the latest of those."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import find, layout
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.standing import standing
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._journal import lines
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._journal.rollback import rollback
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.doors import (
    apply_below,
    journal_of,
    read_journal,
)

AIO = [{"key": "scsi0", "option": "aio", "before": None, "after": "threads"}]
IOTHREAD = [{"key": "scsi0", "option": "iothread", "before": None, "after": True}]


@pytest.fixture(params=["flat", "nodes"])
def tree(tmp_path, request):
    folder = tmp_path if request.param == "flat" else tmp_path / "etc/pve/nodes/pve1/qemu-server"
    folder.mkdir(parents=True, exist_ok=True)
    return Tree(tmp_path, folder)


class Tree:
    def __init__(self, root, folder):
        self.root, self.folder = str(root), folder

    def put(self, guest, text="scsi0: local:1/a.qcow2\n"):
        (self.folder / f"{guest}.conf").write_text(text)

    def write(self, run, changes, rolls_back=None):
        keys = ("name", "node", "config", "digest")
        plan = [
            {"guest": guest["id"], **{key: guest[key] for key in keys}, "changes": changes}
            for guest in find.read(self.root).guests
        ]
        self.apply(run, plan, rolls_back)

    def apply(self, run, plan, rolls_back=None):
        kept = journal_of(self.root, run, None, rolls_back)
        results = [outcome.result for outcome in apply_below(self.root, plan, journal=kept)]
        assert all(result["status"] == "changed" for result in results), results

    def runs(self):
        problems = []
        found = read_journal(self.root, problems)
        assert problems == []
        return found

    def roll_back(self, run):
        reading = find.read(self.root)
        self.apply(
            f"back-{run}",
            rollback(self.runs()[run], reading.guests, [node["name"] for node in reading.nodes])["plan"],
            run,
        )

    def stands(self):
        return standing(find.backends(self.root), self.runs())

    def last(self):
        stands = self.stands()
        return lines.last(
            [lines.summary(run, "", entries, [], stands[run], []) for run, entries in self.runs().items()]
        )


def test_a_run_stands_until_the_last_of_its_guests_is_rolled_back(tree):
    tree.put(100)
    tree.put(99999)
    tree.write("r1", AIO)
    tree.write("r2", IOTHREAD)
    assert tree.stands() == {"r1": ["100", "99999"], "r2": ["100", "99999"]} and tree.last() == "r2"
    (tree.folder / "100.conf").write_text("scsi0: local:1/a.qcow2,aio=threads\n")
    assert tree.stands()["r2"] == ["99999"] and tree.last() == "r2"
    tree.roll_back("r2")
    assert tree.stands()["r2"] == [] and tree.last() == "r1"
    tree.roll_back("r1")
    assert tree.last() is None


def test_a_run_that_was_killed_before_its_write_does_not_stand(tree):
    tree.put(100)
    tree.write("r1", AIO)
    guest = find.read(tree.root).guests[0]
    killed = journal_of(tree.root, "r2")
    killed.intent(
        {"hypervisor": "pve", "guest": "100", **{key: guest[key] for key in ("name", "node", "config")}},
        guest["digest"],
        IOTHREAD,
        b"",
    )
    assert tree.stands() == {"r1": ["100"], "r2": []} and tree.last() == "r1"
    tree.put(100, "scsi0: local:1/a.qcow2,aio=threads,iothread=1\n")
    assert tree.last() == "r2", "written, and killed before it could be noted"


def test_what_a_run_is_known_not_to_have_written_does_not_stand(tree):
    """Somebody else has set the same."""
    tree.put(100, "scsi0: local:1/a.qcow2,aio=threads\n")
    guest = find.read(tree.root).guests[0]
    entry = {
        "hypervisor": "pve",
        "guest": "100",
        "name": "",
        "node": guest["node"],
        "config": guest["config"],
        "changes": AIO,
    }
    assert standing(find.backends(tree.root), {"r1": [{**entry, "written": None}]}) == {"r1": ["100"]}
    assert standing(find.backends(tree.root), {"r1": [{**entry, "written": False}]}) == {"r1": []}
    (tree.folder / "100.conf").unlink()
    (tree.folder / "100.conf").mkdir()
    assert standing(find.backends(tree.root), {"r1": [{**entry, "written": False}]}) == {"r1": []}


def test_a_config_that_is_gone_does_not_stand_and_one_that_cannot_be_read_may(tree):
    tree.put(100)
    tree.put(101)
    tree.write("r1", AIO)
    (tree.folder / "100.conf").unlink()
    (tree.folder / "101.conf").unlink()
    (tree.folder / "101.conf").mkdir()
    assert tree.stands() == {"r1": ["101"]}


@pytest.mark.parametrize("place", [{"config": "/../outside/100.conf"}, {"guest": "../100"}, {"node": "../x"}])
def test_a_config_that_is_not_the_guests_is_not_looked_at(tree, place):
    tree.put(100, "scsi0: local:1/a.qcow2,aio=threads\n")
    guest = find.read(tree.root).guests[0]
    entry = {
        "hypervisor": "pve",
        "guest": "100",
        "name": "",
        "node": guest["node"],
        "config": guest["config"],
        "written": True,
        "changes": AIO,
    }
    assert standing(find.backends(tree.root), {"r1": [entry]}) == {"r1": ["100"]}
    assert standing(find.backends(tree.root), {"r1": [{**entry, **place}]}) == {"r1": []}


def test_guests_of_another_node_do_not_stand_here(tree, monkeypatch):
    tree.put(100)
    tree.write("r1", AIO)
    here = ["100"]
    there = here if tree.folder.name != "qemu-server" else []
    stands = {
        node: standing(find.backends(tree.root, node), tree.runs())["r1"] for node in ("pve1", "pve2", "all", None)
    }
    assert stands == {"pve1": here, "pve2": there, "all": here, None: here}
    monkeypatch.setattr(find, "is_this_host", lambda root: True)
    monkeypatch.setattr(layout, "own_node", lambda root: "pve2")
    assert standing(find.backends(tree.root), tree.runs())["r1"] == there
