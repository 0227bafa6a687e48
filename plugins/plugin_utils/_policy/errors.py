# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What is wrong with a policy, said to the person who wrote it."""

from __future__ import annotations

_VARIABLES = ("guest_io_", "restart_match", "date")


class PolicyError(ValueError):
    """``place`` is the path in the policy document, or a variable beside it (``guest_io_…``, ``restart_match``,
    ``date``) with the path in there; ``reason`` is what is wrong and what is allowed there."""

    def __init__(self, place: str, reason: str) -> None:
        dot = "." if place and not place.startswith("[") else ""
        super().__init__(f"{place if place.startswith(_VARIABLES) else f'policy{dot}{place}'}: {reason}")
        self.place = place
        self.reason = reason
