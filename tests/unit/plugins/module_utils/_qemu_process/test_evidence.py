# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a process has open, held against its command line."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._qemu_process.evidence import (
    cross_check,
    may_be_image,
    open_file,
    parse_fdinfo,
)


def disk(key="scsi0", file="/images/a.raw", aio="threads", direct=True, driver="file", device="scsi-hd", overlay=False):
    runs = {
        "driver": driver,
        "aio": aio,
        "cache": "none" if direct else "writeback",
        "cache_direct": direct,
        "cache_no_flush": False,
        "iothread": False,
        "controller": None,
    }
    return {
        "key": key,
        "device": device,
        "file": file,
        "format": "raw",
        "overlay": overlay,
        "runs": runs,
    }


def opened(file="/images/a.raw", direct=True, writable=True):
    return {"file": file, "direct": direct, "writable": writable}


def check(disks, files=(), native=False, rings=0, version="10.1.2-1", resolved=None):
    seen = {"native": native, "rings": rings, "files": None if files is None else list(files)}
    return cross_check(disks, seen, version, resolved or {})


def test_fdinfo_gives_flags_in_octal_and_the_mount():
    assert parse_fdinfo("pos:\t0\nflags:\t02140002\nmnt_id:\t29\nino:\t7\n") == {"flags": 0o2140002, "mnt_id": 29}
    assert parse_fdinfo("flags:\tnonsense\n") == {}


@pytest.mark.parametrize(
    ("flags", "machine", "direct", "writable"),
    [
        (0o2140002, "x86_64", True, True),
        (0o2100002, "x86_64", False, True),
        (0o2140000, "x86_64", True, False),
        (0o2200002, "aarch64", True, True),
        (0o2140002, "aarch64", False, True),
    ],
)
def test_open_flags(flags, machine, direct, writable):
    assert open_file("/a (deleted)", flags, machine) == {
        "file": "/a",
        "direct": direct,
        "writable": writable,
    }


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/dev/dm-3", True),
        ("/dev/sdb", True),
        ("/dev/zd16", True),
        ("/dev/nvme0n1p1", True),
        ("/images/a.raw", True),
        ("/images/a.raw (deleted)", True),
        ("/dev/null", False),
        ("/dev/kvm", False),
        ("/run/x.sock", False),
        ("socket:[1]", False),
        ("anon_inode:[eventfd]", False),
        ("/tmp/guest.pid", False),
        ("/memfd:memory-backend-memfd (deleted)", False),
        ("/hugepages/qemu_back_mem.ram.Xy12ab (deleted)", False),
    ],
)
def test_which_descriptors_may_be_images(target, expected):
    assert may_be_image(target) is expected


@pytest.mark.parametrize(
    ("target", "expected"), [("/srv/ram", False), ("/srv/ram/pc.ram", False), ("/srv/ram2/a.raw", True)]
)
def test_a_file_of_another_option_is_not_an_image(target, expected):
    assert may_be_image(target, {"/srv/ram"}) is expected


def test_what_agrees_is_not_a_disagreement():
    assert check([disk()], [opened()]) == ([], set())


@pytest.mark.parametrize("said", [True, False])
def test_o_direct_against_the_command_line(said):
    disagreements, moved = check([disk(direct=said)], [opened(direct=not said)])
    assert [(one["key"], one["option"], one["cmdline"], one["seen"]) for one in disagreements] == [
        ("scsi0", "cache_direct", said, not said)
    ]
    assert moved == set()


def test_a_read_only_second_descriptor_does_not_decide():
    files = [opened(direct=False, writable=False), opened()]
    assert check([disk()], files)[0] == []
    assert [one["seen"] for one in check([disk(direct=False)], files)[0]] == [True]


def test_a_disk_that_is_only_read_is_judged_by_its_one_descriptor():
    disagreements, _moved = check([disk()], [opened(direct=False, writable=False)])
    assert [one["seen"] for one in disagreements] == [False]


