# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What every way to guests of libvirt has in common: how their definitions are edited, refused and proven."""

from __future__ import annotations

from .._libvirt.definition import Definition
from .._libvirt.lost import lost
from .._libvirt.splice import EditError
from .._model.disk_io import refused_at_start
from .._model.findings import Change, Wanted
from .backend import Refused


class LibvirtGuests:
    """A subclass reads, loads and writes them."""

    hypervisor = "libvirt"

    def edit(self, now: Definition, wanted: Wanted) -> Definition:
        """See Backend."""
        try:
            return now.edited(wanted)
        except EditError as exc:
            raise Refused("refused", f"the plan does not fit the guest: {exc}") from exc

    def also(self, now: Definition, edited: Definition) -> list[Change]:
        """See Backend."""
        return edited.also

    def refuse(self, now: Definition, edited: Definition) -> None:
        """Refuse what no way can write: a guest that is held back, one that would not start."""
        held = now.guest["held"]
        if held:
            raise Refused(held["reason"], held["detail"])
        for disk in edited.guest["disks"]:
            fault = refused_at_start(disk["key"], disk["next"] or disk["effective"])
            if fault:
                raise Refused("would_not_start", fault)

    def lost(self, now: Definition, edited: Definition, after: Definition) -> list[str]:
        """See Backend."""
        return lost(edited.raw, after.raw)
