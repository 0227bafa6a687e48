# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a cluster shares is judged and set on one of its hosts."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy.cluster import leads

ONE = {"name": "prod", "nodes": ["a", "b"]}
OTHER_OF_THAT_NAME = {"name": "prod", "nodes": ["x", "y"]}


@pytest.mark.parametrize(
    ("clusters", "leading"),
    [
        ({"h1": ONE, "h2": {"name": "prod", "nodes": ["b", "a"]}}, ["h1"]),
        ({"h1": None, "h2": None}, ["h1", "h2"]),
        ({"h1": ONE, "h2": OTHER_OF_THAT_NAME, "h3": OTHER_OF_THAT_NAME, "h4": None}, ["h1", "h2", "h4"]),
        ({"h2": ONE, "h3": ONE}, ["h2"]),
    ],
)
def test_the_first_host_of_a_cluster_speaks_for_it_and_a_host_alone_for_itself(clusters, leading):
    hosts = ["h1", "h2", "h3", "h4"]
    assert [host for host in clusters if leads(host, hosts, clusters)] == leading


def test_a_host_that_is_not_among_the_hosts_of_the_play_speaks_for_itself():
    assert leads("h9", ["h1"], {"h9": ONE})
