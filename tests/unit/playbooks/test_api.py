# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The playbooks on a cluster behind its API: gate, hardening, restart and rollback, and the secret nowhere."""

from __future__ import annotations

import json
import re
import sys

import pytest

from ansible_collections.hypervisor.io_hardening.tests.playbooks import run_playbook
from ansible_collections.hypervisor.io_hardening.tests.unit.facts import facts
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.api_stand_in import (
    GUEST,
    READ,
    RESTART,
    SECRET,
    ClusterTree,
    options_of,
)

READ_ALL = ["Sys.Audit", "Datastore.Audit", "VM.Audit"]


@pytest.fixture
def tree(tmp_path):
    tree = ClusterTree(tmp_path / "root")
    (tree.root / "usr/bin").mkdir(parents=True)
    (tree.root / "usr/bin/kvm").write_text("QEMU emulator version 10.1.2 (pve-qemu-kvm_10.1.2-1)\n\0")
    return tree


class Site:
    """An inventory with the cluster as its host ``cluster1``."""

    def __init__(self, folder, api, **variables):
        self.folder, self.inventory = folder, folder / "inventory.yml"
        given = {name: value for name, value in options_of(api).items() if value is not None}
        self.hosts = {
            "cluster1": {"io_hardening_api": given, "io_hardening_journal": str(folder / "journal"), **variables}
        }

    def run(self, playbook, *arguments, **variables):
        local = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        group = {"hosts": self.hosts, "vars": local}
        self.inventory.write_text(json.dumps({"all": {"children": {"hypervisors": group}}}))
        done = run_playbook(playbook, "-i", self.inventory, *arguments, variables=variables or None)
        assert SECRET not in done.output
        return done


def test_a_cluster_is_gated_hardened_and_rolled_back(tree, tmp_path):
    """With everything that Ansible can say, and every report: the secret is in none of it."""
    before = {path: path.read_text() for path in (tree.put(100), tree.put(200, node="pve2"))}
    with tree.stand_in(tmp_path, RESTART) as api:
        site = Site(tmp_path, api)
        reports = tmp_path / "reports"
        gate = site.run("gate_io", report_dir=str(reports))
        assert gate.status == 2 and "6 findings of severity error" in re.sub(r"\s+", " ", gate.output), gate.output
        assert "cluster1: write-back limits" in gate.output and "tells nothing of a node's own settings" in re.sub(
            r"\s+", " ", gate.output
        )
        check = site.run("harden_io", "--check", "--diff", "-vvvvv")
        assert check.status == 0 and {path: path.read_text() for path in before} == before, check.output
        harden = site.run("harden_io", "--diff", "-vvvvv")
        assert harden.status == 0 and "+scsihw: virtio-scsi-single" in harden.output, harden.output
        assert all("iothread=1" in path.read_text() for path in before)
        api.calls.clear()
        again = site.run("harden_io")
        assert again.status == 0 and "changed=0" in again.output
        assert [call for call in api.calls if call.method != "GET"] == []
        back = site.run("rollback_io", "-vvvvv")
        assert back.status == 0 and {path: path.read_text() for path in before} == before, back.output
    kept = [path for folder in (reports, tmp_path / "journal") for path in folder.rglob("*") if path.is_file()]
    assert {path.parent.name for path in kept} == {"reports", "cluster1"} and len(kept) > 3
    assert [path for path in kept if SECRET in path.read_text()] == []


def test_the_load_is_judged_where_the_token_may_see_it(tree, tmp_path):
    tree.put(100)
    (tree.root / "etc/pve/jobs.cfg").write_text("vzdump: nightly\n\tschedule 02:00\n\tall 1\n\tstorage local\n\n")
    policy = {"backup": {"max_workers": 1}}
    for acl, says in (
        ({**RESTART, "/": READ_ALL}, "IO304 (1): vzdump.conf: on nodes pve1, pve2: 16 workers by default, wanted 1"),
        (RESTART, "may not read backup jobs and limits: it lacks Sys.Audit on /."),
    ):
        with tree.stand_in(tmp_path, acl) as api:
            site = Site(tmp_path, api, io_load_policy=policy)
            gate = re.sub(r"\s+", " ", site.run("gate_io", gate_fail_on="warning").output)
            assert says in gate and "cluster1: write-back limits, " in gate, gate
            harden = site.run("harden_io", harden_io_parts=["load"])
            assert harden.status == 0 and "changed=0" in harden.output, harden.output
            said = re.sub(r"\s+", " ", harden.output)
            assert said.count(says.partition(": ")[2]) == 1, said
            assert ("what the policy names is set by ssh alone" in said) == ("/" in acl)
            assert ("nothing of it was read through the API" in said) == ("/" not in acl)
            assert {call.method for call in api.calls} == {"GET"}


def test_a_guest_is_restarted(tree, tmp_path):
    tree.put(100)
    with tree.stand_in(tmp_path, RESTART, second=0.05) as api:
        site = Site(tmp_path, api)
        api.cluster.node("pve1").start_now("100", {})
        assert site.run("harden_io").status == 0
        done = site.run("restart_pending", "-vvvvv", restart_match="guest.id == '100'")
        text = tree.config(100).read_text()
        api.cluster.node("pve1").stop_now("100", {})
    assert done.status == 0 and "[PENDING]" not in text and "iothread=1" in text, done.output


