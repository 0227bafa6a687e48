# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Values of variables that must be mistakes. Pure.

They are refused before anything is touched: a value that Ansible takes for false would be all guests, a bad run name
would show up after the hosts' limits were changed, and Ansible takes a serial of 0 or 200% for all hosts at once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...module_utils._journal.fields import RUN_ID
from ...module_utils._shown import shown

_FROM_ONE_ON = re.compile(r"0*[1-9][0-9]{0,8}\Z", re.ASCII)
# AWX wants one start, with its time zone, and an interval in the rule.
_RRULE = re.compile(
    r"DTSTART(;TZID=[^:\s]+:\d{8}T\d{6}|:\d{8}T\d{6}Z) RRULE:(?=\S*FREQ=)(?=\S*INTERVAL=[1-9])\S+\Z", re.ASCII
)
_NOT_IN_A_PATH = re.compile(r"\0|(?:^|/)\.\.(?:/|\Z)")


def value_refusals(given: Mapping[str, Any]) -> list[str]:
    """A sentence for each value that is not allowed; ``given`` is variable to value, of the variables in ``TAKES``."""
    return [
        f"{name} is {shown(value)}; it takes {TAKES[name][1]}"
        for name, value in given.items()
        if not TAKES[name][0](value)
    ]


def names_guests(given: Any) -> bool:
    """Whether a value names guests: an id, text with commas, or a list of them. An empty list means all guests."""
    items = given if isinstance(given, list) else given.split(",") if isinstance(given, str) else [given]
    return all(item.strip() != "" if isinstance(item, str) else is_whole(item) and item >= 1 for item in items)


def from_one_on(value: Any) -> bool:
    """Whether a value is a whole number from 1, of up to 9 digits, or text that spells one."""
    if is_whole(value):
        return bool(1 <= value < 10**9)
    return isinstance(value, str) and _FROM_ONE_ON.match(value.strip()) is not None


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number; true and false are not."""
    return isinstance(value, int) and not isinstance(value, bool)


def _names_a_run(value: Any) -> bool:
    if value is None or value == "":
        return True
    return (isinstance(value, str) or from_one_on(value)) and RUN_ID.match(str(value)) is not None


def _is_absolute(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("/") and not _NOT_IN_A_PATH.search(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != ""


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) and name.strip() for name in value)


_A_NUMBER = (from_one_on, "a whole number, 1 or more")
_NAMES = (_are_names, "a list of names that AWX has, such as [one, another]")
#: Variable to whether a value is allowed, and what it takes in words.
TAKES = {
    "io_hardening_hosts": (
        _is_text,
        "a host pattern of Ansible, such as proxmox_nodes, or pve1,pve2",
    ),
    "awx_approval_timeout": _A_NUMBER,
    "awx_become": (
        lambda value: str(value).lower() in ("true", "false", "yes", "no"),
        "true or false",
    ),
    "awx_collection": (lambda value: value in ("awx.awx", "ansible.controller"), "awx.awx or ansible.controller"),
    "awx_credentials": _NAMES,
    "awx_notify_approval": _NAMES,
    "awx_notify_failure": _NAMES,
    "awx_notify_success": _NAMES,
    "awx_report_dir": (
        lambda value: value == "" or _is_absolute(value),
        "the absolute path of a folder that jobs see, without '..', or nothing",
    ),
    "awx_schedule": (
        lambda value: value == "" or (isinstance(value, str) and _RRULE.match(value) is not None),
        (
            "a start and a rule as AWX takes them, such as DTSTART;TZID=Europe/Berlin:20260101T020000"
            " RRULE:FREQ=DAILY;INTERVAL=1, or nothing for no schedule"
        ),
    ),
    "awx_slices": _A_NUMBER,
    "guest_io_guests": (
        names_guests,
        "ids of guests, such as 102, or 102,105, or a list of them; leave it unset for all guests",
    ),
    "guest_io_run": (
        _names_a_run,
        (
            "up to 64 letters, digits, dots, dashes and underscores, and starts with a letter or digit; leave it unset"
            " for the time of the run"
        ),
    ),
    "guest_io_journal": (_is_absolute, "the absolute path of a directory, without '..'"),
    "guest_io_batch": _A_NUMBER,
    "guest_io_max_parallel": _A_NUMBER,
    "restart_hosts_at_once": _A_NUMBER,
    "restart_max_failures": _A_NUMBER,
    "restart_start_timeout": _A_NUMBER,
    "restart_timeout": _A_NUMBER,
}
