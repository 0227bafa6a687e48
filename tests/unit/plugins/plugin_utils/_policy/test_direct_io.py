# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""No plan opens an image past the page cache where its file system is not known to take that."""

from __future__ import annotations

import pytest

from .fleet import DAY, NODES, assess, changes, guest, rules
from .test_assess import pasted

SINGLE = "scsihw: virtio-scsi-single\n"
NEW = {"running": None, "installed": "10.1.2"}
EXT4 = {"type": "ext4", "direct_io": True, "copy_on_write": False}
RAMFS = {"type": "ramfs", "direct_io": False, "copy_on_write": False}
BTRFS = {"type": "btrfs", "direct_io": True, "copy_on_write": True}
NOCOW = {"type": "btrfs", "direct_io": True, "copy_on_write": False}
NFS = {"type": "nfs4", "direct_io": None, "copy_on_write": None}
FUSE = {"type": "fuse.mergerfs", "direct_io": None, "copy_on_write": None}
LOCAL, PATH = "local:100/d.raw", "/mnt/x/d.raw"


def judge(drive, filesystem=None, policy=None):
    one = guest(SINGLE + f"scsi0: {drive}\n", running=None if filesystem is None else False, qemu=NEW)
    one["disks"][0]["filesystem"] = filesystem
    return assess([one], policy or {}, DAY, NODES)


@pytest.mark.parametrize("volume", [LOCAL, PATH])
@pytest.mark.parametrize(
    ("filesystem", "found", "planned"),
    [
        (EXT4, [("IO104", "warning")], {"cache": "none"}),
        (NOCOW, [("IO104", "warning")], {"cache": "none"}),
        (NFS, [("IO104", "warning")], {"cache": "none"}),
        (RAMFS, [("IO104", "note")], {}),
        (BTRFS, [], {}),
        (FUSE, [("IO104", "warning")], {}),
        (None, [("IO104", "warning")], {}),
    ],
)
def test_a_cached_disk_is_made_uncached_only_where_that_is_safe(volume, filesystem, found, planned):
    document = judge(f"{volume},iothread=1,aio=threads,cache=writeback", filesystem)
    assert rules(document) == found and changes(document).get("scsi0", {}) == planned
    assert all("may not support direct I/O" in one["message"] for one in document["findings"]) or filesystem not in (
        FUSE,
        None,
    )


@pytest.mark.parametrize("filesystem", [RAMFS, BTRFS, FUSE, None])
def test_the_rest_is_planned_all_the_same(filesystem):
    planned = changes(judge(f"{LOCAL},cache=writeback", filesystem))
    assert planned == {"scsi0": {"iothread": True, "aio": "threads"}}


@pytest.mark.parametrize(
    ("filesystem", "target"),
    [(EXT4, "none"), (RAMFS, "writeback"), (BTRFS, "writeback"), (FUSE, "writeback"), (None, "writeback")],
)
def test_unsafe_goes_to_what_starts_everywhere(filesystem, target):
    document = judge(f"{LOCAL},iothread=1,aio=threads,cache=unsafe", filesystem)
    assert rules(document) == [("IO104", "error")] and changes(document) == {"scsi0": {"cache": target}}
    assert target in document["findings"][0]["hint"]


@pytest.mark.parametrize("cache", ["", ",cache=none", ",cache=directsync"])
@pytest.mark.parametrize(
    ("filesystem", "severity", "words"),
    [(BTRFS, "warning", "btrfs with copy-on-write"), (RAMFS, "error", "does not start the guest")],
)
def test_direct_io_that_the_file_system_does_not_stand_is_told_and_not_changed(cache, filesystem, severity, words):
    document = judge(f"{LOCAL},iothread=1,aio=threads{cache}", filesystem)
    (finding,) = document["findings"]
    assert (
        (finding["rule"], finding["severity"]) == ("IO104", severity)
        and words in finding["message"]
        and document["plan"] == []
    )


@pytest.mark.parametrize("filesystem", [EXT4, NOCOW, FUSE, None])
def test_an_unset_cache_is_left_where_nothing_speaks_against_it(filesystem):
    assert judge(f"{LOCAL},iothread=1,aio=threads", filesystem)["findings"] == []


@pytest.mark.parametrize("filesystem", [FUSE, None])
def test_the_policy_may_say_that_the_file_system_takes_it(filesystem):
    drive = f"{LOCAL},iothread=1,aio=threads,cache=writeback"
    override = pasted(judge(drive, filesystem))
    assert override["disk"] == {"direct_io": True}
    assert changes(judge(drive, filesystem, {"overrides": [override]})) == {"scsi0": {"cache": "none"}}
    assert changes(judge(drive, filesystem, {"disk": {"direct_io": True}})) == {"scsi0": {"cache": "none"}}


@pytest.mark.parametrize("filesystem", [RAMFS, BTRFS])
def test_the_policys_word_does_not_outweigh_what_was_seen(filesystem):
    assert (
        judge(f"{LOCAL},iothread=1,aio=threads,cache=writeback", filesystem, {"disk": {"direct_io": True}})["plan"]
        == []
    )


@pytest.mark.parametrize(
    "volume",
    ["far:100/d.raw", "smb:100/d.raw", "nocow:100/vm-100-disk-0.raw", "thick:vm-100-disk-0", "krbd:vm-100-disk-0"],
)
def test_storages_that_proxmox_opens_uncached_by_default_are_not_asked(volume):
    assert changes(judge(f"{volume},iothread=1,aio=threads,cache=writeback"))["scsi0"]["cache"] == "none"


def test_of_several_wanted_modes_one_that_starts_is_taken():
    policy = {"disk": {"cache": ["none", "writethrough"]}}
    assert changes(judge(f"{LOCAL},iothread=1,aio=threads,cache=writeback", None, policy)) == {
        "scsi0": {"cache": "writethrough"}
    }


def test_aio_native_is_not_planned_for_a_disk_that_stays_cached():
    document = judge(f"{LOCAL},iothread=1,cache=writeback", RAMFS, {"disk": {"aio": "native"}})
    assert document["plan"] == [] and ("IO103", "note") in rules(document)
