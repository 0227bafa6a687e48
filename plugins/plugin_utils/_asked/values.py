# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Values of variables that must be mistakes: of another type than their argument spec says, or not one of its choices.

They are refused before anything is touched: a value that Ansible takes for false would be all guests, a bad run name
would show up after the hosts' limits were changed, and Ansible takes a serial of 0 or 200% for all hosts at once.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.parsing.convert_bool import BOOLEANS

from ...module_utils._backends.libvirt_connection import is_local
from ...module_utils._journal.fields import RUN_ID
from ...module_utils._number import whole_number
from ...module_utils._shown import shown
from .._policy import fail_on
from . import api
from .specs import SECRET, SURVEY, specs

_YES_OR_NO = frozenset(str(value).lower() for value in BOOLEANS)
_FROM_ONE_ON = re.compile(r"0*[1-9][0-9]{0,8}\Z", re.ASCII)
# AWX wants one start, with its time zone, and an interval in the rule.
_RRULE = re.compile(
    r"DTSTART(;TZID=[^:\s]+:\d{8}T\d{6}|:\d{8}T\d{6}Z) RRULE:(?=\S*FREQ=)(?=\S*INTERVAL=[1-9])\S+\Z", re.ASCII
)
_NOT_IN_A_PATH = re.compile(r"\0|(?:^|/)\.\.(?:/|\Z)")


def value_refusal(name: str, value: Any, host: str | None = None) -> str | None:
    """The sentence for a value that is not allowed; with the host that it is set for, if it is set for one."""
    if name.startswith(SURVEY) and value in ("", None):
        return None
    allowed, words = _takes(name)
    if allowed(value):
        return None
    # Whatever stands there may be a secret.
    what = "not that" if name == SECRET else shown(value)
    return f"{name}{', set for ' + host + ',' if host else ''} is {what}; it takes {words}"


def is_text(name: str) -> bool:
    """Whether any text will do as the variable's value."""
    about, spec = name.removeprefix(SURVEY), specs()[name]
    return about not in TAKES and "choices" not in spec and spec["type"] in ("str", "path", "raw")


def _takes(name: str) -> tuple[Callable[[Any], bool], str]:
    spec = specs()[name]
    allowed, words = TAKES.get(name.removeprefix(SURVEY)) or _of_spec(spec)
    # null is as good as an empty value, where that is the default.
    if name.removeprefix(SURVEY) not in TAKES and spec.get("default") in (None, "", []):
        return lambda value: value is None or allowed(value), words
    return allowed, words


def _of_spec(spec: Mapping[str, Any]) -> tuple[Callable[[Any], bool], str]:
    """What a spec allows, by its type and choices."""
    choices, elements = spec.get("choices"), spec.get("elements")
    if spec["type"] == "list":
        item, _words = _of_spec({**spec, "type": elements})
        words = ", ".join(choices) if choices else "dictionaries" if elements == "dict" else "text"
        return lambda value: all(map(item, _items(value, elements))), f"a list of {words}"
    if choices:
        return lambda value: isinstance(value, str) and value in choices, f"one of {', '.join(choices)}"
    return _TYPES[spec["type"]]


def _items(value: Any, elements: str | None) -> list[Any]:
    """The items of a list, as Ansible takes one: text is split at commas."""
    if isinstance(value, list):
        return value
    if isinstance(value, str) and elements != "dict":
        return [item.strip() for item in value.split(",")]
    return [value]


def names_guests(given: Any) -> bool:
    """Whether a value names guests: an id, text with commas, or a list of them. An empty list means all guests."""
    items = given if isinstance(given, list) else given.split(",") if isinstance(given, str) else [given]
    return all(item.strip() != "" if isinstance(item, str) else is_whole(item) and item >= 1 for item in items)


def guests_named(given: Any) -> list[str] | None:
    """The ids of the guests that guest_io_guests names; None is all. Raises ValueError where it cannot be meant."""
    if refusal := value_refusal("guest_io_guests", given):
        raise ValueError(refusal)
    return ids(given) or None


def ids(given: Any) -> list[str]:
    """The ids in a value that names guests. Those of a list are taken as they are: a name may end in a blank."""
    return [str(guest) for guest in _items(given, "str")]


def are_ids(given: Any) -> bool:
    """Whether a value is ids of guests, at least one: a number, text with commas, or a list of them; ``all`` too."""
    return given == "all" or (given not in ([], None) and names_guests(given))


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


def _is_whole_or_spells_it(value: Any) -> bool:
    return is_whole(value) or (isinstance(value, str) and whole_number(value) is not None)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError, OverflowError):
        return False


def _is_yes_or_no(value: Any) -> bool:
    return isinstance(value, (str, int, float)) and str(value).strip().lower() in _YES_OR_NO


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)


def _are_connections(value: Any) -> bool:
    uris = _items(value, "str")
    return bool(uris) and all(isinstance(uri, str) and is_local(uri) for uri in uris)


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value


def _is_expression(value: Any) -> bool:
    return value is None or isinstance(value, str)


#: The types of argument specs; a list has its elements'.
_TYPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "bool": (_is_yes_or_no, "true or false"),
    "dict": (lambda value: isinstance(value, Mapping), "a dictionary"),
    "float": (_is_number, "a number"),
    "int": (_is_whole_or_spells_it, "a whole number"),
    "path": (_is_path, "a path"),
    "raw": (lambda value: True, "anything"),
    "str": (_is_scalar, "text"),
}
_A_NUMBER = (from_one_on, "a whole number, 1 or more")
_NAMES = (_are_names, "a list of names that AWX has, such as [one, another]")
#: Variable to whether a value is allowed, and what it takes in words, where that is more than its argument spec says.
TAKES: dict[str, tuple[Callable[[Any], bool], str]] = {
    SECRET: (api.is_api, api.TAKES),
    api.JOURNAL: (_is_absolute, "the absolute path of a directory, without '..'"),
    "io_hardening_hosts": (
        _is_text,
        "a host pattern of Ansible, such as proxmox_nodes, or pve1,pve2",
    ),
    "awx_approval_timeout": _A_NUMBER,
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
    "gate_fail_on": (lambda value: value == "none" or fail_on.names(value) is not None, f"none, {fail_on.TAKES}"),
    "guest_io_guests": (
        names_guests,
        "ids of guests, such as 102 or web, or 102,105, or a list of them; leave it unset for all guests",
    ),
    "guest_io_run": (
        _names_a_run,
        (
            "up to 64 letters, digits, dots, dashes and underscores, and starts with a letter or digit; leave it unset"
            " for the time of the run"
        ),
    ),
    "guest_io_journal": (_is_absolute, "the absolute path of a directory, without '..'"),
    "guest_io_libvirt_uris": (
        _are_connections,
        "connections to the host's own libvirt, qemu:///system and qemu:///session, at least one",
    ),
    "guest_io_batch": _A_NUMBER,
    "guest_io_max_parallel": _A_NUMBER,
    "restart_hosts_at_once": _A_NUMBER,
    "restart_max_failures": _A_NUMBER,
    "restart_start_timeout": _A_NUMBER,
    "restart_match": (
        _is_expression,
        (
            "a JMESPath expression over the guest, such as: guest.id == '105', or contains(['105', '106'], guest.id);"
            " join several with ||"
        ),
    ),
    "restart_timeout": _A_NUMBER,
    "rollback_guests": (
        are_ids,
        ("ids of guests, such as 102 or web, or 102,105, or a list; leave it unset to roll back all guests of the run"),
    ),
    "rollback_run": (_is_text, "a run's name, or last, which is the default"),
}
