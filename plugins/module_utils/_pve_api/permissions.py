# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a token may do, as ``/access/permissions`` tells it, and how it is given more. Pure.

A list of Proxmox VE leaves out what a token may not see, without a word. So this is looked at first.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from typing import NamedTuple

from .._shown import some

#: Path → privilege → whether it holds for what is below the path as well.
Permissions = Mapping[str, Mapping[str, int]]


class Purpose(NamedTuple):
    """What a run does: the privileges that it needs on guests, on storages and on nodes, and a role that has them.

    ``own`` is False where Proxmox VE has the role already. Recorded: which privilege makes which call succeed.
    """

    does: str
    guests: tuple[str, ...]
    others: tuple[tuple[str, str], ...]
    role: str
    own: bool = True


#: A node says only to who has Sys.Audit which QEMU it has installed, and without that no iothread is given: an old one
#: has a defect.
READ = Purpose(
    "read", ("VM.Audit",), (("Datastore.Audit", "/storage"), ("Sys.Audit", "/nodes")), "PVEAuditor", own=False
)
#: Without Sys.Audit on / the limits of the cluster are left out of the answer, without a word, and jobs are refused.
LOAD = Purpose(
    "read backup jobs and limits",
    (),
    (("Sys.Audit", "/"), ("Sys.Audit", "/nodes"), ("Datastore.Audit", "/storage")),
    "PVEAuditor",
    own=False,
)
WRITE = Purpose("write", ("VM.Config.Disk", "VM.Config.HWType"), (), "GuestIOWrite")
#: On Proxmox VE 9; 8 wants VM.Monitor, which 9 no longer has, and says so when it is asked.
MONITOR = Purpose("ask the QEMU of", ("Sys.Audit",), (), "PVEAuditor", own=False)
RESTART = Purpose("restart", ("VM.PowerMgmt",), (), "GuestIORestart")


def may(permissions: Permissions, path: str, privilege: str) -> bool:
    """Whether a privilege holds for a path and for all below it, its own or one that it inherits."""
    place, inherited = path, False
    while True:
        held = permissions.get(place)
        if held is not None:
            return held.get(privilege) == 1 or (not inherited and place.count("/") > 1 and privilege in held)
        if place == "/":
            return False
        place, inherited = place.rpartition("/")[0] or "/", True


def refusal(permissions: Permissions, token_id: str, purpose: Purpose, guests: Collection[str] | None) -> str | None:
    """The sentence for what a token lacks, for these guests or, where that is None, for all; None where nothing."""
    missing: dict[str, list[str]] = {}
    for path in ["/vms"] if guests is None else [f"/vms/{guest}" for guest in sorted(guests, key=int)]:
        for privilege in purpose.guests:
            if not may(permissions, path, privilege):
                missing.setdefault(privilege, []).append(path)
    for privilege, path in purpose.others:
        if not may(permissions, path, privilege):
            missing.setdefault(privilege, []).append(path)
    if not missing:
        return None
    lacks = ", ".join(f"{privilege} on {', '.join(some(paths))}" for privilege, paths in missing.items())
    unseen = "; what it may not see, Proxmox VE leaves out without a word" if purpose is READ else ""
    what = f" {_what(guests)}" if purpose.guests else ""
    return (
        f"the token {token_id} may not {purpose.does}{what}: it lacks {lacks}{unseen}. As root on a node:"
        f" {_command(token_id, purpose)}"
    )


def _what(guests: Collection[str] | None) -> str:
    if guests is None:
        return "all guests"
    return f"guest{'' if len(guests) == 1 else 's'} {', '.join(some(sorted(guests, key=int)))}"


def _command(token_id: str, purpose: Purpose) -> str:
    """What grants it. The token's user gets it too: a token with privileges of its own may do only what both may."""
    user = token_id.partition("!")[0]
    path = "/" if purpose.others else "/vms"
    to = "" if user == "root@pam" else f" --users {shlex.quote(user)}"
    grant = f"pveum acl modify {path} --roles {purpose.role}{to} --tokens {shlex.quote(token_id)}"
    return f"pveum role add {purpose.role} --privs {','.join(purpose.guests)}; {grant}" if purpose.own else grant
