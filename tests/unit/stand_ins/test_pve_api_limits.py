# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""What ``pvesh get`` was recorded to print of jobs and limits, the API answers to a token: it is the same code in Proxmox VE."""

from __future__ import annotations

import json

import pytest

from ansible_collections.hypervisor.io_hardening.tests.stand_ins.pve_api import ApiStandIn, Token
from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins import test_pvesh_replay as recorded
from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.api_client import Client

#: What is recorded of ``pvesh get`` and no run here asks the API for.
NOT_ASKED = ("/included_volumes", "/backup-info/not-backed-up")

host = recorded.host


def alike(answer):
    return recorded.alike(json.dumps(answer, sort_keys=True, separators=(",", ":")))


def test_what_pvesh_printed_the_api_answers(host, tmp_path):
    asked = 0
    with ApiStandIn(host.root, folder=tmp_path) as api:
        for step in recorded.STEPS:
            if "written" in step:
                recorded.file(host, step["written"]).write_text(step["text"])
            elif step["command"][:2] == ["pvesh", "get"] and not step["command"][2].endswith(NOT_ASKED):
                wanted = json.loads(step["stdout"]) if not step["command"][2].endswith("apt/versions") else None
                found = Client(api).get(step["command"][2])
                assert wanted is None or alike(found) == alike(wanted), step["command"]
                asked += 1
            for path, text in step.get("changed", {}).items():
                recorded.file(host, path).write_text(text)
    assert asked == 11


@pytest.fixture
def narrow(host, tmp_path):
    acl = {"/storage": ["Datastore.Audit"]}
    with ApiStandIn(host.root, {"ops@pve!io": Token("secret", acl)}, folder=tmp_path) as api:
        yield Client(api, "ops@pve!io")


def test_a_narrow_token_sees_less_of_the_limits_without_a_word(narrow, host):
    recorded.file(host, "/etc/pve/datacenter.cfg").write_text("bwlimit: restore=1000\nconsole: html5\n")
    assert narrow.get("/cluster/options") == {
        "console": "html5",
        "allowed-tags": ["a", "b", "db", "prod", "restart-ok"],
    }
    defaults = narrow.get("/nodes/pve1/vzdump/defaults")
    assert defaults["bwlimit"] == 0 and "ionice" not in defaults and "dumpdir" not in defaults
    assert narrow.call("GET", "/cluster/backup")[:2] == (403, "Permission check failed (/, Sys.Audit)")


def test_the_installed_qemu_is_that_of_the_tree(host, tmp_path):
    host.declare("apt-versions")
    with ApiStandIn(host.root, folder=tmp_path) as api:
        (package,) = Client(api).get("/nodes/pve1/apt/versions")
    assert (package["OldVersion"], package["Version"]) == ("10.1.2-1", "99.0.0-1")


def test_a_job_that_there_is_not(host, tmp_path):
    with ApiStandIn(host.root, folder=tmp_path) as api:
        answer = Client(api).call("GET", "/cluster/backup/nosuch")
    assert (answer.status, answer.body["errors"]) == (400, {"id": "No such job 'nosuch'"})
