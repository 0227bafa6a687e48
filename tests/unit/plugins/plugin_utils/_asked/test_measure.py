# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import datetime
import pathlib
import shlex

import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.plugins.filter.guest_io import assess, from_qemu_server
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove.errors import ProveError
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked import measure

ROOT = pathlib.Path(__file__).absolute().parents[5]
POLICY = yaml.safe_load((ROOT / "roles/guest_io/defaults/main.yml").read_text())["guest_io_policy"]
STORAGE = "dir: local\n\tpath /var/lib/vz\n\tcontent images\n"
CONFIG = "name: web\nscsihw: virtio-scsi-pci\nide2: none,media=cdrom\nscsi0: local:101/vm-101-disk-0.raw,size=1G\n"


def settings(text, **over):
    guests = [from_qemu_server(text, "101", STORAGE)]
    findings = assess(guests, POLICY, date=datetime.date(2026, 11, 23), migrate_controllers="guest.id != ''")
    return measure.settings(guests, findings, guest="101", **over)


def test_without_a_guest_the_defaults_are_compared():
    today, hardened = measure.settings([], {})
    assert today == {
        "name": "today",
        "bus": "scsi",
        "controller": "virtio-scsi-pci",
        "iothread": False,
        "aio": "io_uring",
        "cache": "none",
    }
    assert hardened == dict(today, name="hardened", controller="virtio-scsi-single", iothread=True, aio="threads")


@pytest.mark.parametrize("controller", ["virtio-scsi-pci", "lsi"])
def test_a_guest_as_it_is_and_as_the_policy_wants_it(controller):
    today, hardened = settings(CONFIG.replace("virtio-scsi-pci", controller))
    assert today == {
        "name": "today",
        "bus": "scsi",
        "controller": controller,
        "iothread": False,
        "aio": "io_uring",
        "cache": "none",
    }
    assert hardened == dict(today, name="hardened", controller="virtio-scsi-single", iothread=True, aio="threads")


def test_a_backup_is_made_as_it_is_asked_for():
    found = measure.settings([], {}, during=["backup"], backup={"max_workers": 1})
    assert found[2]["backup"]["max_workers"] == 1 and "fleecing" not in found[2]["backup"]
    with pytest.raises(ProveError, match="but none is asked for"):
        measure.settings([], {}, during=["block_job"], backup={"max_workers": 1})


def test_more_settings_can_be_asked_for():
    found = settings(CONFIG, also=[{"name": "io_uring kept", "aio": "io_uring"}], during=["block_resize"])
    assert [one["name"] for one in found] == ["today", "hardened", "io_uring kept", "hardened, block_resize"]
    assert found[3] == dict(found[1], name="hardened, block_resize", during="block_resize")


@pytest.mark.parametrize(
    ("text", "over", "says"),
    [
        (CONFIG, {"disk": "scsi7"}, "guest 101 has no scsi7"),
        (CONFIG, {"disk": "ide2"}, "not a disk"),
        ("name: empty\n", {}, "has no disk"),
        (
            "scsihw: virtio-scsi-single\nscsi0: local:101/vm-101-disk-0.raw,aio=threads,iothread=1\n",
            {},
            "would change nothing",
        ),
        (CONFIG, {"also": [{"name": "today"}]}, "same name"),
    ],
)
def test_what_cannot_be_compared_is_said(text, over, says):
    with pytest.raises(ProveError, match=says):
        settings(text, **over)


def test_a_guest_that_was_not_read():
    with pytest.raises(ProveError, match="guest 9 is not among"):
        measure.settings([], {"plan": []}, guest="9")


COMMANDS = [
    line
    for line in (ROOT / "docs/evidence.md").read_text().replace("\\\n", "").splitlines()
    if line.startswith("make prove ARGS=")
]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_of_the_evidence_reach_ansible_as_they_are_written(command):
    # Once through the shell that it is pasted into, once through that of make.
    (argument,) = shlex.split(command)[2:]
    option, extra = shlex.split(argument.partition("=")[2])
    assert option == "-e"
    if not extra.startswith("{"):
        assert extra.startswith("prove_io_")
        return
    also = yaml.safe_load(extra)["prove_io_also"]
    if also[0]["name"] == "does not start":
        with pytest.raises(ProveError, match="QEMU does not start"):
            measure.settings([], {}, also=also)
    else:
        assert len(measure.settings([], {}, also=also)) == len(also) + 2


def test_the_evidence_can_be_repeated():
    assert len(COMMANDS) > 5 and "$P" not in (ROOT / "docs/evidence.md").read_text()
