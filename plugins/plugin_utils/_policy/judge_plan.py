# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a plan, or holding one back, brings with it: IO110, IO111, IO112 and IO114."""

from __future__ import annotations

from collections.abc import Iterator

from ...module_utils._model.records import Guest
from ...module_utils._shown import piece, some
from .hypervisors import hint
from .plan import Planned
from .remark import Remark


def judge(guest: Guest, planned: Planned) -> Iterator[Remark]:
    """The remarks on a guest and what is planned for it."""
    if planned.left and planned.left.reason == "locked":
        lock = piece(guest["lock"])
        yield Remark("IO110", "warning", planned.left.detail, hint(guest, "locked", id=guest["id"]), lock)
    snapshots = guest["snapshots"] if planned.changes else guest["snapshots_differ"]
    if snapshots:
        names = some(snapshots)
        message = f"a rollback to {', '.join(names)} brings the old settings back"
        yield Remark("IO111", "note", message, "Harden again after a rollback, or delete the snapshot.", names)
    if guest["template"] and planned.changes:
        message = "a template: guests cloned from now on inherit the change, guests cloned before do not"
        yield Remark("IO112", "note", message, "Look for its clones among the guests of this report.", True)
    if guest["made_by"] and planned.changes:
        message = f"the guest is defined by {guest['made_by']}: its next apply may take the change back"
        yield Remark("IO114", "note", message, "Write the same there, or let it ignore the disks.", guest["made_by"])
