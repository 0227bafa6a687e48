# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The results of a run in which guests changed between reading and writing, and were read and planned again."""

from __future__ import annotations

from typing import Any

from .document import guest_key

MOVED = "digest_moved"


def merge(results: list[dict[str, Any]], document: dict[str, Any], again: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The results, with those of the second try in place of the first ones.

    ``document`` holds the findings of the second reading: a guest in it that needed no second write is compliant now;
    a guest that is not in it stays failed.
    """
    second = {guest_key(result)[1:]: result for result in again}
    read = {guest_key(guest)[1:] for guest in document["guests"]}
    unchanged = {
        "status": "unchanged",
        "reason": None,
        "detail": "changed by somebody else in the meantime; nothing is left to change",
    }
    merged = []
    for result in results:
        key = guest_key(result)[1:]
        if result["reason"] == MOVED and key in second:
            result = second[key]
        elif result["reason"] == MOVED and key in read:
            result = {**result, **unchanged}
        merged.append(result)
    return merged
