# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the fields of a journal's line may be. No I/O.

A rollback writes what the journal says, so a line is refused where one of its fields is not what it must be.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

from .. import _plan
from .._shown import shown

#: What a run may be called: it is the name of its file as well.
RUN_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z", re.ASCII)

_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z", re.ASCII)
_ID = re.compile(r"[0-9a-f]{16}")


def fault(line: Mapping[str, Any]) -> str | None:
    """Why a line is not one of a journal, None where it is."""
    fields = FIELDS.get(line["entry"]) if isinstance(line.get("entry"), str) else None
    if fields is None:
        return "it is neither an intent nor an outcome"
    for key in fields:
        if key not in line:
            return f"its {key} is missing"
    for key, fits in {**fields, **_LATER}.items():
        if key in line and not fits(line[key]):
            return f"its {key} is {shown(line[key])}"
    for change in line["changes"] if "changes" in fields else ():
        possible = (
            _is_setting(change, line["key"])
            if line["entry"] == "setting"
            else _is_change(change, line.get("hypervisor", _plan.FIRST))
        )
        if not possible:
            return f"its changes is {shown(line['changes'])}"
    return None


def _is_text(value: Any) -> bool:
    """Whether a value is text that can be written: JSON may spell half a character, which no output takes."""
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def _is_name(value: Any) -> bool:
    return _is_text(value) and value != ""


def _is_text_or_null(value: Any) -> bool:
    return value is None or _is_text(value)


def _is_bool_or_null(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def _is_run(value: Any) -> bool:
    return isinstance(value, str) and RUN_ID.match(value) is not None


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and _TIME.match(value) is not None


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_change(value: Any, hypervisor: str) -> bool:
    """Whether a plan could ask for the change, and for taking it back."""
    if not isinstance(value, dict) or set(value) != {"key", "option", "before", "after"}:
        return False
    try:
        return _plan.change(value, hypervisor, sides=("before", "after")) == value
    except _plan.PlanError:
        return False


def _is_setting(value: Any, key: str) -> bool:
    """Whether a change is one of an option of that object; whether its subject can make it is for the subject."""
    if not isinstance(value, dict) or set(value) != {"key", "option", "before", "after"} or value["key"] != key:
        return False
    return _is_name(value["option"]) and all(
        isinstance(value[side], (int, bool)) or _is_text_or_null(value[side]) for side in ("before", "after")
    )


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _is_base64(value: Any) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except (ValueError, TypeError):
        return False
    return isinstance(value, str)


#: What each kind of line must have: key → whether a value fits.
FIELDS: dict[str, dict[str, Callable[[Any], bool]]] = {
    "intent": {
        "run": _is_run,
        "time": _is_time,
        "policy": _is_text_or_null,
        "rolls_back": _is_text_or_null,
        "guest": _is_name,
        "name": _is_text,
        "node": _is_text_or_null,
        "config": _is_name,
        "digest": _is_name,
        "changes": _is_list,
    },
    "outcome": {
        "run": _is_run,
        "time": _is_time,
        "guest": _is_name,
        "written": _is_bool_or_null,
        "status": _is_name,
        "reason": _is_text_or_null,
        "detail": _is_text_or_null,
        "digest": _is_text_or_null,
    },
    "setting": {
        "id": _is_id,
        "run": _is_run,
        "time": _is_time,
        "policy": _is_text_or_null,
        "rolls_back": _is_text_or_null,
        "subject": _is_name,
        "key": _is_name,
        "changes": _is_list,
    },
    "set": {
        "id": _is_id,
        "run": _is_run,
        "time": _is_time,
        "written": _is_bool_or_null,
        "status": _is_name,
        "reason": _is_text_or_null,
        "detail": _is_text_or_null,
    },
}

# What lines of earlier versions lack.
_LATER: dict[str, Callable[[Any], bool]] = {"id": _is_id, "config_before": _is_base64, "hypervisor": _plan.knows}
