# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The action guest_io_assess with the module that it calls: a host's tree and a policy in, findings out."""

from __future__ import annotations

import re

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.action import guest_io_assess
from ansible_collections.hypervisor.io_hardening.tests.unit.in_process import run_action

GUEST = "name: web{id}\nscsi0: local:{id}/vm-{id}-disk-0.raw\nscsihw: virtio-scsi-pci\n"
WAIVER = "- {id: W-1, match: \"guest.id == '100'\", rules: [IO102], until: 2999-01-01, reason: vendor appliance}\n"


@pytest.fixture
def root(tmp_path):
    configs = tmp_path / "etc/pve/nodes/pve1/qemu-server"
    configs.mkdir(parents=True)
    (tmp_path / "etc/pve/storage.cfg").write_text("dir: local\n\tpath /var/lib/vz\n\tcontent images\n")
    for guest in (100, 101):
        (configs / f"{guest}.conf").write_text(GUEST.format(id=guest))
    return tmp_path


def assess(root, **options):
    options = {"policy": {}, "date": "2026-11-28", **options}
    returned = run_action(guest_io_assess, {"inventory_hostname": "host1"}, root=str(root), **options)
    assert returned.get("failed") or re.fullmatch(r"\d{8}T\d{6}Z", returned.pop("began"))
    return returned


def test_a_host_is_read_and_assessed_and_its_findings_carry_its_name(root):
    returned = assess(root)
    assert (returned["changed"], returned["named"]) == (False, {})
    assert returned["date"] == "2026-11-28" and [entry["guest"] for entry in returned["plan"]] == ["100", "101"]
    assert {finding["host"] for finding in returned["findings"]} == {"host1"}
    # The same on a check run.
    assert assess(root, check=True) == returned


def test_a_host_is_read_without_its_guests_once_for_each_root(root, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    calls = []

    def host_settings_info(**options):
        calls.append((options["root"], options["subjects"]))
        return {"changed": False, "host": {subject: {} for subject in options["subjects"]}}

    roots = {"writeback": "/elsewhere", "load": str(root), "causes": str(root), "queues": str(other)}
    modules = {"host_settings_info": host_settings_info}
    returned = assess(root, assess_guests=False, host_roots=roots, modules=modules)
    assert calls == [(str(root), ["load", "causes"]), (str(other), ["queues"])]
    assert sorted(returned["host"]) == ["causes", "load", "queues"] and "findings" not in returned
    assert assess(root, assess_guests=False, modules=modules)["host"] == {}


def test_what_decides_the_write_back_limits_comes_with_it_where_it_can_be_read(root):
    assert assess(root, host_roots={"writeback": str(root)})["host"]["writeback"]["root"] == str(root)
    assert "host" not in assess(root)
    assert assess(root, host_roots={"writeback": str(root / "gone")})["host"] == {}


def test_it_says_of_each_guest_it_was_asked_for_whether_this_host_has_it(root):
    returned = assess(root, guests=" 101 ,777")
    assert returned["named"] == {"101": True, "777": False}
    assert [guest["guest"] for guest in returned["guests"]] == ["101"]
    assert "IO100" not in {finding["rule"] for finding in returned["findings"]}


def test_a_file_of_waivers_counts(root, tmp_path):
    (tmp_path / "waivers.yml").write_text(WAIVER)
    document = assess(root, waivers_file=str(tmp_path / "waivers.yml"))
    waived = [(finding["guest"], finding["rule"]) for finding in document["findings"] if finding["waived"]]
    assert waived == [("100", "IO102")] and document["waivers"][0]["matched"] == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"policy": {"disk": {"aio": "fast"}}}, "aio"),
        ({"policy": {}, "waivers": [{"id": "W-1"}]}, "[0].match: is missing"),
        ({"policy": {}, "waivers_file": "/nowhere/waivers.yml"}, "/nowhere/waivers.yml"),
        ({"policy": {}, "date": "tomorrow"}, "tomorrow"),
        (
            {"policy": {}, "guests": False},
            "guest_io_guests is false; it takes ids of guests",
        ),
        ({"policy": {}, "root": "/nowhere"}, "/nowhere"),
    ],
)
def test_what_cannot_be_read_or_meant_fails_with_its_name(tmp_path, options, words):
    returned = assess(**{"root": tmp_path, **options})
    assert returned["failed"] and words in returned["msg"] and "findings" not in returned
