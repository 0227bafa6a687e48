# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The words the reports share: states, reasons, and what a person does about them."""

from __future__ import annotations

# state -> (column head, heading of its section, what to do)
STATE_WORDS = {
    "failed": ("failed", "Failed", "nothing else was stopped by it; mend the cause and run again"),
    "left_alone": ("left alone", "Left alone", "these still have what the policy forbids"),
    "restart": (
        "restart",
        "Waiting for a restart",
        "shut down and start, or `qm reboot`: a reboot inside the guest or a live migration does not apply it",
    ),
    "to_change": ("to do", "To change", "the next run that is not a check run writes these"),
    "changed": ("changed", "Changed, in force", ""),
    "waived": ("waived", "Waived", ""),
    "compliant": ("compliant", "Compliant", ""),
}

# reason of a result or of left_alone -> the same for a person
REASON_WORDS = {
    "locked": "locked by another job",
    "digest_moved": "config changed since it was read",
    "moved": "moved to another node",
    "foreign_pending": "somebody else's pending changes",
    "storage_offline": "storage offline",
    "refused": "refused by Proxmox VE",
}


def reason_words(reason) -> str:
    """A reason's name for a person; one that is not known here is shown as it is, without underscores."""
    if not reason:
        return "no reason given"
    return REASON_WORDS.get(reason, str(reason).replace("_", " "))
