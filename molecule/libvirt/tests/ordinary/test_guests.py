# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A user who is not root has hardened a guest of the host, through polkit, and one in a session of their own."""

from __future__ import annotations

from conftest import GUESTS


def test_a_guest_of_the_host(state, changes, expected):
    file = f"{GUESTS['plain']}.xml"
    assert changes(state("before")[file], state("ordinary", now=True)[file]) == expected("plain")


def test_no_other_guest_of_the_host(state):
    def definitions(name):
        return {
            guest: state(name)[f"{uuid}.xml"] for guest, uuid in GUESTS.items() if guest not in ("plain", "scratch")
        }

    assert definitions("ordinary") == definitions("before")


def test_a_guest_of_their_own(host):
    xml = host.check_output("runuser -u ops -- virsh --connect qemu:///session dumpxml --inactive mine < /dev/null")
    assert "<iothreads>1</iothreads>" in xml
    assert "<driver name='qemu' type='raw' cache='none' iothread='1'/>" in xml
