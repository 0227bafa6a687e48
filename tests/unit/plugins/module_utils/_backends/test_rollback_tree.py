# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A tree is rolled back to the byte, with the two exceptions that docs/operations.md names."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import find
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._journal.rollback import rollback
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.doors import (
    apply_below,
    journal_of,
    read_journal,
)

HARDEN = [
    {"key": "controller", "option": "type", "after": "virtio-scsi-single"},
    {"key": "scsi0", "option": "aio", "after": "threads"},
    {"key": "scsi0", "option": "cache", "after": "none"},
    {"key": "scsi0", "option": "iothread", "after": True},
]

SAME = {
    "unsorted, with comments": (
        "# café\nscsi0: ssd=1,file=local:1/a.qcow2,cache=writeback\n\n\nname: web\nmemory: 512\n# end\n"
    ),
    "a snapshot of the same": (
        "scsi0: local:1/a.qcow2\n\n[snap1]\nscsi0: local:1/a.qcow2,aio=native\nscsihw: lsi\nsnaptime: 1\n"
    ),
    "nothing before the disk": "scsi0: local:1/a.qcow2,iothread=0,aio=native\n",
    "carriage returns": "memory: 512\r\nscsi0: local:1/a.qcow2\r\nscsihw: lsi\r\n",
    "no newline at the end, and a line after the controller": "scsi0: local:1/a.qcow2\nvga: std",
    "bytes that are no text": "name: web\nscsi0: local:1/\udcff.qcow2\n",
    "waiting already": (
        "scsi0: local:1/a.qcow2\nscsihw: lsi\n\n[PENDING]\nscsi0: local:1/a.qcow2,ssd=1\nscsihw: virtio-scsi-pci\n"
    ),
    "the controller waits, the disk does not": "scsi0: local:1/a.qcow2\n\n[PENDING]\ncores: 2\nscsihw: pvscsi\n",
}
NOT_THE_SAME = {
    "scsi0: local:1/a.qcow2,iothread=off\n": "scsi0: local:1/a.qcow2,iothread=0\n",
    "scsi0: local:1/a.qcow2": "scsi0: local:1/a.qcow2\n",
}


def there_and_back(tmp_path, text):
    root, config = str(tmp_path), tmp_path / "100.conf"
    config.write_bytes(text.encode("utf-8", "surrogateescape"))

    def read():
        return find.read(root).guests[0]

    def apply(plan, run):
        kept = journal_of(root, run)
        ((result, _diff),) = apply_below(root, plan, journal=kept)
        assert result["status"] == "changed", result

    guest = read()
    apply(
        [{"guest": "100", "node": None, "config": guest["config"], "digest": guest["digest"], "changes": HARDEN}], "r1"
    )
    assert config.read_bytes() != text.encode("utf-8", "surrogateescape")
    entries = read_journal(root, [])["r1"]
    apply(rollback(entries, [read()], [])["plan"], "r2")
    return config.read_bytes().decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_to_the_byte(tmp_path, text):
    assert there_and_back(tmp_path, text) == text


@pytest.mark.parametrize("text", NOT_THE_SAME)
def test_the_two_exceptions(tmp_path, text):
    assert there_and_back(tmp_path, text) == NOT_THE_SAME[text]


def test_a_controller_that_somebody_has_waiting_beside_is_not_half_removed(tmp_path):
    config = tmp_path / "100.conf"
    config.write_text("scsi0: local:1/a.qcow2\nscsihw: lsi\n\n[PENDING]\nscsihw: virtio-scsi-single\n")
    before, guest = config.read_bytes(), find.read(str(tmp_path)).guests[0]
    plan = [
        {
            "guest": "100",
            "node": None,
            "config": guest["config"],
            "digest": guest["digest"],
            "changes": [{**HARDEN[0], "after": None}],
        }
    ]
    ((result, _diff),) = apply_below(str(tmp_path), plan)
    assert (result["status"], result["reason"]) == ("failed", "refused") and config.read_bytes() == before
