# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The role's defaults, and what the gate does without a policy: the same."""

from __future__ import annotations

import datetime
from pathlib import Path

import yaml

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._directory import assess_directory

ROOT = Path(__file__).absolute().parents[3]
DAY = datetime.date(2026, 11, 24)
#: Each wish of the default policy is asked for, and the one storage that its override is about, with and without nocow.
GUESTS = {
    "100": "scsihw: virtio-scsi-pci\nscsi0: dir:100/a.raw,aio=native,cache=writeback\nscsi1: cow:100/a.raw\n",
    "101": "scsihw: virtio-scsi-single\nscsi0: cow:101/a.raw,aio=threads,iothread=1\nscsi1: cow:101/b.raw,cache=none\nscsi2: nocow:101/b.raw,cache=writeback\n",
    "102": "scsihw: virtio-scsi-single\nscsi0: cow:101/a.raw,cache=unsafe\nvirtio0: cow:101/a.raw,cache=directsync,aio=native\n",
}
STORAGES = "dir: dir\n\tpath /a\n\nbtrfs: cow\n\tpath /b\n\nbtrfs: nocow\n\tpath /c\n\tnocow 1\n"


def test_no_policy_is_the_default_policy(tmp_path):
    """The gate of a directory runs no role and so has none of its defaults; nobody should get another verdict for that."""
    default = yaml.safe_load((ROOT / "roles/guest_io/defaults/main.yml").read_text())["guest_io_policy"]
    (tmp_path / "storage.cfg").write_text(STORAGES)
    for guest, text in GUESTS.items():
        (tmp_path / f"{guest}.conf").write_text(text)
    for root in (str(tmp_path), str(ROOT / "sample_fleet/root")):
        document = assess_directory(root, default, DAY)
        assert document["findings"] and assess_directory(root, {}, DAY) == document


def test_reading_hears_of_every_variable_that_decides_what_is_planned():
    """What a run would do and an audit does not know of, the audit tells wrong."""
    specs = yaml.safe_load((ROOT / "roles/guest_io/meta/argument_specs.yml").read_text())["argument_specs"]
    how_it_writes = {"guest_io_batch", "guest_io_max_parallel"}
    text = (ROOT / "roles/guest_io/tasks/read.yml").read_text()
    assert [name for name in specs["assess"]["options"] if name not in text and name not in how_it_writes] == []


def test_the_variables_that_the_role_knows_are_those_that_it_documents():
    """A variable that is not among them ends the run."""
    specs = yaml.safe_load((ROOT / "roles/guest_io/meta/argument_specs.yml").read_text())["argument_specs"]
    known = yaml.safe_load((ROOT / "roles/guest_io/vars/main.yml").read_text())["__guest_io_variables"]
    assert known == sorted(specs["main"]["options"])
    assert set(specs["assess"]["options"]) | set(specs["change"]["options"]) | {"guest_io_policy_id"} == set(known)
