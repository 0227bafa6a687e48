# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A user who is not root has hardened a guest of the host, through polkit, and one in a session of their own.

The policy said that the disks of a guest share two iothreads.
"""

from __future__ import annotations

from conftest import GUESTS, SCENARIO


def test_a_guest_of_the_host(state, changes):
    file = f"{GUESTS['web']}.xml"
    expected = (SCENARIO / "expected" / "shared" / "web.diff").read_text(encoding="utf-8").splitlines()
    assert changes(state("before")[file], state("ordinary", now=True)[file]) == expected


def test_no_other_guest_of_the_host(state):
    def definitions(name):
        return {guest: state(name)[f"{uuid}.xml"] for guest, uuid in GUESTS.items() if guest not in ("web", "scratch")}

    assert definitions("ordinary") == definitions("before")


def test_qemu_shares_its_iothreads(host, state, disks):
    host.check_output("virsh --connect qemu:///system start web < /dev/null")
    cmdline = state("shared", now=True)[f"{GUESTS['web']}.cmdline"]
    assert [iothread for iothread, _aio, _direct in disks(cmdline).values()] == ["iothread1", "iothread2", "iothread1"]


def test_a_guest_of_their_own(host):
    xml = host.check_output("runuser -u ops -- virsh --connect qemu:///session dumpxml --inactive mine < /dev/null")
    # Its one disk needs no more, whatever the policy allows.
    assert "<iothreads>1</iothreads>" in xml
    assert "<driver name='qemu' type='raw' cache='none' iothread='1'/>" in xml
