# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A guest that a node and its cluster behind an API both have is judged once."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.document import ReportError
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.from_hosts import from_hosts
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.twice import judged_twice


def guest(number, node="pve1", name="web"):
    path = f"/etc/pve/nodes/{node}/qemu-server/{number}.conf"
    return {"hypervisor": "pve", "guest": number, "node": node, "name": name, "config": path}


OF_CLUSTER = [guest("100"), guest("101"), guest("200", "pve2")]


@pytest.mark.parametrize(
    ("others", "says"),
    [
        ({"pve1": [guest("100")]}, "guest 100 of node pve1 is a guest of host pve1 too"),
        ({"pve1": [guest("100"), guest("101")]}, "guest 100 of node pve1 and 1 more is a guest of host pve1 too"),
        ({"other": [guest("100", "pve9"), guest("100", name="db"), guest("300")]}, None),
        ({}, None),
    ],
)
def test_the_same_guest_has_the_same_config_and_name(others, says):
    found = judged_twice(OF_CLUSTER, others)
    assert found is None if says is None else found.startswith(f"{says}: each guest is judged and changed once.")


def variables(**more):
    return {
        "cluster": {"io_hardening_api": {"url": "x"}, "found": {"findings": [], "guests": OF_CLUSTER}},
        "pve1": {"found": {"findings": [], "guests": [guest("100")]}, **more},
        "silent": {},
    }


def test_a_report_of_both_is_refused_unless_the_run_has_changed_something():
    names = {"documents": "found", "api": "io_hardening_api"}
    with pytest.raises(ReportError, match="host cluster: guest 100 of node pve1 is a guest of host pve1 too"):
        from_hosts(variables(), variables().get, names, guests=True)
    assert from_hosts(variables(), variables().get, {**names, "results": "done"}, guests=True)["documents"]["cluster"]
    alone = {name: found for name, found in variables().items() if name != "pve1"}
    assert from_hosts(alone, alone.get, names, guests=True)["documents"]["cluster"]
