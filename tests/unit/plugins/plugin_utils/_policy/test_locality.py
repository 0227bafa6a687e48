# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Whether a storage's server is the node itself."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.locality import Locality

from .fleet import NODES


def classify(servers, node="pve1", nodes=NODES):
    return Locality(nodes).classify(node, {"servers": servers})


@pytest.mark.parametrize(
    ("servers", "location"),
    [
        (["127.0.0.1"], "node"),
        (["127.8.9.10"], "node"),
        (["::1"], "node"),
        (["localhost"], "node"),
        (["10.0.0.11"], "node"),
        (["fd00::b"], "node"),
        (["fd00:0::000b"], "node"),
        (["pve1"], "node"),
        (["pve1.example"], "node"),
        (["10.0.0.99", "10.0.0.11"], "node"),
        (["10.0.0.99"], "remote"),
        (["fd00::c"], "remote"),
        (["nas.example"], "unknown"),
        (["10.0.0.99", "nas.example"], "unknown"),
        ([], None),
    ],
)
def test_a_server_is_the_node_itself(servers, location):
    assert classify(servers) == location


@pytest.mark.parametrize("server", ["127.0.0.1", "::1", "localhost"])
def test_a_loopback_address_is_the_node_itself_even_where_nothing_is_known_of_it(server):
    assert classify([server], "pve9") == "node" and classify([server], None, []) == "node"


@pytest.mark.parametrize(
    "server",
    [
        "1" * 5000,
        "9" * 400 + ".1",
        "0x7f000001",
        "10.0.0",
        "",
        "::1::",
        "[::1]",
        "\x00",
        "\ud800",
        "/24",
        "10.0.0.99/" + "2" * 5000,
    ],
)
def test_an_odd_server_is_no_address_of_the_node(server):
    assert (
        classify([server]) in ("unknown", "remote") and Locality(NODES).own_servers("pve1", {"servers": [server]}) == []
    )


def test_without_a_storage_there_is_no_place():
    assert Locality(NODES).classify("pve1", None) is None
