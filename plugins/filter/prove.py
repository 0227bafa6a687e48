# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The filter that says what io_prove is to compare."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._prove import setting as _setting
from ..module_utils._prove.errors import ProveError


def _of_guest(
    guests: list[dict[str, Any]], findings: dict[str, Any], guest: str, disk: str | None
) -> list[dict[str, Any]]:
    """Today's setting of the guest's disk, and the one after the plan's changes."""
    record = {record["id"]: record for record in guests}.get(guest)
    if record is None:
        raise ProveError(
            "guest %s is not among those that were read: %s" % (guest, ", ".join(one["id"] for one in guests) or "none")
        )
    key = disk or _setting.first_disk(record)
    today = _setting.from_record(record, key)
    for entry in findings.get("plan", []):
        if entry["guest"] == guest:
            return [today, _setting.with_changes(today, entry["changes"], key)]
    reasons = [left["detail"] or left["reason"] for left in findings.get("unresolved", []) if left["guest"] == guest]
    raise ProveError(
        "the policy would change nothing on guest %s: %s. Name what to compare it with (prove_io_also)"
        % (guest, "; ".join(reasons) or "it is as the policy wants it")
    )


def prove_settings(
    guests: Any,
    findings: Any = None,
    guest: Any = None,
    disk: str | None = None,
    also: Any = None,
    during: Any = None,
) -> list[dict[str, Any]]:
    """Settings for io_prove; see prove_settings.yml."""
    if not isinstance(guests, list):
        raise AnsibleFilterError("prove_settings takes the guests that guest_io_info returned, a list")
    try:
        if guest:
            if not isinstance(findings, dict):
                raise AnsibleFilterError(
                    "prove_settings needs findings, what assess made of the guests, to compare guest %s" % guest
                )
            settings = _of_guest(guests, findings, str(guest), disk)
        else:
            settings = [_setting.TODAY, _setting.HARDENED]
        more = [dict(settings[1], name="hardened, %s" % one, during=one) for one in during or []]
        full = _setting.check_all(settings + list(also or []) + more)
    except ProveError as problem:
        raise AnsibleFilterError(str(problem)) from problem
    # A module's option takes no null.
    return [{key: value for key, value in setting.items() if value is not None} for setting in full]


class FilterModule:
    """The collection's filters for measurements."""

    def filters(self) -> dict[str, Any]:
        """Name to function."""
        return {"prove_settings": prove_settings}
