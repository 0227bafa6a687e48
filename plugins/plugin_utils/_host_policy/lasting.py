# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A value that the policy names, against what holds now and after a boot. Pure."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ...module_utils._model.findings import Change, Finding, change, finding
from ...module_utils._shown import piece

#: Where a boot sets something: ``{value, file, line}``.
Setting = Mapping[str, Any]


class Boot(NamedTuple):
    """Where a boot sets an option: our file's ``key``, ``path`` and own value, and all ``settings``, the last wins."""

    key: str
    path: str
    option: str
    own: str | None
    settings: Sequence[Setting]

    @property
    def last(self) -> Setting | None:
        """What counts after a boot; None: no file sets it."""
        return self.settings[-1] if self.settings else None

    def change(self, wanted: str, fits: Callable[[str], bool]) -> tuple[list[Change], Setting | None]:
        """What our file needs for ``wanted``, and what somebody else's file sets after it, which cannot be outrun."""
        last = self.last
        if last is not None and fits(last["value"]):
            return [], None
        if last is not None and last["file"] != self.path and _name(last["file"]) > _name(self.path):
            return [], last
        return [change(self.key, self.option, self.own, wanted)], None


class Value(NamedTuple):
    """A value that the policy names: ``option`` of ``key`` is ``now`` and is to be ``wanted``.

    ``now`` is None where it is not known; ``path`` is where the kernel shows it. ``said`` spells a value for a person,
    ``more`` is what a person has to do beside it. ``stricter`` tells a value that does more than the policy asks for.
    """

    rule: str
    option: str
    key: str
    path: str
    now: str | None
    wanted: str
    boot: Boot
    said: Callable[[str], str] = piece
    more: str = ""
    stricter: Callable[[str], bool] = lambda _value: False

    def fits(self, value: str) -> bool:
        """Whether the policy is content. What an earlier policy had us set moves with the policy, also to less."""
        last = self.boot.last
        earlier = self.boot.own if last is not None and last["file"] == self.boot.path else None
        return value == self.wanted or (self.stricter(value) and value != earlier)


def judge(value: Value) -> Iterator[Finding]:
    """The findings of a value that does not hold now, or not after a boot, or is not known.

    Where it is not known now, it is set for the next boot alone.
    """
    wanted, now, said = value.said(value.wanted), value.now, value.said
    if now is None:
        yield unknown(value.rule, value.option, f"{value.path} is not there, or shows no value", wanted)
    cure = [] if now is None or value.fits(now) else [change(value.key, value.option, now, value.wanted)]
    at_start, winner = value.boot.change(value.wanted, value.fits)
    if cure or at_start:
        last = value.boot.last
        later = f"after a boot it is {said(last['value'])}" if last else "no file sets it at boot"
        places = (["now"] if cure else []) + ([f"in {value.boot.path}"] if at_start else [])
        if now is None:
            message = f"{value.option} is to be {wanted}, and {later}"
        elif cure:
            message = f"{value.option} is {said(now)}, wanted {wanted}"
        elif now == value.wanted:
            message = f"{value.option} is {said(now)} as wanted, but {later}"
        else:
            message = f"{value.option} is {said(now)}, stricter than the {wanted} that is wanted, but {later}"
        yield finding(
            value.rule,
            "warning",
            message,
            f"Set it {' and '.join(places)}.{value.more}",
            actual=now,
            wanted=value.wanted,
            cure=cure + at_start,
        )
    if winner:
        yield finding(
            value.rule,
            "warning",
            f"{value.option} is {said(winner['value'])} after a boot, wanted {wanted}: {winner['file']} line"
            f" {winner['line']} counts after {value.boot.path}",
            "Take the line out, or change it there.",
            file=winner["file"],
            line=winner["line"],
            actual=winner["value"],
            wanted=value.wanted,
        )


#: Why nothing is known of disks, arrays and modules.
NO_SYS = "there is no /sys/block here"


def unknown(rule: str, what: str, why: str, wanted: str) -> Finding:
    """The finding of what the policy names and nobody can tell: it is not called compliant."""
    return finding(
        rule,
        "warning",
        f"{what} is not known: {why}; the policy asks for {wanted}",
        "It was not set now. In a tree of files, add what the kernel shows; on a host, see why it cannot be read. Then"
        " run again, or give this host a policy that does not name it.",
        wanted=wanted,
    )


def at_most(wanted: str) -> Callable[[str], bool]:
    """Whether a number as text is below the wanted one: where less is more than was asked for."""
    return lambda value: value.isascii() and value.isdigit() and int(value[:20]) < int(wanted)


def _name(path: str) -> bytes:
    return os.path.basename(path).encode("utf-8", "surrogateescape")
