# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a policy names for the load is found, set by the module, not found again, and given back: on a node with the
stand-ins for pvesh and pvesm, and in a tree.
"""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.tree import Tree
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._load.read import read_facts
from ansible_collections.hypervisor.io_hardening.plugins.modules import host_settings
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy import subjects
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy.assess import Case, assess
from ansible_collections.hypervisor.io_hardening.tests.unit.in_process import run_module
from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.qm_host import QmHost

FILES = {
    "etc/vzdump.conf": "# defaults\n#bwlimit: KBPS\nperformance: pbs-entries-max=9\n",
    "etc/pve/jobs.cfg": "vzdump: nightly\n\tschedule mon 01:00\n\tall 1\n\tbwlimit 1000\n\tenabled 1\n"
    "\tfleecing enabled=0\n\tperformance pbs-entries-max=9,max-workers=4\n\tstorage nas\n\n",
    "etc/pve/datacenter.cfg": "\nbwlimit: clone=7000,restore=1000\nkeyboard: de\n",
    "etc/pve/storage.cfg": "dir: local\n\tpath /var/lib/vz\n\tcontent images,iso\n\nlvmthin: fast\n\tthinpool data\n\tvgname pve\n"
    "\tcontent images\n\nnfs: nas\n\texport /backup\n\tpath /mnt/pve/nas\n\tserver 192.0.2.40\n\tcontent backup\n\n",
    "usr/share/perl5/PVE/pvecfg.pm": "package PVE::pvecfg;\n\nsub version {\n    return '9.1.1';\n}\n",
}
POLICY = {
    "backup": {"max_workers": 1, "bwlimit": "80 MiB/s", "ionice": 8, "fleecing": "fast"},
    "limits": {"restore": "100 MiB/s", "move": "50 MiB/s"},
    "storages": {"fast": {"restore": "50 MiB/s"}},
}


@pytest.fixture(params=["live", "tree"])
def host(request, tmp_path, monkeypatch):
    host = QmHost(tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    if request.param == "live":
        host.on_path(monkeypatch)

        class Live(Tree):
            def __init__(self, root):
                super().__init__(root)
                self.live = True

        monkeypatch.setattr(host_settings, "Tree", Live)
    yield host
    host.close()


def assessed(host, policy=None):
    document = subjects.DOCUMENTS["load"]
    facts = read_facts(Tree(str(host.root)))
    assert facts["problems"] == []
    case = Case("load", facts, document.parse(POLICY if policy is None else policy, "io_load_policy"), "pve1")
    return assess(case, document.subjects["load"].judges, datetime.date(2026, 11, 28))


def run(host, **options):
    return run_module(host_settings, root=str(host.root), journal=str(host.root / "journal"), **options)


def texts(host):
    return {name: sorted((host.root / name).read_text().split("\n")) for name in FILES}


def test_what_the_policy_names_is_set_once_and_given_back(host):
    before = texts(host)
    plan = assessed(host)["plan"]
    assert {entry["key"] for entry in plan} == {"vzdump.conf", "job nightly", "datacenter", "storage fast"}
    dry = run(host, plan=plan, check=True)
    assert dry["changed"] and texts(host) == before
    done = run(host, plan=plan, run="one")
    assert {result["status"] for result in done["results"]} == {"changed"}
    again = assessed(host)
    assert again["plan"] == []
    assert not run(host, plan=plan, run="two")["changed"]
    assert texts(host)["etc/vzdump.conf"] == sorted(
        [
            *("# defaults", "#bwlimit: KBPS", "bwlimit: 81920", "ionice: 8"),
            *("performance: pbs-entries-max=9,max-workers=1", "fleecing: enabled=1,storage=fast", ""),
        ]
    )
    assert "\nbwlimit: clone=7000,restore=102400,move=51200\n" in (host.root / "etc/pve/datacenter.cfg").read_text()
    taken = run(host, undo_run="one", run="three")
    assert taken["left"] == [] and {result["status"] for result in taken["results"]} == {"changed"}
    after = texts(host)
    # Proxmox VE spells a job's property strings its own way.
    own = {
        "\tfleecing 0": "\tfleecing enabled=0",
        "\tperformance max-workers=4,pbs-entries-max=9": "\tperformance pbs-entries-max=9,max-workers=4",
    }
    after["etc/pve/jobs.cfg"] = sorted(own.get(line, line) for line in after["etc/pve/jobs.cfg"])
    assert {
        name: [line.replace("iso,images", "images,iso") for line in lines] for name, lines in after.items()
    } == before


def test_a_waived_fleecing_of_a_job_stays_when_the_files_is_set(host):
    waiver = {"match": "object == 'job nightly'", "rules": ["IO301", "IO304", "IO305"], "until": "2027-06-30"}
    policy = {**POLICY, "waivers": [{"id": "L-1", "reason": "the target is all flash", **waiver}]}
    run(host, plan=assessed(host, policy)["plan"], run="one")
    again = assessed(host, policy)
    assert again["plan"] == [] and {one["waived"]["id"] for one in again["findings"] if one["waived"]} == {"L-1"}
    assert "fleecing: enabled=1,storage=fast" in (host.root / "etc/vzdump.conf").read_text()
