# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which parts of harden_io a host gets, and which named guests are on no host. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...module_utils._shown import piece, shown
from ...module_utils._text import natural_key
from .values import guests_named
from .variables import left

PARTS = ("guests", "limits", "load", "host")
#: The subjects that each part reads of a host.
SUBJECTS = {"limits": ("writeback",), "load": ("load",), "host": ("queues", "versions", "causes")}


def parts(given: Any, guests: Any, run_tags: Iterable[str], skip_tags: Iterable[str]) -> list[str]:
    """The parts of harden_io to run, at least one; raises ValueError with a sentence.

    ``given`` is harden_io_parts, None if it is not set. Then a run that names guests (``guests`` is guest_io_guests)
    does not touch the hosts themselves, unless --tags asks for it.
    """
    guests = guests_named(guests)
    run_tags = list(run_tags)
    if given is None:
        chosen = [part for part in PARTS if part == "guests" or not guests or part in run_tags]
    else:
        chosen = _checked(given)
    by_tags = left(PARTS, run_tags, skip_tags)
    done = [part for part in chosen if part in by_tags]
    if not done:
        raise ValueError(
            f"nothing is left to do: {_why(given)} {', '.join(chosen)}, and --tags and --skip-tags leave"
            f" {', '.join(by_tags) or 'nothing'}"
        )
    return done


def _checked(given: Any) -> list[str]:
    listed = given.split(",") if isinstance(given, str) else given
    named = (
        [part.strip() if isinstance(part, str) else part for part in listed]
        if isinstance(listed, (list, tuple))
        else []
    )
    if not named or any(part not in PARTS for part in named):
        raise ValueError(f"harden_io_parts is {shown(given)}; it takes a list of {', '.join(PARTS)}, at least one")
    return [part for part in PARTS if part in named]


def _why(given: Any) -> str:
    return "guest_io_guests names guests, which is for" if given is None else "harden_io_parts is"


def nowhere(answers: Mapping[str, Mapping[str, bool] | None], lacks: str) -> list[str]:
    """A sentence for each guest that was named and is on no host.

    ``answers`` says for each host whether it has each named guest; None is a host that gave no answer. ``lacks`` is
    what the sentence says of such a guest.
    """
    asked: dict[str, list[str]] = {}
    there = set()
    for host, named in answers.items():
        for guest, is_there in (named or {}).items():
            asked.setdefault(guest, []).append(host)
            if is_there:
                there.add(guest)
    silent = [host for host, named in answers.items() if named is None]
    end = f"; no answer from {', '.join(sorted(silent, key=natural_key))}" if silent else ""
    return [
        f"guest {piece(guest)} {lacks}; asked: {', '.join(sorted(asked[guest], key=natural_key))}{end}"
        for guest in sorted(asked, key=natural_key)
        if guest not in there
    ]
