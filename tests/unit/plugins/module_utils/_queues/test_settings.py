# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A disk's queue is set now and at boot, proven, and given back; what the kernel would change is refused."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._journal.file import Journal
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._model.findings import Change, change
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._queues import udev_rules
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._queues.settings import QueueSettings
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._settings.apply import apply
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._settings.seam import Refused, SettingsError

from .machine import WWN, Machine

DISK, RULE = f"disk {WWN}", f"udev rule of {WWN}"
MIB = 1 << 20
HOST = str(2048 * MIB)


class Kernel(QueueSettings):
    """As a live host: a write to /sys is what a kernel makes of it, which keeps a share of the host's limit."""

    host_limit = 2048 * MIB
    refused: dict[str, int] = {}

    def __init__(self, machine: Machine) -> None:
        super().__init__(machine.tree)
        self.writes: list[tuple[str, str]] = []

    def _put(self, path: str, text: str) -> None:
        option = path.rpartition("/")[2]
        self.writes.append((option, text.strip()))
        if self.refused.get(text.strip()):
            raise OSError(self.refused[text.strip()], errno.errorcode[self.refused[text.strip()]])
        super()._put(path, text)
        if option in ("max_bytes", "max_ratio"):
            value = self.host_limit if option == "max_ratio" else int(text)
            share = value * 1000000 // self.host_limit
            bdi = path.rpartition("/")[0]
            super()._put(f"{bdi}/max_ratio_fine", f"{share}\n")
            super()._put(f"{bdi}/max_bytes", f"{share * self.host_limit // 1000000}\n")


@pytest.fixture
def machine(tmp_path):
    machine = Machine(tmp_path)
    machine.disk("sda", "8:0", WWN)
    return machine


def carry_out(
    settings: QueueSettings, tmp_path: Path, *changes: Change, undo: bool = False
) -> list[tuple[str, str | None]]:
    """What became of each object of a plan: status, and why it failed."""
    plan: dict[str, list[Change]] = {}
    for one in changes:
        plan.setdefault(one["key"], []).append(one)
    journal = Journal(str(tmp_path), "20261128T200000Z", "sha256:" + "0" * 64, None)
    entries = [{"subject": "queues", "key": key, "changes": made} for key, made in plan.items()]
    return [(one["status"], one["detail"]) for one in apply(entries, {"queues": settings}, journal, back=undo)]


def queue(machine: Machine) -> list[int]:
    base = "/sys/devices/pci0000:00/0000:00:04.0/host0/target0:0:0/0:0:0:0/block/sda"
    names = ("queue/max_sectors_kb", "queue/nr_requests", "bdi/max_bytes", "bdi/strict_limit")
    return [int(machine.get(f"{base}/{name}") or -1) for name in names]


SHORT = [
    change(DISK, "strict_limit", "0", "1"),
    change(DISK, "nr_requests", "128", "16"),
    change(DISK, "max_bytes", None, str(32 * MIB)),
    change(DISK, "max_sectors_kb", "1280", "128"),
]


def back(changes: list[Change]) -> list[Change]:
    return [change(one["key"], one["option"], one["after"], one["before"]) for one in changes]


