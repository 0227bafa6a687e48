# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The guests of files/guests/ after two runs: each differs by the lines of expected/, and by no other byte."""

from __future__ import annotations

import pytest
from conftest import GUESTS


@pytest.mark.parametrize("guest", GUESTS)
def test_definition(state, changes, expected, guest):
    file = f"{GUESTS[guest]}.xml"
    assert changes(state("before")[file], state("hardened", now=True)[file]) == expected(guest)


def test_nothing_else_changed(state):
    """No guest was started, stopped or saved, no live XML, snapshot, saved state or autostart is another."""
    files = {f"{uuid}.xml" for uuid in GUESTS.values()}
    before, after = (
        {name: text for name, text in one.items() if name not in files}
        for one in (state("before"), state("hardened", now=True))
    )
    assert after == before


def test_a_secret_is_kept_and_only_root_can_read_it_in_the_journal(host, state):
    """The journal has the whole definition, so that a write can lose nothing for good."""
    assert "passwd='of-vnc'" in state("hardened", now=True)[f"{GUESTS['half-done']}.xml"]
    journal = host.file("/var/lib/hypervisor-io-hardening/journal")
    assert (journal.user, journal.mode) == ("root", 0o700)
    assert {host.file(f"{journal.path}/{name}").mode for name in journal.listdir()} == {0o600}
