# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The load of a cluster behind an API: what each node has of its own is judged there, and what all share once."""

from __future__ import annotations

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy import (
    judge_load_cluster,
    load_policy,
)
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._host_policy import load

JOBS = (
    "vzdump: nightly\n\tschedule 02:00\n\tall 1\n\tstorage nas\n\n"
    "vzdump: second\n\tschedule 03:00\n\tall 1\n\tnode pve2\n\tstorage fast\n\n"
)


def cluster(**confs):
    """The facts of a cluster: node to the text of its vzdump.conf, None where it is not known."""
    nodes = {}
    for node, conf in confs.items():
        facts = load.facts({**load.NODE, load.JOBS: JOBS, load.VZDUMP: conf}, live=conf is not None)
        nodes[node] = {key: facts[key] for key in ("vzdump", "storages", "guests")} | {"node": node}
    return {**facts, "version": "9.0.3", "node": None, "vzdump": None, "nodes": nodes}


def judge(facts, policy=None, leads=True):
    return list(judge_load_cluster.judge(facts, load_policy.parse(policy), leads))


def starts(findings, rule):
    return sorted(one["message"].partition(";")[0] for one in findings if one["rule"] == rule)


FEW, MANY = "performance: max-workers=1\n", "performance: max-workers=8\n"


def test_nodes_with_the_same_finding_are_named_together():
    found = judge(cluster(pve1=MANY, pve2=FEW, pve3=MANY), {"backup": {"max_workers": 1}})
    assert starts(found, "IO304") == ["vzdump.conf: on nodes pve1, pve3: 8 workers, wanted 1 worker"]
    assert [one for one in found if one["cure"]] == []


def test_what_the_cluster_shares_is_told_once_and_where_it_leads():
    facts = cluster(pve1=MANY, pve2=FEW)
    own, shared = (starts(judge(facts, leads=leads), "IO308") for leads in (False, True))
    assert [said.split(":")[:2] for said in own] == [["storage nas", " on nodes pve1, pve2"]]
    assert shared == ["job second: its storage fast has no content backup: it backs nothing up", *own]


def test_a_job_of_one_node_takes_what_that_node_has():
    """On the other one it does not run: what vzdump.conf says there is nothing to it."""
    wanted = {"jobs": {"second": {"max_workers": 1}}}
    assert starts(judge(cluster(pve1=MANY, pve2=FEW), wanted), "IO304") == []
    (said,) = starts(judge(cluster(pve1=FEW, pve2=MANY), wanted), "IO304")
    assert said == "job second: it takes 8 workers from vzdump.conf, wanted 1 worker"


def test_a_node_that_is_silent_is_not_judged():
    found = judge(cluster(pve1=MANY, pve2=None), {"backup": {"max_workers": 1}})
    assert starts(found, "IO304") == ["vzdump.conf: on node pve1: 8 workers, wanted 1 worker"]
