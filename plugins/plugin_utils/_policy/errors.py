# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What is wrong with a policy, said to the person who wrote it."""

from __future__ import annotations


class PolicyError(ValueError):
    """``place`` is where the fault is, from the option down: ``policy.disk.aio``, ``waivers[0].until``; ``reason`` is
    what is wrong there, and what is allowed.
    """

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason
