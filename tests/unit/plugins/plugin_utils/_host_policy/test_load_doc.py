# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""docs/load.md: its policy is accepted, and its table quotes what is really said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy import load_policy
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.rules import RULES

from .load import DATACENTER, GUEST, JUDGES, NODE, VZDUMP, judge

PAGE = (Path(__file__).resolve().parents[5] / "docs/load.md").read_text("utf-8")
ROWS = [row.strip("| ").split(" | ") for row in re.findall(r"^\| IO3\d\d \|.*$", PAGE, re.MULTILINE)]
#: A wrong host for each rule, and the policy that it is judged by.
HOSTS = {
    "IO301": ({}, None),
    "IO303": ({VZDUMP: "fleecing: enabled=1,storage=nas\n"}, None),
    "IO304": ({}, {"backup": {"max_workers": 1}}),
    "IO305": ({VZDUMP: "bwlimit: 0\nionice: 5\n"}, None),
    "IO306": ({DATACENTER: "keyboard: de\n"}, None),
    "IO307": ({DATACENTER: "bwlimit: migration=1\n"}, None),
    "IO308": ({"etc/pve/nodes/pve1/lxc/200.conf": "hostname: files\nnet0: name=eth0,ip=10.0.0.40/24\n"}, None),
    "IO309": (
        {
            "etc/zfs/zpool.cache": "x",
            "etc/cron.d/zfsutils-linux": "24 0 8-14 * * root if [ $(date +\\%w) -eq 0 ]; then /usr/lib/zfs-linux/scrub; fi\n",
        },
        None,
    ),
    "IO310": ({GUEST: NODE[GUEST] + "\n[special:fleecing]\nfleecing-images: fast:vm-101-fleece-0\n"}, None),
    "IO311": ({VZDUMP: "bwlimit: fast\n"}, None),
}


def test_the_policy_of_the_page_is_accepted():
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    policy = load_policy.parse(yaml.safe_load(block)["io_load_policy"])
    assert policy.backup == (1, 81920, 8, "local-lvm") and policy.limits["migration"] == 0
    assert policy.jobs and policy.storages and policy.waivers


def test_the_table_has_every_rule_once():
    assert [row[0] for row in ROWS] == list(HOSTS) == [rule for rule in RULES if rule.startswith("IO3")]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_the_table_quotes_what_is_said_of_such_a_host(row):
    files, policy = HOSTS[row[0]]
    said = [one["message"] for about in JUDGES for one in judge(about, files, policy) if one["rule"] == row[0]]
    assert any(message.startswith(row[2].rstrip("…")) for message in said), said
