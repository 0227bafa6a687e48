# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The words the reports share: states, reasons, and what a person does about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...module_utils._text import exact_amount, one_line, visible
from .._fleet.document import Item
from .._policy.hypervisors import words
from .._policy.literal import literal, yaml_text
from .._policy.rules import SUBJECTS
from .text import plain

#: Shown instead of a host name for guests read from a flat directory.
NO_HOST = "configs"

#: What a run that was limited to some hosts says of the others.
LIMITED = "Limited to some hosts: the other hosts of the inventory were not checked"

#: State to (column head, title of its section, what to do).
STATE_WORDS = {
    "failed": ("failed", "Failed", "The run went on with the other guests. Fix the cause and run again."),
    "unresolved": ("unresolved", "Unresolved", "These still violate the policy, wholly or in part."),
    "restart_pending": ("restart", "Restart pending", ""),
    "to_change": ("to change", "To change", "The next run without check mode changes these."),
    "changed": ("changed", "Changed, in force", ""),
    "waived": ("waived", "Waived", ""),
    "compliant": ("compliant", "Compliant", ""),
}

#: State of a disk to its word.
DISK_WORDS = {"compliant": "Compliant", "waived": "Waived", "noncompliant": "Noncompliant"}

#: What to do about ``to_change`` of a directory of configs.
CHANGE_AT_SOURCE = "Change these where they are defined; no run writes there."

#: What is said of hosts without a report.
UNKNOWN = "Unreachable or failed; nothing is known about the guests there"

# Reason of a result or of unresolved to its words.
_REASON_WORDS = {
    "busy": "locked by another process",
    "by_hand": "its definition sets this by hand",
    "changed_since": "changed since the run",
    "digest_moved": "config changed since it was read",
    "driver_change": "would change the guest's disk driver",
    "error": "could not be read or written",
    "foreign_pending": "somebody else's pending changes",
    "gone": "no longer there",
    "ha_managed": "managed by HA",
    "ha_state": "not started here for HA",
    "journal": "the journal of changes cannot be written",
    "known_defect": "this version of QEMU has a known defect",
    "locked": "locked by another job",
    "moved": "moved to another node",
    "needs_root": "only root on its node can change it",
    "no_config": "no config to change",
    "no_shutdown": "did not shut down in time",
    "not_asked": "the hypervisor did not say what a write would lose",
    "not_fixable": "no setting fixes it",
    "not_here": "not known here whether it runs",
    "not_in_force": "restarted, and not all changes are in force",
    "not_proven": "the config after the write is not what was asked for",
    "not_reached": "the run did not come to it",
    "not_running": "does not run",
    "not_started": "did not start again",
    "nothing_pending": "nothing pending",
    "read_only": "read over a read-only connection",
    "refused": "refused",
    "storage_offline": "storage offline",
    "template": "a template",
    "unknown": "no reason given",
    "unsafe_lines": "config has lines that a write would drop",
    "would_not_start": "would not start with the change",
}

# A longer list of ids does not fit a terminal.
_MOST_IDS = 40
_DRIVER = "Make sure that each has the driver virtio_scsi (Windows: vioscsi)"

#: What to do for all guests whose driver would change, before the variable that allows it.
DRIVER_ADVICE = f"{_DRIVER}, then allow the change: "

#: What is set to allow another driver: the option of guest_io_assess, unless a playbook names its variable.
MIGRATE = "migrate_controllers"


def reason_words(reason: Any) -> str:
    """A reason in words; one without words is shown as it is, without underscores."""
    return _REASON_WORDS.get(reason) or str(reason).replace("_", " ")


def subject_words(subject: Any) -> str:
    """The title of what was assessed of hosts, in words."""
    return SUBJECTS.get(subject) or visible(subject).replace("_", " ").capitalize()


#: The status of what is not known of a host that is reached through an API.
NEEDS_SSH = "needs_ssh"


def assessment_words(found: Item | None) -> tuple[str, str]:
    """(status, detail) of a host's assessment; the detail is "" where there is none."""
    if found is None:
        return "not asked", ""
    return visible(found.get("status")).replace("_", " ") or "unknown", one_line(found.get("detail"))


def restart_advice(entries: Iterable[Item]) -> str:
    """How these guests are restarted so that their config takes effect, in the words of each hypervisor."""
    return " ".join(dict.fromkeys(words(entry["hypervisor"], "cold_start") for entry in entries))


def driver_guests(entries: Iterable[Item]) -> list[str]:
    """The ids of the guests that are not changed because their driver would change, each once."""
    return list(
        dict.fromkeys(
            str(entry["guest"])
            for entry in entries
            if entry["reason"] == "driver_change" and entry["state"] != "failed"
        )
    )


def driver_setting(ids: Sequence[str], variable: str) -> str:
    """The line of YAML that allows exactly these guests another driver, ready to be pasted."""
    named = ", ".join(map(literal, ids))
    return f"{variable}: {yaml_text(f'contains([{named}], guest.id)')}"


def reason_advice(reason: Any, entries: Iterable[Item], variable: str) -> str:
    """What to do for the guests of a reason, on the terminal; "" where nothing applies to all of them.

    What is to be pasted is complete: a selector of some of the guests would be taken for one of all.
    """
    ids = driver_guests(entries) if reason == "driver_change" else []
    if not ids:
        return ""
    if len(ids) <= _MOST_IDS:
        return DRIVER_ADVICE + driver_setting(ids, variable)
    return (
        f"{_DRIVER}, give those that do a tag, such as virtio-scsi-ok, then allow the change: {variable}:"
        f" \"contains(guest.tags, 'virtio-scsi-ok')\". The HTML report has the selector with the ids of all {len(ids)}."
    )


# The rule whose found and wanted values are bytes; elsewhere a key's name says so.
_BYTES = "IO204"
# Rule to the name of what its found and wanted values switch on or off.
_SWITCH = {"IO102": "iothread", "IO106": "iothread", "IO112": "template"}


def found_and_wanted(finding: Item) -> tuple[str, str]:
    """What was found and what is wanted, in words. The second is "" where a finding wants no value, and both are where
    it has none.
    """
    values = [_amounts(finding.get(key), finding.get("rule") == _BYTES) for key in ("actual", "wanted")]
    if values == [None, None]:
        return "", ""
    switch = _SWITCH.get(str(finding.get("rule")))
    found, wanted = (
        ("" if value else "no ") + switch if switch and isinstance(value, bool) else plain(value) for value in values
    )
    return found, "" if values[1] is None else wanted


def _amounts(value: Any, is_bytes: bool) -> Any:
    """A value with its bytes as a person reads them."""
    if isinstance(value, Mapping):
        return {key: _amounts(item, is_bytes or str(key).endswith("_bytes")) for key, item in value.items()}
    return exact_amount(value) if is_bytes and isinstance(value, int) else value


def waiver_words(waived: Item) -> str:
    """A finding's waiver in a line."""
    return f"{visible(waived.get('id'))} until {visible(waived.get('until'))}: {one_line(waived.get('reason'))}"