def test_a_queue_is_set_and_given_back(machine, tmp_path):
    kernel = Kernel(machine)
    assert carry_out(kernel, tmp_path, *SHORT) == [("changed", None)]
    assert queue(machine) == [128, 16, 15625 * 2048 * MIB // 1000000, 1]
    written = [option for option, _text in kernel.writes if option != "max_ratio_fine"]
    assert written == ["max_sectors_kb", "nr_requests", "max_bytes", "strict_limit"]
    assert carry_out(Kernel(machine), tmp_path, *SHORT) == [("unchanged", None)]
    # Back to no limit of its own is the whole of the host's: 0 would leave the device nothing.
    kernel = Kernel(machine)
    assert carry_out(kernel, tmp_path, *back(SHORT)) == [("changed", None)]
    assert ("max_ratio", "100") in kernel.writes
    assert queue(machine) == [1280, 128, 2048 * MIB, 0]


def test_a_limit_that_the_kernel_rounds_or_that_moved_a_little_is_still_that_limit(machine, tmp_path):
    settings = Kernel(machine)
    settings.host_limit = 1717986918
    assert carry_out(settings, tmp_path, SHORT[2]) == [("changed", None)]
    machine.limit("/sys/block/sda", 35 * MIB, 15625)
    assert carry_out(Kernel(machine), tmp_path, SHORT[2]) == [("unchanged", None)]
    machine.limit("/sys/block/sda", 50 * MIB, 15625)
    (result,) = carry_out(Kernel(machine), tmp_path, change(DISK, "max_bytes", str(32 * MIB), str(16 * MIB)))
    assert result == ("failed", f"max_bytes is {50 * MIB} and was {32 * MIB} when it was read; run again")


def test_the_hosts_own_limit_does_as_much_where_it_is_not_above(machine, tmp_path):
    machine.limit("/sys/block/sda", 32 * MIB)
    kernel = Kernel(machine)
    assert carry_out(kernel, tmp_path, SHORT[2]) == [("unchanged", None)]
    assert kernel.writes == []


def test_a_limit_that_moves_is_no_reason_to_doubt_another_option(machine, tmp_path):
    machine.limit("/sys/block/sda", 32 * MIB + 400000, 15625)

    class Moving(Kernel):
        def _put(self, path, text):
            super()._put(path, text)
            machine.limit("/sys/block/sda", 33 * MIB + 400000, 15625)

    assert carry_out(Moving(machine), tmp_path, SHORT[1]) == [("changed", None)]


@pytest.mark.parametrize(
    ("value", "code", "said"),
    [
        ("16", errno.EINVAL, "sda does not take nr_requests 16: EINVAL; without a scheduler it is at most what"),
        ("16", errno.EROFS, "sda does not take nr_requests 16: EROFS"),
        (str(32 * MIB), errno.EINVAL, "EINVAL; it is at most the host's own limit, vm.dirty_bytes or vm.dirty_ratio"),
    ],
)
def test_what_the_kernel_refuses_leaves_nothing_half_set(machine, tmp_path, value, code, said):
    kernel = Kernel(machine)
    kernel.refused = {value: code}
    before = queue(machine)
    ((status, detail),) = carry_out(kernel, tmp_path, *SHORT)
    assert status == "failed" and detail is not None and said in detail and "taken back" not in detail
    assert queue(machine) == before


def test_what_cannot_be_taken_back_is_said(machine, tmp_path):
    kernel = Kernel(machine)
    kernel.refused = {"16": errno.EINVAL, "1280": errno.EIO}
    ((_status, detail),) = carry_out(kernel, tmp_path, *SHORT)
    assert detail is not None and detail.endswith("; not taken back: max_sectors_kb")


def test_a_request_that_is_larger_than_the_hardware_takes_is_refused(machine, tmp_path):
    results = carry_out(QueueSettings(machine.tree), tmp_path, change(DISK, "max_sectors_kb", "1280", "40000"))
    assert results == [
        ("failed", f"max_sectors_kb of {WWN} is at most 32767, because of its hardware; 40000 is asked for")
    ]


@pytest.mark.parametrize("link", [None, "../../sdz"])
def test_a_disk_that_vanished_is_gone(machine, tmp_path, link):
    (tmp_path / "dev/disk/by-id" / WWN).unlink()
    if link:
        machine.link(f"/dev/disk/by-id/{WWN}", link)
    assert carry_out(QueueSettings(machine.tree), tmp_path, SHORT[1]) == [
        ("failed", f"{DISK} is gone, or has no nr_requests")
    ]


def test_a_kernel_without_limits_of_a_devices_own_has_no_such_option(machine, tmp_path):
    (tmp_path / "sys/block/sda/bdi/max_bytes").unlink()
    assert carry_out(QueueSettings(machine.tree), tmp_path, SHORT[2]) == [
        ("failed", f"{DISK} is gone, or has no max_bytes")
    ]


def test_a_rule_is_written_and_the_file_goes_with_the_last_one(machine, tmp_path):
    other = "udev rule of wwn-0xb"
    first = [change(RULE, "nr_requests", None, "16"), change(other, "max_bytes", None, str(32 * MIB))]
    assert carry_out(QueueSettings(machine.tree), tmp_path, *first) == [("changed", None)] * 2
    assert udev_rules.parse(machine.get(udev_rules.PATH) or "") == {
        WWN: {"nr_requests": "16"},
        "wwn-0xb": {"max_bytes": str(32 * MIB)},
    }
    more = [change(RULE, "max_sectors_kb", None, "128")]
    assert carry_out(QueueSettings(machine.tree), tmp_path, *more) == [("changed", None)]
    assert udev_rules.parse(machine.get(udev_rules.PATH) or "")[WWN] == {"max_sectors_kb": "128", "nr_requests": "16"}
    assert carry_out(QueueSettings(machine.tree), tmp_path, *back(more), *back(first)) == [("changed", None)] * 2
    assert machine.get(udev_rules.PATH) is None


def test_a_rules_file_that_is_a_link_is_not_written(machine, tmp_path):
    machine.link(udev_rules.PATH, "/etc/passwd")
    ((status, detail),) = carry_out(QueueSettings(machine.tree), tmp_path, change(RULE, "nr_requests", None, "16"))
    assert (status, detail) == (
        "failed",
        f"{udev_rules.PATH} is a link to /etc/passwd: remove it, or put a file in its place",
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (change("disk ../sda", "nr_requests", "128", "16"), "disk ../sda is not an object of the queues"),
        (change("rule of a", "nr_requests", "128", "16"), "it takes disk ID or udev rule of ID"),
        (change(DISK, "scheduler", "none", "bfq"), "scheduler is not an option of a disk; it takes nr_requests, max_"),
        (change(DISK, "nr_requests", "128", "3"), f"nr_requests of {WWN} is to be 3; allowed are 4 to 2048"),
        (change(DISK, "nr_requests", "128", None), "is null; it takes a whole number, as text"),
        (change(RULE, "nr_requests", None, 16), "is 16; it takes a whole number, as text"),
        (change(DISK, "max_bytes", None, "1048577"), "allowed are 1048576 to 8796093022208, multiples of 1048576"),
        (change(RULE, "strict_limit", None, "2"), "is to be 2; allowed are 0 to 1"),
        (change(RULE, "max_sectors_kb", None, '1", RUN+="x'), "it takes a whole number, as text"),
    ],
)
def test_what_is_no_setting_of_a_disk_is_refused(machine, asked, said):
    with pytest.raises(SettingsError) as caught:
        QueueSettings(machine.tree).check(asked)
    assert said in str(caught.value)


