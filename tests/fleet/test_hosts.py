# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the policies of hosts name is set by harden_io, once a cluster where it is the cluster's, and rolled back."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from ansible_collections.hypervisor.io_hardening.tests.fleet.playbook import ROOT, play

POLICIES = {"io_load_policy": {"limits": {"restore": "80 MiB/s"}}, "io_host_policy": {"swappiness": 10}}
ONLY_HOSTS = ("--tags", "load,host")


def files(tree: Path) -> dict[str, bytes]:
    """What is below the hosts' roots, without the journals."""
    found = {path.relative_to(tree).as_posix(): path for path in (tree / "hosts").rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if "/journal/" not in name}


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> set[str]:
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    tree = tmp_path_factory.mktemp("fleet") / "copy"
    subprocess.run([ROOT / "sample_fleet/copy", tree], check=True)
    for host in ("pve1", "pve2", "pve3"):
        path = tree / f"hosts/{host}/proc/sys/vm/swappiness"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("60\n")
    given = ("--extra-vars", json.dumps(POLICIES), *ONLY_HOSTS)
    seen = {"before": files(tree)}
    seen["checked"] = play(tree, "harden_io", *given, "--check")
    seen["after_check"] = files(tree)
    seen["set"] = play(tree, "harden_io", *given)
    seen["after"] = files(tree)
    seen["again"] = play(tree, "harden_io", *given)
    seen["after_again"] = files(tree)
    seen["rolled"] = play(tree, "rollback_io")
    seen["after_rollback"] = files(tree)
    return seen


def test_a_check_run_says_what_would_be_set_and_sets_nothing(seen):
    code, output = seen["checked"]
    assert code == 0 and seen["after_check"] == seen["before"]
    assert "pve1: to change: " in output and "the settings of 4 hosts" in output


def test_each_host_is_set_and_what_is_the_clusters_on_one_of_its_hosts(seen):
    code, output = seen["set"]
    assert code == 0, output
    changed = differing(seen["before"], seen["after"])
    assert {name for name in changed if "/etc/pve/" in name} == {"hosts/pve1/etc/pve/datacenter.cfg"}
    before, after = (seen[name]["hosts/pve1/etc/pve/datacenter.cfg"] for name in ("before", "after"))
    assert after == before.replace(b"bwlimit: migration=1", b"bwlimit: migration=1,restore=81920") != before
    kernel = {name for name in changed if name.endswith("swappiness")}
    assert len(kernel) == 3 and {seen["after"][name].strip() for name in kernel} == {b"10"}


def test_a_second_run_finds_nothing_to_do(seen):
    code, output = seen["again"]
    assert code == 0 and seen["after_again"] == seen["after"]
    assert output.count("changed=0") == 4


def test_the_run_is_rolled_back_to_the_byte(seen):
    code, output = seen["rolled"]
    assert code == 0, output
    assert "SETTINGS PUT BACK" in output
    assert "made by policies io_load_policy, io_host_policy" in " ".join(output.split())
    assert differing(seen["before"], seen["after_rollback"]) == set()
