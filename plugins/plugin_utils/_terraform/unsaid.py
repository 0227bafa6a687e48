# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a plan does not say of a guest: sentences for what cannot be judged."""

from __future__ import annotations

from collections.abc import Sequence

from ...module_utils._model import records

APPLY = "known only after apply"
FAULT_HINT = "Check it by hand and waive this."
_HINT = "Write a value that is known when it is planned, or check it by hand and waive this."


def of_guest(fault: str | None, names: Sequence[str]) -> list[records.Unknown]:
    """Why nothing of a guest can be judged, and the attributes that are known only after apply."""
    return [
        *([records.unknown(fault, FAULT_HINT)] if fault else []),
        *(records.unknown(f"{name} is {APPLY}", _HINT) for name in names),
    ]


def of_disk(names: Sequence[str]) -> records.Unknown:
    """The attributes of a disk that are known only after apply."""
    verb = "is" if len(names) == 1 else "are"
    return records.unknown(f"{' and '.join(names)} {verb} {APPLY}", _HINT)