@pytest.mark.parametrize("said", [True, False])
def test_writers_that_differ_prove_nothing(said):
    assert check([disk(direct=said)], [opened(direct=False), opened()]) == ([], set())


def test_an_image_that_is_not_open_was_moved_and_is_not_known():
    disagreements, moved = check([disk()], [opened("/other/a.raw", direct=False)])
    assert moved == {"scsi0"}
    assert [(one["key"], one["option"], one["seen"]) for one in disagreements] == [
        ("scsi0", "file", None),
        (None, "file", ["/other/a.raw"]),
    ]


def test_a_medium_that_was_changed_is_not_a_disagreement():
    assert check([disk(device="ide-cd")], []) == ([], {"scsi0"})


@pytest.mark.parametrize(("direct", "count"), [(True, 0), (False, 1)])
def test_links_are_followed_to_what_is_open(direct, count):
    lvm = disk(file="/dev/vg/disk", driver="host_device")
    disagreements, moved = check([lvm], [opened("/dev/dm-3", direct)], resolved={"/dev/vg/disk": "/dev/dm-3"})
    assert (len(disagreements), moved) == (count, set())


@pytest.mark.parametrize(
    "one", [disk(driver="rbd", aio=None, file=None), disk(file="/dev/fdset/2"), disk(file="a.raw")]
)
def test_a_disk_without_a_path_of_its_own_is_not_searched_for(one):
    assert check([one], []) == ([], set())


@pytest.mark.parametrize(
    "one",
    [
        disk(file="/dev/fdset/2"),
        disk(file="/proc/self/fd/9"),
        disk(file="/dev/fd/9"),
        disk(file="a.raw"),
        disk(overlay=True, direct=False),
    ],
)
def test_a_file_that_a_disk_without_a_name_may_have_opened_is_not_held_against_the_guest(one):
    assert check([one], [opened("/var/tmp/vl.aBc123", direct=False)]) == ([], set())
    (more,) = check([one], [opened("/var/tmp/vl.aBc123"), opened("/images/new.raw")])[0]
    assert more["seen"] == ["/images/new.raw", "/var/tmp/vl.aBc123"]


def test_a_descriptor_is_looked_for_where_it_leads():
    one = disk(file="/proc/self/fd/9")
    assert check([one], [opened()], resolved={"/proc/self/fd/9": "/images/a.raw"}) == ([], set())
    assert check([one], [opened("/b")], resolved={"/proc/self/fd/9": "/images/a.raw"})[1] == {"scsi0"}


def test_the_image_below_an_overlay_is_not_held_against_the_overlays_values():
    assert check([disk(overlay=True, direct=False)], [opened(writable=False)]) == ([], set())


def test_a_native_context_without_a_native_disk():
    disagreements, _moved = check([disk()], [opened()], native=True)
    assert [(one["key"], one["option"], one["cmdline"], one["seen"]) for one in disagreements] == [
        (None, "aio", ["threads"], "native")
    ]
    assert check([disk(aio="native")], [opened()], native=True)[0] == []


def test_absence_of_a_context_or_ring_proves_nothing():
    assert check([disk(aio="native")], [opened()], native=False)[0] == []
    assert check([disk(aio="io_uring")], [opened()], rings=0)[0] == []


@pytest.mark.parametrize(
    ("version", "count"), [("7.2.22", 1), ("10.1.2-1", 1), ("10.2.0", 0), ("11.0.1-1", 0), (None, 0)]
)
def test_a_ring_proves_something_only_below_qemu_10_2(version, count):
    assert len(check([disk()], [opened()], rings=1, version=version)[0]) == count


def test_a_disk_plugged_in_later_may_be_what_uses_native():
    disagreements, _moved = check([disk()], [opened(), opened("/images/new.raw")], native=True)
    assert [(one["key"], one["option"], one["seen"]) for one in disagreements] == [(None, "file", ["/images/new.raw"])]
    assert "/images/new.raw: open for writing, and named by no disk" in disagreements[0]["detail"]


def test_what_cannot_be_read_proves_nothing():
    assert check([disk()], None, native=None, rings=None) == ([], set())
