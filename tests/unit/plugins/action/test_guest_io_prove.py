# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The action guest_io_prove: what it has io_prove compare."""

from __future__ import annotations

import json

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.action import guest_io_prove
from ansible_collections.hypervisor.io_hardening.plugins.filter.guest_io import from_qemu_server
from ansible_collections.hypervisor.io_hardening.tests.unit.in_process import run_action

CONFIG = "name: web\nscsihw: lsi\nscsi0: local:101/vm-101-disk-0.raw,size=1G\n"


@pytest.fixture
def prove():
    def run(**options):
        guests = [from_qemu_server(CONFIG, "101", "dir: local\n\tpath /var/lib/vz\n")]
        read = {"guests": guests, "nodes": [], "problems": []}
        modules = {
            "guest_io_info": lambda as_text=False, **_options: {"reading": json.dumps(read)} if as_text else read,
            "io_prove": lambda **given: {"changed": False, "lines": [], "given": given},
        }
        options = {"measure": {"path": "/x", "runs": 2}, **options}
        return run_action(guest_io_prove, {"inventory_hostname": "pve1"}, modules=modules, **options)

    return run


def test_without_a_guest_the_defaults_are_compared_and_the_options_are_passed_on(prove):
    given = prove()["given"]
    assert [setting["name"] for setting in given["settings"]] == ["today", "hardened"]
    assert given["path"] == "/x" and given["runs"] == 2


def test_a_guest_is_compared_with_what_the_policy_would_make_of_it_whatever_its_driver(prove):
    today, hardened = prove(guest="101")["given"]["settings"]
    assert today["controller"] == "lsi" and hardened["controller"] == "virtio-scsi-single"


def test_what_cannot_be_compared_is_said(prove):
    returned = prove(guest="101", disk="scsi7")
    assert returned["failed"] and "guest 101 has no scsi7" in returned["msg"]