@pytest.mark.parametrize(("option", "value"), [("nr_requests", "0"), ("nr_requests", "x"), ("max_bytes", "0")])
def test_what_no_kernel_showed_is_not_given_back(machine, option, value):
    with pytest.raises(SettingsError):
        QueueSettings(machine.tree).check_back(change(DISK, option, "16", value))


@pytest.mark.parametrize(("option", "began"), [("nr_requests", 2), ("nr_requests", 10240), ("max_sectors_kb", 1)])
def test_what_a_kernel_showed_is_given_back_whatever_a_policy_may_ask_for(machine, tmp_path, option, began):
    machine.put(f"/sys/block/sda/queue/{option}", str(began))
    made = change(DISK, option, str(began), "16")
    assert carry_out(QueueSettings(machine.tree), tmp_path, made) == [("changed", None)]
    ((status, detail),) = carry_out(QueueSettings(machine.tree), tmp_path, *back([made]))
    assert (
        status == "failed" and detail is not None and f"{option} of {WWN} is to be {began}; allowed are 4 to" in detail
    )
    assert carry_out(QueueSettings(machine.tree), tmp_path, *back([made]), undo=True) == [("changed", None)]
    assert machine.get(f"/sys/block/sda/queue/{option}") == f"{began}\n"


def test_a_tree_is_given_back_to_the_byte_and_written_in_place(machine, tmp_path):
    def seen() -> dict[str, tuple[int, str]]:
        files = [place for place in (tmp_path / "sys").rglob("*") if place.is_file()]
        return {str(place): (place.stat().st_ino, place.read_text()) for place in files}

    before, folders = seen(), sorted(tmp_path.iterdir())
    made = [*SHORT, change(RULE, "nr_requests", None, "16")]
    assert carry_out(QueueSettings(machine.tree), tmp_path / "..", *made) == [("changed", None)] * 2
    assert {path: inode for path, (inode, _text) in seen().items()} == {path: one[0] for path, one in before.items()}
    assert carry_out(QueueSettings(machine.tree), tmp_path / "..", *back(made)) == [("changed", None)] * 2
    assert seen() == before and sorted(tmp_path.iterdir()) == folders
    # No limit of its own is not taken for the limit that it had.
    assert carry_out(QueueSettings(machine.tree), tmp_path / "..", *made) == [("changed", None)] * 2


def test_a_link_in_place_of_our_rules_is_said_in_check_mode_too(machine):
    machine.link(udev_rules.PATH, "/etc/passwd")
    with pytest.raises(Refused, match="is a link to /etc/passwd"):
        QueueSettings(machine.tree).now([RULE])