def test_drift_that_is_not_pending_is_reported_where_qemu_is_asked(tree, tmp_path):
    single = GUEST.replace("virtio-scsi-pci", "virtio-scsi-single")
    tree.put(100, single.replace("backup=0,", "aio=threads,backup=0,").replace("size=32G", "iothread=1,size=32G"))
    (said,) = [one["answers"] for one in facts("qemu_monitor") if one["name"] == "blockdev-pci"]
    folder = tree.root / "var/lib/qm-stand-in/hmp/100"
    folder.mkdir(parents=True)
    for command, text in said.items():
        (folder / command).write_text(text)
    with tree.stand_in(tmp_path, {**READ, "/vms": ["VM.Audit", "Sys.Audit"]}) as api:
        site = Site(tmp_path, api)
        api.cluster.node("pve1").start_now("100", {})
        unasked = site.run("gate_io", report_dir=str(tmp_path / "unasked"))
        site.hosts["cluster1"]["io_hardening_api"]["monitor"] = True
        asked = site.run("gate_io", report_dir=str(tmp_path / "asked"))
        api.cluster.node("pve1").stop_now("100", {})
    assert unasked.status == asked.status == 0, asked.output
    reports = {name: "".join(path.read_text() for path in (tmp_path / name).iterdir()) for name in ("unasked", "asked")}
    drift = "runs with iothread off, configured is on"
    assert [drift in reports[name] for name in ("unasked", "asked")] == [False, True]


def test_a_token_that_sees_too_little_ends_the_run(tree, tmp_path):
    tree.put(100)
    with tree.stand_in(tmp_path, {**READ, "/vms": []}) as api:
        gate = Site(tmp_path, api).run("audit_io", "-vvv")
    assert gate.status == 2 and "it lacks VM.Audit on /vms" in gate.output and "pveum acl modify" in gate.output


def test_a_token_that_may_only_read_changes_nothing(tree, tmp_path):
    before = tree.put(100).read_text()
    with tree.stand_in(tmp_path, READ) as api:
        done = Site(tmp_path, api).run("harden_io", "-vvv")
    assert (
        done.status == 2 and "may not write guest 100" in done.output and "pveum role add GuestIOWrite" in done.output
    )
    assert tree.config(100).read_text() == before


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"io_hardening_journal": ""}, "io_hardening_journal is not set for cluster1: what is written through its API"),
        (
            {"io_hardening_journal": "kept"},
            "io_hardening_journal, set for cluster1, is 'kept'; it takes the absolute path",
        ),
        (
            {"io_hardening_api": f"https://pve1 {SECRET}"},
            "io_hardening_api, set for cluster1, is not that; it takes a dictionary of url, token_id, token_secret and",
        ),
        (
            {"io_hardening_api": {"url": "https://pve1", "token_id": "a@pve!b", "secret": SECRET}},
            "io_hardening_api, set for cluster1, is not that",
        ),
        (
            {"io_hardening_api": {"url": "pve1:8006", "token_id": "a@pve!b", "token_secret": SECRET}},
            "the API's url is 'pve1:8006'; it takes https://HOST",
        ),
        (
            {"io_hardening_api": {"url": "https://pve1", "token_id": "a@pve", "token_secret": SECRET}},
            "the API's token_id is 'a@pve'; it takes USER@REALM!TOKEN",
        ),
        ({"guest_io_root": "/srv"}, "root is /srv, and an API is named too: these are two ways to guests; name one"),
    ],
)
def test_what_cannot_be_is_refused_without_the_secret(tree, tmp_path, variables, says):
    with tree.stand_in(tmp_path, READ) as api:
        site = Site(tmp_path, api, **variables)
        done = site.run("harden_io", "-vvv")
        assert done.status == 2 and says in done.output, done.output
        assert api.calls == []


def test_the_secret_is_no_question_of_a_survey(tree, tmp_path):
    with tree.stand_in(tmp_path, READ) as api:
        done = Site(tmp_path, api).run("harden_io", survey_io_hardening_api="x")
    assert done.status == 2 and "survey_io_hardening_api: no such variable." in done.output


def test_a_guest_of_a_node_and_of_its_cluster_is_judged_once(tree, tmp_path):
    tree.put(100)
    tree.put(200, node="pve2")
    with tree.stand_in(tmp_path, RESTART) as api:
        site = Site(tmp_path, api)
        site.hosts["pve1"] = {
            "guest_io_root": str(tree.root),
            "guest_io_node": "pve1",
            "host_writeback_root": str(tree.root),
        }
        gate = site.run("gate_io")
        said = re.sub(r"\s+", " ", gate.output)
        assert gate.status == 2 and "host cluster1: guest 100 of node pve1 is a guest of host pve1 too" in said
        before = tree.config(200, "pve2").read_text()
        assert site.run("harden_io").status == 2 and tree.config(200, "pve2").read_text() == before
        site.hosts["cluster1"]["guest_io_node"] = "pve2"
        assert site.run("harden_io").status == 0 and "iothread=1" in tree.config(200, "pve2").read_text()
        assert GUEST.replace("{id}", "100") != tree.config(100).read_text()
