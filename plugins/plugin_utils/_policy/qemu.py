# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which QEMU runs a guest, and which will start it: versions as tuples, from a guest record's ``qemu``."""

from __future__ import annotations

import re

from ...module_utils._model.records import Guest

#: Three numbers, so that two versions compare: 10.1 is (10, 1, 0).
Version = tuple[int, int, int]

_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?(?!\d)", re.ASCII)


def version(text: str | None) -> Version | None:
    """The version that a package's version begins with: ``10.1.2-1`` is (10, 1, 2). None where there is none."""
    match = _VERSION.match(text or "")
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def running(guest: Guest) -> Version | None:
    """The QEMU that runs the guest now, None where it does not run or is not known."""
    return version(guest["qemu"]["running"])


def next_start(guest: Guest) -> Version | None:
    """The lowest QEMU that can start the guest next, None where that is not known.

    On the guest's own node it is the installed one, elsewhere what the config proves: see ``proven`` in docs/data.md.
    """
    return version(guest["qemu"]["installed"]) or version(guest["qemu"].get("proven"))


def may_be_below(guest: Guest, bound: tuple[int, ...]) -> bool:
    """True where a QEMU below ``bound`` runs the guest or can start it, or neither is known."""
    known = [found for found in (running(guest), next_start(guest)) if found is not None]
    return not known or min(known) < bound
