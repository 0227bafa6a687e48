# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""After check mode libvirt says of every guest what it said before, and the same processes run."""

from __future__ import annotations


def test_nothing_changed(state):
    assert state("after-check", now=True) == state("before")
