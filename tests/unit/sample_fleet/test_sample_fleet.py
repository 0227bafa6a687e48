# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The sample fleet is what its README and its expectations say, to two readings that share no code."""

from __future__ import annotations

import datetime
import re
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import find
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.tree import Tree
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._load.read import read_facts
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy.assess import Case
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy.assess import assess as assess_host
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy.subjects import DOCUMENTS
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._policy.fleet import assess
from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.qm_host import QmHost

PROJECT = Path(__file__).resolve().parents[3]
FLEET = PROJECT / "sample_fleet"
CONFIGS = {path.stem: path for path in FLEET.glob("root/etc/pve/nodes/*/qemu-server/*.conf")}
POLICY = yaml.safe_load((PROJECT / "roles/guest_io/defaults/main.yml").read_text())["guest_io_policy"]
EXPECTED = yaml.safe_load((PROJECT / "tests/fixtures/sample_fleet_expected.yml").read_text())
DOMAINS = {path.stem: path for path in FLEET.glob("hosts/*/etc/libvirt/qemu/*.xml")}

# What Proxmox VE does not understand in it, and would drop on its next write.
NOT_UNDERSTOOD = {
    "307": ["unable to parse value of 'name'", "unable to parse value of 'tags'"],
    "310": ["unable to parse config: ask Rosa before changing anything here"],
    "312": ["unable to parse value of 'scsi1'"],
}


def test_every_guest_is_described_and_has_its_expectation():
    text = (FLEET / "README.md").read_text()
    rows = re.findall(r"^\| (\w+) \|.*\| (compliant|restart_pending|to_change|unresolved) \|$", text, re.MULTILINE)
    assert dict(rows) == {guest: entry["status"] for guest, entry in EXPECTED.items()}
    assert [guest for guest, _status in rows] == [*sorted(CONFIGS, key=int), *sorted(DOMAINS)]
    assert f"with {len(CONFIGS)} guests, and a host of libvirt with {len(DOMAINS)}: {len(rows)} guests" in text


@pytest.fixture(scope="module")
def verdicts():
    readings = [find.read(str(FLEET / root)) for root in ("root", "hosts/kvm1")]
    assert [reading.problems for reading in readings] == [[], []]
    guests = [guest for reading in readings for guest in reading.guests]
    document = assess(guests, POLICY, datetime.date(2026, 11, 23), readings[0].nodes)
    found = {
        entry["guest"]: {"status": entry["status"], "findings": defaultdict(list), "changes": []}
        for entry in document["guests"]
    }
    for finding in document["findings"]:
        found[finding["guest"]]["findings"][finding["disk"] or "guest"].append(finding["rule"])
    for entry in document["plan"]:
        found[entry["guest"]]["changes"] = [
            [change["key"], change["option"], change["before"], change["after"]] for change in entry["changes"]
        ]
    return found, document


@pytest.mark.parametrize(
    "vmid",
    EXPECTED,
)
def test_the_default_policy_judges_each_guest_as_expected(verdicts, vmid):
    found, want = verdicts[0][vmid], EXPECTED[vmid]
    assert {where: sorted(rules) for where, rules in found["findings"].items()} == want["findings"]
    assert sorted(found["changes"], key=str) == sorted(want["changes"], key=str)
    assert found["status"] == want["status"]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (
            "pve1",
            [
                "IO301 warning vzdump.conf",
                "IO301 warning job databases",
                "IO305 note vzdump.conf",
                "IO307 warning datacenter",
                "IO306 note datacenter",
            ],
        ),
        ("pve2", ["IO301 warning vzdump.conf"]),
        ("pve3", []),
    ],
)
def test_backups_and_limits_are_judged_as_expected(tmp_path, host, expected):
    subprocess.run([FLEET / "copy", tmp_path / "fleet"], check=True)
    facts = read_facts(Tree(str(tmp_path / "fleet/hosts" / host)))
    document = DOCUMENTS["load"]
    case = Case("load", facts, document.parse({}, "policy"), host, host == "pve1")
    found = assess_host(case, document.subjects["load"].judges, datetime.date(2026, 11, 23))["findings"]
    said = [f"{one['rule']} {one['severity']} {one['message'].partition(':')[0]}" for one in found]
    assert said == expected and facts["node"] == host


def test_storages_that_a_node_serves_itself_are_named(verdicts):
    named = {
        finding["guest"] for finding in verdicts[1]["findings"] if "served by this node itself" in finding["message"]
    }
    assert named == {"206", "208"}


def test_proxmox_ve_understands_what_the_fleet_means_it_to(tmp_path):
    host = QmHost(tmp_path)
    for vmid, path in CONFIGS.items():
        host.config(vmid).write_bytes(path.read_bytes())
        words = host.run("qm", "config", vmid).stderr
        assert re.findall(r"^vm \d+ - (.*?)(?: - .*)?$", words, re.MULTILINE) == NOT_UNDERSTOOD.get(vmid, []), vmid


def copy(*arguments, check=True):
    return subprocess.run([str(FLEET / "copy"), *map(str, arguments)], capture_output=True, text=True, check=check)


def test_a_copy_stays_as_it_was_changed_until_a_fresh_one_is_asked_for(tmp_path):
    build = tmp_path / "build" / "fleet"
    copy(build)
    assert not list(build.parent.glob("*.new.*"))
    config = build / CONFIGS["101"].relative_to(FLEET)
    assert config.read_bytes() == CONFIGS["101"].read_bytes()
    config.write_text("name: changed\n")
    copy(build)
    assert config.read_text() == "name: changed\n"
    copy("--fresh", build)
    assert config.read_bytes() == CONFIGS["101"].read_bytes()


@pytest.mark.parametrize("fresh", [[], ["--fresh"]])
def test_a_folder_of_somebody_else_is_never_replaced(tmp_path, fresh):
    (tmp_path / "thesis.txt").write_text("mine")
    result = copy(*fresh, tmp_path, check=False)
    assert result.returncode == 1
    assert "no copy of the sample fleet" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_the_inventory_leads_each_node_to_its_own_trees():
    group = yaml.safe_load((FLEET / "inventory.yml").read_text())["all"]["children"]["hypervisors"]
    hosts = {name: sorted(child["hosts"]) for name, child in group["children"].items()}
    nodes = sorted(path.name for path in (FLEET / "root/etc/pve/nodes").iterdir())
    others = sorted({path.parents[3].name for path in DOMAINS.values()})
    assert hosts == {"proxmox_nodes": nodes, "libvirt_hosts": others}
    assert sorted([*nodes, *others]) == sorted(path.name for path in (FLEET / "hosts").iterdir())
    assert group["vars"]["ansible_connection"] == "local"
