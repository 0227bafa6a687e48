# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Check mode asks the node what a write would lose and what is offline, and calls it for nothing else."""

from __future__ import annotations


def test_nothing_but_questions(calls):
    # files/prepare.sh starts three guests and gives one something that waits.
    by_the_run = [(call["command"], *call["argv"]) for call in calls[4:]]
    assert sorted(by_the_run) == 2 * [("pvesm", "status")] + 2 * [("qm", "list")]
