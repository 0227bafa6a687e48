# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The next playbook's command, in the way in which this run's playbook was called. Pure."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from typing import NamedTuple

_PLAYBOOKS = {
    "audit": "audit_io",
    "gate": "gate_io",
    "harden": "harden_io",
    "limits": "harden_io",
    "restart": "restart_pending",
    "rollback": "rollback_io",
}
#: The variable that names what the playbook is about.
_ABOUT = {"harden": "guest_io_guests", "restart": "restart_match", "rollback": "rollback_run"}
#: What the make targets call it that have a name of their own for it.
_MAKE_ABOUT = {"restart": "MATCH", "rollback": "RUN"}
_TARGETS = {name: name for name in _PLAYBOOKS} | {"limits": "harden"}
_JOBS = {"audit": "audit", "gate": "gate", "harden": "harden", "restart": "restart", "rollback": "roll back"}
#: What takes the hosts' write-back limits back, and leaves the guests alone.
_LIMITS = ("--tags", "limits", "-e", "host_writeback_state=absent")
# What neither a shell nor Ansible reads as anything else, in double quotes.
_IN_QUOTES = re.compile(r"[\w ()\[\]{}',.:;=&|<>@%+/~^?*-]*\Z", re.ASCII)
# A value that Ansible takes as it stands after NAME=.
_ONE_WORD = re.compile(r"[/\w(\[][\w()\[\]',.:=&|<>@%+/~^?*-]*\Z", re.ASCII)

_PLAIN_NAME = re.compile(r"\w[\w.:@+-]*\Z", re.ASCII)


class Call(NamedTuple):
    """How the playbook of this run was called, as far as the next one is called likewise.

    ``way`` is ``ansible`` (the command ansible-playbook), ``make`` or ``job`` (of AWX). ``playbook`` is the name of a
    playbook with {} for its own part, such as ``hypervisor.io_hardening.{}`` or ``playbooks/{}.yml``. ``inventory``
    are inventories as they were given, ``limit`` the hosts, ``options`` further words, not quoted, ``hardening`` those
    that a hardening takes, so that it changes what was looked at and nothing else. ``left_out`` are extra variables
    that are not among them, and that a person gives again. ``jobs`` begins the names of the job templates.
    """

    way: str = "ansible"
    playbook: str = "hypervisor.io_hardening.{}"
    inventory: Sequence[str] = ()
    limit: str | None = None
    options: Sequence[str] = ()
    hardening: Sequence[str] = ()
    left_out: Sequence[str] = ()
    jobs: str = ""


def command(call: Call, what: str, about: str | None = None, limit: str | None = None) -> str:
    """The command, to be pasted into a shell; of a job, the name of its template.

    ``what`` is audit, gate, harden, limits (take the hosts' write-back limits back), restart or rollback; ``about`` is
    the only guest to harden, the selector of a restart, or the run of a rollback; ``limit`` are the hosts in place of
    the call's own.
    """
    if call.way == "job":
        return f"{call.jobs}{_JOBS[what]}" if call.jobs else _PLAYBOOKS[what]
    limit = limit or call.limit
    own = {"harden": call.hardening, "limits": _LIMITS}.get(what, ())
    words = [*(["-l", limit] if limit else []), *call.options, *own]
    if call.way == "make":
        return _make(call, what, about, words)
    inventories = [word for path in call.inventory for word in ("-i", path)]
    words = ["ansible-playbook", *inventories, *words, call.playbook.format(_PLAYBOOKS[what])]
    return " ".join(map(quoted, [*words, *_about(what, about)]))


def _about(what: str, about: str | None) -> list[str]:
    if about is None:
        return []
    return ["-e", _only([about]) if what == "harden" else variable(_ABOUT[what], about)]


def _only(guests: Sequence[str]) -> str:
    name, named = _ABOUT["harden"], guest_list(guests)
    return f'{{"{name}": {named}}}' if named.startswith("[") else f"{name}={named}"


def guest_list(guests: Sequence[str]) -> str:
    """Guests as the value of guest_io_guests: with commas, or as a list in YAML where a name is more than a word.

    A name may have commas, and a brace in it must not begin a template.
    """
    if all(map(_PLAIN_NAME.match, guests)):
        return ",".join(guests)
    return f"[{', '.join(f'!unsafe {json.dumps(guest, ensure_ascii=False)}' for guest in guests)}]"


def _make(call: Call, what: str, about: str | None, words: Sequence[str]) -> str:
    """The Makefile takes one inventory; the others are among the arguments."""
    first, others = call.inventory[:1], call.inventory[1:]
    words = [*(word for path in others for word in ("-i", path)), *words]
    given = {"INVENTORY": first[0] if first else ""}
    if what in _MAKE_ABOUT:
        given[_MAKE_ABOUT[what]] = about or ""
    else:
        words += _about(what, about)
    given["ARGS"] = " ".join(map(quoted, words))
    # A dollar is make's own.
    settings = [f"{name}={quoted(value.replace('$', '$$'))}" for name, value in given.items() if value]
    return " ".join(["make", _TARGETS[what], *settings])


def variable(name: str, value: str) -> str:
    """NAME=VALUE, or JSON where Ansible would take that for several words or another value."""
    stands = _ONE_WORD.match(value) and value.count("'") % 2 == 0
    return f"{name}={value}" if stands else json.dumps({name: value}, ensure_ascii=False)


def quoted(word: str) -> str:
    """A word for the shell: in double quotes where these are easier to read than what shlex makes of single ones."""
    return f'"{word}"' if "'" in word and _IN_QUOTES.match(word) else shlex.quote(word)
