# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The words the reports share: states, reasons, and what a person does about them."""

from __future__ import annotations

from collections.abc import Mapping

from .text import one_line, plain, visible

# what stands where a host's name would, for guests that were read from a directory of configs of nobody knows which
# host
NO_HOST = "configs"

# what a run that was limited to some hosts says of the others
LIMITED = "Limited to some hosts: the other hosts of the inventory were not looked at"

# state -> (column head, heading of its section, what to do)
STATE_WORDS = {
    "failed": ("failed", "Failed", "nothing else was stopped by it; mend the cause and run again"),
    "unresolved": ("unresolved", "Unresolved", "these still violate the policy, wholly or in part"),
    "restart_pending": (
        "restart",
        "Restart pending",
        "shut down and start, or `qm reboot`: a reboot inside the guest or a live migration does not apply it",
    ),
    "to_change": ("to change", "To change", "the next run that is not a check run writes these"),
    "changed": ("changed", "Changed, in force", ""),
    "waived": ("waived", "Waived", ""),
    "compliant": ("compliant", "Compliant", ""),
}

# what to do about `to_change` of a directory of configs
CHANGE_AT_SOURCE = "change these where the configs come from; no run writes to a directory"

# reason of a result or of unresolved -> the same for a person
REASON_WORDS = {
    "busy": "locked by another process",
    "digest_moved": "config changed since it was read",
    "driver_change": "would change the guest's disk driver",
    "error": "could not be read or written",
    "foreign_pending": "somebody else's pending changes",
    "journal": "the journal of changes cannot be written",
    "known_defect": "this version of QEMU has a known defect",
    "locked": "locked by another job",
    "moved": "moved to another node",
    "not_asked": "Proxmox VE did not say what a write would lose",
    "not_fixable": "no setting cures it",
    "not_proven": "what was written is not what was asked for",
    "refused": "refused",
    "storage_offline": "storage offline",
    "unknown": "no reason given",
    "unsafe_lines": "config has lines that Proxmox VE would drop",
}

# what to do for all guests whose driver would change, before the setting that allows it
_DRIVER = "Make sure that each has the driver virtio_scsi (Windows: vioscsi)"
DRIVER_ADVICE = _DRIVER + ", then allow the change: "
DRIVER_VARIABLE = "guest_io_migrate_controllers"
# a longer list of ids is not for a terminal
_MOST_IDS = 40


def driver_guests(entries) -> list[str]:
    """The ids of the guests that are not changed because their driver would change, each once."""
    return list(
        dict.fromkeys(
            visible(entry["guest"])
            for entry in entries
            if entry["reason"] == "driver_change" and entry["state"] != "failed"
        )
    )


def driver_setting(ids) -> str:
    """The setting that allows exactly these guests another driver, ready to be pasted into YAML."""
    return '%s: "contains([%s], guest.id)"' % (DRIVER_VARIABLE, ", ".join("'%s'" % guest for guest in ids))


def reason_advice(reason, entries) -> str:
    """What to do for the guests of a reason, on the terminal; "" where there is nothing to say of all.

    What is to be pasted is whole: a selector of some of the guests would be taken for one of all.
    """
    if reason != "driver_change":
        return ""
    ids = driver_guests(entries)
    if not ids:
        return ""
    if len(ids) <= _MOST_IDS:
        return DRIVER_ADVICE + driver_setting(ids)
    return (
        _DRIVER
        + ', and give those that do a tag, such as virtio-scsi-ok, then allow the change: %s: "contains(guest.tags,'
        " 'virtio-scsi-ok')\". The HTML report (report_html) has the selector with the ids of all %d."
        % (DRIVER_VARIABLE, len(ids))
    )


def reason_words(reason) -> str:
    """A reason's name for a person; one that is not known here is shown as it is, without underscores."""
    return REASON_WORDS.get(reason) or str(reason).replace("_", " ")


# rule -> of what its found and wanted value is true or false
_WHAT = {"IO102": "iothread", "IO106": "iothread", "IO112": "template"}


def found_and_wanted(finding: Mapping) -> tuple:
    """What was found and what is wanted, in words; both "" where the finding compares nothing."""
    values = finding.get("actual"), finding.get("wanted")
    if values == (None, None):
        return "", ""
    what = _WHAT.get(finding.get("rule"))
    return tuple(
        ("" if value else "no ") + what if what and isinstance(value, bool) else plain(value) for value in values
    )


def waiver_words(waived: Mapping) -> str:
    """A finding's waiver in a line."""
    return "%s until %s: %s" % (visible(waived.get("id")), visible(waived.get("until")), one_line(waived.get("reason")))
