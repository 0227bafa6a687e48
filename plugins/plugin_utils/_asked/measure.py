# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which settings a measurement compares. Pure; errors are ProveErrors."""

from __future__ import annotations

from typing import Any

from ...module_utils._prove import setting as _setting
from ...module_utils._prove.backup import BACKUP
from ...module_utils._prove.errors import ProveError


def settings(
    guests: list[dict[str, Any]],
    findings: dict[str, Any],
    guest: str | None = None,
    disk: str | None = None,
    also: list[dict[str, Any]] | None = None,
    during: list[str] | None = None,
    backup: dict[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Settings for io_prove: ``today``, ``hardened``, ``also``, and ``hardened`` once more for each ``during``;
    a backup among these is made as ``backup`` says.

    With ``guest``, ``today`` is what its ``disk`` (without a key, its first disk that QEMU serves) runs with or is
    configured with, and ``hardened`` is that with the plan's changes; ``guests`` are the records that were read and
    ``findings`` the document made of them. Without it, they are Proxmox VE's defaults and what the default policy asks
    for.
    """
    first = _of_guest(guests, findings, guest, disk) if guest else [_setting.TODAY, _setting.HARDENED]
    if backup and BACKUP not in (during or []):
        raise ProveError("how a backup is made is said (prove_io_backup), but none is asked for (prove_io_during)")
    more = [
        dict(first[1], name=f"hardened, {one}", during=one, backup=backup if one == BACKUP else None)
        for one in during or []
    ]
    full = _setting.check_all(first + list(also or []) + more)
    # A module's option takes no null.
    return [_given(setting) for setting in full]


def _given(setting: dict[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in setting.items() if value is not None}
    return {key: _given(value) if isinstance(value, dict) else value for key, value in given.items()}


def _of_guest(
    guests: list[dict[str, Any]], findings: dict[str, Any], guest: str, disk: str | None
) -> list[dict[str, Any]]:
    """Today's setting of the guest's disk, and the one after the plan's changes."""
    record = {record["id"]: record for record in guests}.get(guest)
    if record is None:
        raise ProveError(
            f"guest {guest} is not among those that were read: {', '.join(one['id'] for one in guests) or 'none'}"
        )
    key = disk or _setting.first_disk(record)
    today = _setting.from_record(record, key)
    for entry in findings.get("plan", []):
        if entry["guest"] == guest:
            return [today, _setting.with_changes(today, entry["changes"], key)]
    reasons = [left["detail"] or left["reason"] for left in findings.get("unresolved", []) if left["guest"] == guest]
    raise ProveError(
        f"the policy would change nothing on guest {guest}: {'; '.join(reasons) or 'it is compliant'}. Name what to"
        " compare it with (prove_io_also)"
    )
