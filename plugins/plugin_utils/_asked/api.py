# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Hosts of an inventory that stand for a cluster behind an API, as a run is asked for them. Pure.

What such a host is reached by holds a secret: no sentence shows it, nor what may have been meant to be it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from .specs import SECRET as API

#: The other variable of such a host.
JOURNAL = "io_hardening_journal"

_NEEDED = ("url", "token_id", "token_secret")
_KEYS = (*_NEEDED, "ca_path", "validate_certs", "timeout", "write_unseen", "monitor")

#: What the variable takes, in words.
TAKES = f"a dictionary of {', '.join(_NEEDED)} and, where they are needed, {', '.join(_KEYS[len(_NEEDED) :])}"

_ONLY_READ = (
    "read through the API: what the policy names is set by ssh alone, and mounts, scrubs, lines that are not in force"
    " and fleecing images that were left are not known"
)


def is_api(value: Any) -> bool:
    """Whether a value may be how an API is reached. Its module checks the rest."""
    return isinstance(value, Mapping) and all(value.get(key) for key in _NEEDED) and set(value) <= set(_KEYS)


def without_journal(of_hosts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A sentence for the first host behind an API that names no directory of a journal; hosts have their variables."""
    hosts = [host for host, variables in of_hosts.items() if variables.get(API) and not variables.get(JOURNAL)]
    if not hosts:
        return []
    return [
        f"{JOURNAL} is not set for {hosts[0]}: what is written through its API is noted on the machine that the"
        " playbook runs on. It takes the absolute path of a directory that is there after the run"
    ]


def needs_ssh(subject: str) -> dict[str, Any]:
    """The assessment of a host's own subject where the host is a cluster behind an API."""
    return {
        "subject": subject,
        "findings": [],
        "plan": None,
        "status": "needs_ssh",
        "changed": False,
        "waivers": [],
        "detail": (
            "reached through the API, which tells nothing of a node's own settings, of its files and of the command"
            " lines of guests"
        ),
    }


def only_read(assessment: Mapping[str, Any], nodes: Collection[str]) -> dict[str, Any]:
    """The assessment of a subject that the API tells, and does not set; ``nodes`` are those that were read."""
    if not nodes:
        return {**assessment, "detail": f"{assessment['detail']}; nothing of it was read through the API"}
    return {**assessment, "detail": f"{assessment['detail']}; {_ONLY_READ}"}
