# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The guests after a cold start: QEMU really has what was asked for, whoever started it."""

from __future__ import annotations

import re

import pytest
from conftest import GUESTS, SCENARIO

#: guest: {disk: (iothread, aio, cache.direct)}. QEMU's own default of an aio that is not named is threads.
WANTED = {
    "web": {
        "virtio-disk0": ("iothread1", None, True),
        "virtio-disk1": ("iothread2", "threads", True),
        "virtio-disk2": ("iothread3", None, True),
    },
    "db": {
        "scsi0-0-0-0": ("iothread1", "threads", True),
        "scsi0-0-0-1": ("iothread1", None, True),
        "scsi0-0-0-2": ("iothread1", None, True),
    },
    "desktop": {"sata0-0-0": (None, "threads", True), "usb-disk1": (None, None, True)},
    "mail": {
        "virtio-disk0": ("iothread1", "threads", True),
        "virtio-disk1": ("iothread2", None, True),
        "ide0-0-0": (None, None, True),
    },
    "saved": {"virtio-disk0": ("iothread1", None, True)},
    "kept": {"virtio-disk0": ("iothread1", None, True)},
    "plain": {"virtio-disk0": ("iothread1", None, True)},
    "ours": {"virtio-disk0": ("iothread1", None, True)},
    "by-hand": {"virtio-disk0": (None, None, None)},
    "in-order": {"virtio-disk0": ("iothread7", "threads", True)},
    "half-done": {
        "virtio-disk0": ("iothread7", "threads", True),
        "virtio-disk1": ("iothread2", None, False),
        "virtio-disk2": ("iothread9", None, True),
    },
}
#: QEMU 7.2 aborts when a guest resets a disk on virtio-scsi with an iothread (IO401): it gets none there.
WANTED_OF_OLD = {"db": {disk: (None, *values[1:]) for disk, values in WANTED["db"].items()}}


@pytest.fixture(scope="module", autouse=True)
def kept(host, state, changes):
    """Keep in build/libvirt-disks/ what a person wants to see of each disk: its XML before and after, what QEMU got."""
    text = ""
    for guest in WANTED:
        before, after = (state(name)[f"{GUESTS[guest]}.xml"] for name in ("before", "hardened"))
        words = state("restarted")[f"{GUESTS[guest]}.cmdline"].split("\n")
        options = [f"{one} {two}" for one, two in zip(words, words[1:]) if one in ("-object", "-blockdev", "-device")]
        text += "\n".join([f"== {guest}", *changes(before, after), "", *options, "", ""])
    folder = SCENARIO.parents[1] / "build" / "libvirt-disks"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{host.check_output('hostname')}.txt").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("guest", WANTED)
def test_qemu_has_it(host, state, disks, guest):
    wanted = WANTED | (WANTED_OF_OLD if host.check_output("hostname") == "bookworm" else {})
    cmdline = state("restarted")[f"{GUESTS[guest]}.cmdline"]
    assert disks(cmdline) == wanted[guest]


@pytest.mark.parametrize("guest", WANTED)
def test_each_iothread_is_a_thread(host, state, guest):
    """QEMU names the thread of an iothread after it. One of its own is for the monitor."""
    cmdline = state("restarted")[f"{GUESTS[guest]}.cmdline"]
    pid = state("restarted")[f"{GUESTS[guest]}.process"].split()[0]
    threads = host.check_output(f"cat /proc/{pid}/task/*/comm").split("\n")
    asked = [*re.findall(r'"iothread","id":"(\w+)"', cmdline), *re.findall(r"iothread,id=(\w+)", cmdline)]
    assert {name for name in threads if name.startswith("IO ")} - {"IO mon_iothread"} == {
        f"IO {name}" for name in asked
    }


def test_the_playbook_restarted_the_guest_that_was_named(state):
    """db runs in a new process, and no other guest does."""
    before, after = state("before"), state("before-by-hand")
    other = {name for name in before if name.endswith(".process") and before[name] != after.get(name)}
    assert other == {f"{GUESTS['db']}.process"}
    assert f"{GUESTS['db']}.process" in after


def test_a_saved_guest_goes_on_with_what_it_had(state, disks):
    cmdline = state("resumed")[f"{GUESTS['saved']}.cmdline"]
    assert disks(cmdline) == {"virtio-disk0": (None, None, None)}


def test_device_names_did_not_move(state):
    """Each disk of a guest that ran before is at the address that it had."""

    def addresses(text):
        return [line for line in text.splitlines() if "<address " in line or "<target " in line]

    for guest in ("db", "desktop", "mail"):
        name = f"{GUESTS[guest]}.live.xml"
        assert addresses(state("restarted")[name]) == addresses(state("before")[name])


def test_definitions_are_still_the_hardened_ones(state):
    files = [f"{uuid}.xml" for guest, uuid in GUESTS.items() if guest != "scratch"]
    assert [state("restarted")[file] for file in files] == [state("hardened")[file] for file in files]
