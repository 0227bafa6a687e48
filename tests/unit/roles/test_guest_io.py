# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The role's defaults, and what the gate does without a policy: the same. And what the role refuses, through
ansible-playbook.
"""

from __future__ import annotations

import datetime
import re
import sys

import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.specs import known
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.policy import parse
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._sources.gated import assess_root
from ansible_collections.hypervisor.io_hardening.tests.playbooks import ROOT, run_playbook

DAY = datetime.date(2026, 11, 24)
#: Each wish of the default policy is asked for, and the one storage that its override is about, with and without nocow.
GUESTS = {
    "100": "scsihw: virtio-scsi-pci\nscsi0: dir:100/a.raw,aio=native,cache=writeback\nscsi1: cow:100/a.raw\n",
    "101": (
        "scsihw: virtio-scsi-single\nscsi0: cow:101/a.raw,aio=threads,iothread=1\nscsi1:"
        " cow:101/b.raw,cache=none\nscsi2: nocow:101/b.raw,cache=writeback\n"
    ),
    "102": (
        "scsihw: virtio-scsi-single\nscsi0: cow:101/a.raw,cache=unsafe\nvirtio0:"
        " cow:101/a.raw,cache=directsync,aio=native\n"
    ),
}
STORAGES = "dir: dir\n\tpath /a\n\nbtrfs: cow\n\tpath /b\n\nbtrfs: nocow\n\tpath /c\n\tnocow 1\n"


def test_no_policy_is_the_default_policy(tmp_path):
    """The gate of a directory runs no role and so has none of its defaults; nobody should get another verdict for
    that.
    """
    default = yaml.safe_load((ROOT / "roles/guest_io/defaults/main.yml").read_text())["guest_io_policy"]
    (tmp_path / "storage.cfg").write_text(STORAGES)
    for guest, text in GUESTS.items():
        (tmp_path / f"{guest}.conf").write_text(text)
    for root in (str(tmp_path), str(ROOT / "sample_fleet/root")):
        (document,) = assess_root(root, parse(default), DAY)
        assert document["findings"] and assess_root(root, parse({}), DAY) == [document]


@pytest.mark.parametrize("tasks", ["assess", "change"])
def test_reading_gets_every_variable_that_decides_what_is_planned(tasks):
    """An audit that does not know of one tells wrong what a run would do, and so would the findings after a change."""
    specs = yaml.safe_load((ROOT / "roles/guest_io/meta/argument_specs.yml").read_text())["argument_specs"]
    how_it_writes = {
        "guest_io_batch",
        "guest_io_journal",
        "guest_io_max_parallel",
        "guest_io_policy_id",
        "guest_io_run",
    }
    text = (ROOT / f"roles/guest_io/tasks/{tasks}.yml").read_text()
    assert [name for name in specs["assess"]["options"] if name not in text and name not in how_it_writes] == []


def test_the_variables_that_are_known_are_those_that_the_roles_document():
    """A variable that is not among them ends the run."""
    for role in ("guest_io", "host_writeback"):
        specs = yaml.safe_load((ROOT / f"roles/{role}/meta/argument_specs.yml").read_text())["argument_specs"]
        names = known()[f"{role}_"]
        assert list(names) == sorted(specs["main"]["options"])
        if role == "guest_io":
            assert set(specs["assess"]["options"]) | set(specs["change"]["options"]) | {"guest_io_policy_id"} == set(
                names
            )


PLAY = """
- hosts: all
  gather_facts: false
  roles:
    - role: hypervisor.io_hardening.{role}
"""


@pytest.mark.parametrize(
    ("role", "variables", "words"),
    [
        (
            "guest_io",
            {"guest_io_guest": "102"},
            (
                "guest_io_guest: no such variable. A misspelt guest_io_guests would mean all guests. There are"
                " guest_io_apply"
            ),
        ),
        ("guest_io", {"guest_io_bach": 3}, "guest_io_waivers_file. Did you mean guest_io_batch?"),
        ("guest_io", {"guest_io_guests": False}, "guest_io_guests is false; it takes ids of guests, such as 102"),
        (
            "guest_io",
            {"guest_io_guests": "100,", "guest_io_run": "my run", "guest_io_journal": "x"},
            "guest_io_guests is '100,'; it takes ids of guests",
        ),
        ("guest_io", {"guest_io_guests": "100,9999"}, "guest 9999 is not there; asked: pve1, pve2"),
        (
            "host_writeback",
            {"host_writeback_modus": "bytes"},
            "host_writeback_modus: no such variable. There are host_writeback_background_limit_bytes, ",
        ),
    ],
)
def test_a_role_of_its_own_refuses_what_it_would_not_look_at_before_it_writes(tmp_path, role, variables, words):
    for host, guest in (("pve1", "100"), ("pve2", "101")):
        (tmp_path / host / "etc/pve/nodes" / host / "qemu-server").mkdir(parents=True)
        (tmp_path / host / "etc/pve/storage.cfg").write_text(STORAGES)
        (tmp_path / host / f"etc/pve/nodes/{host}/qemu-server/{guest}.conf").write_text(GUESTS["100"])
        (tmp_path / host / "etc/sysctl.d").mkdir()
    (tmp_path / "play.yml").write_text(PLAY.format(role=role))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    root = f"{tmp_path}/{{{{ inventory_hostname }}}}"
    given = {
        "ansible_python_interpreter": sys.executable,
        "guest_io_root": root,
        "host_writeback_root": root,
        **variables,
    }
    done = run_playbook(tmp_path / "play.yml", "-i", "pve1,pve2,", "-c", "local", variables=given)
    assert done.status == 2 and words in done.output, done.output
    assert "guest_io_run" not in variables or re.search(
        r"guest_io_guests is .*\. guest_io_journal is 'x'; it takes .*\. guest_io_run is 'my run'; it takes ",
        done.output,
    ), done.output
    assert "A misspelt guest_io_guests" not in done.output or "guest_io_guest" in variables
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
