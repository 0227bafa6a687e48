# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which QEMU runs a guest, and which will start it, from a guest record's ``qemu``."""

from __future__ import annotations

from ...module_utils._model.records import Guest
from .version import Version, parse


def installed(guest: Guest) -> Version | None:
    """The QEMU that is installed on the guest's own node, None where that is not known."""
    return parse(guest["qemu"]["installed"])


def running(guest: Guest) -> Version | None:
    """The QEMU that runs the guest now, None where it does not run or is not known."""
    return parse(guest["qemu"]["running"])


def proven(guest: Guest) -> Version | None:
    """The QEMU that starts the guest is at least this one, by its config; None where the config proves nothing."""
    return parse(guest["qemu"].get("proven"))


def next_start(guest: Guest) -> Version | None:
    """The lowest QEMU that can start the guest next, None where that is not known.

    On the guest's own node it is the installed one, elsewhere what the config proves: see ``proven`` in docs/data.md.
    """
    return installed(guest) or proven(guest)


def may_be_below(guest: Guest, bound: Version) -> bool:
    """True where a QEMU below ``bound`` runs the guest or can start it, or neither is known."""
    known = [found for found in (running(guest), next_start(guest)) if found is not None]
    return not known or min(known) < bound
