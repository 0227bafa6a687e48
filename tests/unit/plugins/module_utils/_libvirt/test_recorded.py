# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What libvirt 9.0 and 11.3 made of domains, as recorded: XML → command line, and → the guest that ran with it."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._libvirt import aliases, domain
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._libvirt.record import record
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._libvirt.running import with_targets
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._qemu_process import cmdline
from ansible_collections.hypervisor.io_hardening.tests.unit.facts import facts

SUITES = ("bookworm", "trixie")
RECORDED = {suite: facts(f"libvirt/{suite}") for suite in SUITES}
WRITTEN = facts("libvirt/written")
ROWS = [(suite, row) for suite in SUITES for row in RECORDED[suite]["domains"]]
POOLS = {"images": "dir", "recorded": "logical"}
#: The XML that a command line was made of, and the command line.
PAIRS = [
    pytest.param(row, xml, line, id=f"{suite}-{row['name']}-{xml}-{line}")
    for suite, row in ROWS
    for xml, line in (("defined", "native"), ("defined", "cmdline"), ("live", "cmdline"))
    if xml in row and line in row
]
#: Domains that change their disks past libvirt, and which.
PAST_LIBVIRT = {"command-line": {"vda"}, "override": {"vdb"}}
FIRMWARE = "libvirt-pflash"


def rows_with(key: str):
    return pytest.mark.parametrize(
        ("suite", "row"),
        [pytest.param(suite, row, id=f"{suite}-{row['name']}") for suite, row in ROWS if key in row],
    )


def of(xml: str, **more):
    return record(xml.encode(), id="x", pools=POOLS, **more)


def runs(row, xml: str, line: str):
    """Target → what the command line says that its disk runs with."""
    found = cmdline.parse(row[line])
    assert (found["hypervisor"], found["problems"]) == ("libvirt", [])
    targets = aliases.targets(domain.read(row[xml].encode()))
    disks = [disk for disk in found["disks"] if not disk["key"].startswith(FIRMWARE)]
    assert {disk["key"] for disk in disks} <= set(targets)
    return {targets[disk["key"]]: disk["runs"] for disk in disks}


def plain(values):
    """Values without what a process cannot tell: whether the controller gives an iothread."""
    if values is None or values["controller"] is None:
        return values
    return {**values, "controller": {**values["controller"], "gives_iothread": None}}


def test_the_recordings_have_drives_of_every_kind():
    for suite in SUITES:
        drives = [
            disk for row in RECORDED[suite]["domains"] if "defined" in row for disk in of(row["defined"])["disks"]
        ]
        assert len(drives) > 130
        assert {drive["bus"] for drive in drives} == {"virtio", "scsi", "sata", "ide", "usb", "fdc"}
        values = [drive["effective"] for drive in drives if drive["effective"]]
        assert {value["driver"] for value in values} >= {
            *("file", "host_device", "rbd", "nbd", "iscsi", "http", "https", "ftp", "gluster", "nfs", "ssh", "nvme", "vvfat"),
        }  # fmt: skip
        assert {value["aio"] for value in values} == {"threads", "native", "io_uring", None}
        assert {value["cache"] for value in values} == {"none", "writeback", "writethrough", "directsync", "unsafe"}
    assert [RECORDED[suite]["libvirt"] for suite in SUITES] == ["9.0.0", "11.3.0"]


@pytest.mark.parametrize(("row", "xml", "line"), PAIRS)
def test_a_drive_gets_what_the_recorded_command_line_gives_it(row, xml, line):
    found = runs(row, xml, line)
    guest = of(row[xml])
    expected = {disk["key"]: plain(disk["effective"]) for disk in guest["disks"] if disk["effective"]}
    past = PAST_LIBVIRT.get(row["name"], set())
    assert {key for key in expected if plain(found[key]) != expected[key]} == past
    assert set(found) == set(expected)
    assert {said["disk"] for said in guest["args_disks"]} - {None} == past


@rows_with("live")
def test_nothing_waits_for_a_restart_of_a_guest_that_was_just_started(suite, row):
    guest = of(row["defined"], live=row["live"].encode())
    assert (guest["pending"], [disk["next"] for disk in guest["disks"] if disk["next"]]) == ([], [])


@rows_with("defined")
def test_a_definition_as_it_was_written_means_what_libvirt_made_of_it(suite, row):
    """Default buses, addresses and controllers are libvirt's own."""
    written, defined = domain.read(WRITTEN[row["name"]].encode()), domain.read(row["defined"].encode())
    assert aliases.targets(written) == aliases.targets(defined)
    assert {disk.target: disk.bus for disk in written.disks} == {disk.target: disk.bus for disk in defined.disks}
    models = [[aliases.model(one, at) for at in range(3)] for one in (written, defined)]
    assert models[0] == models[1]
    if (suite, row["name"]) not in {
        ("bookworm", "mapping"),
        ("bookworm", "scsi-mapping"),
    }:  # which it does not know yet
        before, after = (
            {d["key"]: d["effective"] for d in of(text)["disks"]} for text in (WRITTEN[row["name"]], row["defined"])
        )
        assert before == after


@pytest.mark.parametrize("suite", SUITES)
def test_libvirt_refuses_what_no_plan_may_ask_for(suite):
    refused = {row["name"]: row["refused"] for row in RECORDED[suite]["domains"] if "refused" in row}
    unsupported = "unsupported configuration:"
    assert {name: text.rpartition("\n")[2] for name, text in refused.items()} == {
        "refused-native-cached": f"{unsupported} io='native' needs either no disk cache or directsync cache mode",
        "refused-iothread-lsilogic": "XML 'iothread' attribute only supported for virtio scsi controllers",
        "refused-iothread-sata": f"{unsupported} IOThreads not available for bus sata target sda",
        "refused-no-such-iothread": f"{unsupported} Disk iothread '9' not defined in iothreadid",
    }


@pytest.mark.parametrize("suite", SUITES)
def test_a_process_is_joined_with_its_guest(suite):
    (row,) = [row for row in RECORDED[suite]["domains"] if row["name"] == "scsi-controllers"]
    parsed = cmdline.parse(row["cmdline"])
    joined = with_targets({"disks": parsed["disks"], "disagreements": []}, row["live"].encode())
    assert [disk["key"] for disk in parsed["disks"]] == [
        "scsi0-0-0-0", "scsi0-0-3-5", "scsi1-0-0-1", "scsi2-0-1-0", "scsi2-0-2-0", "scsi3-0-4"
    ]  # fmt: skip
    assert [disk["key"] for disk in joined["disks"]] == ["sda", "sdb", "sdc", "sdd", "sde", "sdf"]
