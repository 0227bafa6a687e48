# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What fails a run at its end: guests that could not be changed, and files that could not be read.

A guest that is only skipped or unresolved does not fail a run.
"""

from __future__ import annotations

from collections.abc import Iterable

from .document import Document, Item, guest_key


def failed(results: Iterable[Item]) -> list[Item]:
    """The results of guest_io for guests that failed."""
    return [result for result in results if result["status"] == "failed"]


def unread(document: Document) -> list[Item]:
    """The findings about whole files, guests or hosts that could not be read, without the waived ones.

    A guest of a plan was read; what of it is known only after apply is no failure to read.
    """
    planned = {guest_key(guest) for guest in document.get("guests", ()) if guest.get("address")}
    return [
        finding
        for finding in document["findings"]
        if finding["rule"] == "IO100"
        and finding["severity"] == "error"
        and finding["disk"] is None
        and not finding["waived"]
        and guest_key(finding) not in planned
    ]
