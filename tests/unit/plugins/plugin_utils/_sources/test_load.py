# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The files of a directory that limit backups, restores and moves are judged with its guests."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.join import join_documents
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy import load_policy
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.policy import parse
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._sources.gated import assess_root

DAY = datetime.date(2026, 11, 28)
GUEST = "scsihw: virtio-scsi-single\nscsi0: fast:vm-100-disk-0,aio=threads,iothread=1\n"
STORAGES = (
    "lvmthin: fast\n\tvgname pve\n\tthinpool data\n\tcontent images\n\npbs: pbs1\n\tserver 10.0.0.50\n\tdatastore a\n"
)
JOBS = "vzdump: nightly\n\tschedule 02:00\n\tall 1\n\tstorage pbs1\n"


@pytest.fixture
def tree(tmp_path):
    """A copy of what a node has, with etc/vzdump.conf."""
    files = {
        "etc/hostname": "pve1\n",
        "etc/vzdump.conf": "ionice: 5\n",
        "etc/pve/storage.cfg": STORAGES,
        "etc/pve/jobs.cfg": JOBS,
        "etc/pve/datacenter.cfg": "bwlimit: migration=1\n",
        "etc/pve/nodes/pve1/qemu-server/100.conf": GUEST,
        "etc/pve/nodes/pve2/qemu-server/200.conf": GUEST,
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def judged(root, policy=None):
    (document,) = assess_root(str(root), parse({}), DAY, load=load_policy.parse(policy))
    return document


def told(document):
    return [(one["rule"], one["severity"], one["host"], one["file"], one["line"]) for one in document["findings"]]


def test_a_tree_of_a_node(tree):
    document = judged(tree)
    vzdump, datacenter = str(tree / "etc/vzdump.conf"), str(tree / "etc/pve/datacenter.cfg")
    assert told(document) == [
        ("IO301", "warning", "pve1", vzdump, None),
        ("IO305", "note", "pve1", vzdump, 1),
        ("IO307", "warning", "pve1", datacenter, 1),
        ("IO306", "note", "pve1", datacenter, 1),
    ]
    assert [(entry["host"], [one["subject"] for one in entry["assessments"]]) for entry in document["hosts"]] == [
        ("pve1", ["load"]),
        ("pve2", []),
    ]
    joined = join_documents([document])
    assert joined["summary"]["findings"] == {"error": 0, "warning": 2, "note": 2}


def test_what_the_policy_names_is_an_error(tree):
    document = judged(tree, {"backup": {"max_workers": 1, "fleecing": "fast"}})
    errors = [one for one in document["findings"] if one["severity"] == "error"]
    assert [(one["rule"], one["fixable"]) for one in errors] == [("IO301", True), ("IO304", True)]


def test_the_policys_waivers_count(tree):
    waivers = [
        {"id": "w1", "match": "host == 'pve1'", "rules": ["IO301"], "until": "2999-01-01", "reason": "a test"},
        {"id": "w2", "match": "object == 'job other'", "rules": ["IO301"], "until": "2999-01-01", "reason": "a test"},
    ]
    joined = join_documents([judged(tree, {"waivers": waivers})])
    assert [one["waived"]["id"] for one in joined["findings"] if one["waived"]] == ["w1"]
    assert [one["message"] for one in joined["findings"] if one["rule"] == "IO122"] == ["waiver w2 matches nothing"]


def test_a_copy_of_etc_pve_says_that_the_nodes_file_is_not_there(tree):
    document = judged(tree / "etc/pve")
    assert [(one[0], one[3]) for one in told(document)] == [
        ("IO307", str(tree / "etc/pve/datacenter.cfg")),
        ("IO306", str(tree / "etc/pve/datacenter.cfg")),
        ("IO311", None),
    ]
    assert all(one["host"] is None for one in document["findings"])


def test_a_flat_directory_has_none_of_it(tmp_path):
    (tmp_path / "100.conf").write_text(GUEST)
    (tmp_path / "storage.cfg").write_text(STORAGES)
    assert judged(tmp_path)["findings"] == []
    (tmp_path / "jobs.cfg").write_text(JOBS + "\tfleecing 1,storage=gone\n")
    assert [(one[0], one[3]) for one in told(judged(tmp_path))] == [
        ("IO303", str(tmp_path / "jobs.cfg")),
        ("IO311", None),
    ]


def test_a_file_that_cannot_be_read_is_said(tree):
    (tree / "etc/vzdump.conf").unlink()
    (tree / "etc/vzdump.conf").mkdir()
    (found,) = (one for one in judged(tree)["findings"] if one["rule"] == "IO100")
    assert found["file"] == str(tree / "etc/vzdump.conf") and found["message"].startswith(
        "/etc/vzdump.conf is not known"
    )
