# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""docs/causes.md names every rule and every key of the policy, docs/data.md every key of the facts."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy import host_policy
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.rules import RULES
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._causes import host

DOCS = Path(__file__).resolve().parents[5] / "docs"
DOC = (DOCS / "causes.md").read_text("utf-8")
BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
(POLICY,) = map(yaml.safe_load, BLOCK.findall(DOC))
FACTS = yaml.safe_load(BLOCK.search((DOCS / "data.md").read_text("utf-8").partition("\n## Host causes\n")[2])[1])
MADE = {"/proc/swaps": host.ZVOL_SWAP, "/proc/mounts": host.NFS}


def test_the_table_has_every_rule_once():
    assert re.findall(r"^\| (IO\d+) ", DOC, re.MULTILINE) == [rule for rule in RULES if rule.startswith("IO5")]


def test_the_example_is_allowed_and_every_key_is_explained():
    policy = host_policy.parse(POLICY["io_host_policy"])
    assert policy.zfs_arc_max == 8 << 30 and policy.waivers[0].id == "OPS-31"
    explained = set(re.findall(r"^\| `(\w+)` \|", DOC, re.MULTILINE))
    assert explained == set(policy._fields)


def keys(value):
    """The keys of a value, and those of its mappings and of the first item of its lists."""
    if isinstance(value, dict):
        return {key: keys(item) for key, item in value.items()}
    return [keys(item) for item in value[:1]] if isinstance(value, list) else None


def test_the_facts_have_the_keys_of_the_page(tmp_path):
    parts = (host.ZFS, host.MD, host.DISK, host.GUESTS, {"/etc/pve/storage.cfg": host.STORAGES}, MADE)
    answers = {"lvs": (124, "", "no answer"), "zpool": (0, host.ZPOOL, "")}
    found = {**host.facts(tmp_path, *parts, **answers)}
    found["thin_pools"] = host.facts(tmp_path, *parts, **{**answers, "lvs": (0, host.LVS % ("1", "2"), "")})[
        "thin_pools"
    ]
    for name in ("ours", "sysctls"):
        assert list(FACTS["boot"].pop(name)) == list(found["boot"].pop(name))
    assert keys(FACTS) == keys(found)
