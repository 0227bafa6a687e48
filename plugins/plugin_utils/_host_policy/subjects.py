# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The subjects of a host: which document is about each, and what judges it. A new judge is a line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from . import (
    host_policy,
    judge_causes,
    judge_load,
    judge_load_cluster,
    judge_queues,
    judge_versions,
    judge_windows,
    load_policy,
)
from .assess import Judge


class Subject(NamedTuple):
    """What judges a subject; ``set`` says whether any of it can be set, ``asked`` whether a policy wants it read.

    ``by_api`` judges it where the host is a cluster behind an API; none: no API tells it.
    """

    judges: tuple[Judge, ...]
    set: bool = True
    asked: Callable[[Any], bool] = lambda _policy: True
    by_api: tuple[Judge, ...] = ()


class Document(NamedTuple):
    """A policy document: ``parse(document, place)`` gives the policy, or raises PolicyError."""

    parse: Callable[[Any, str], Any]
    subjects: dict[str, Subject]


#: The documents by the name of their role.
DOCUMENTS = {
    "load": Document(
        load_policy.parse,
        {
            "load": Subject((judge_load.judge,), by_api=(judge_load_cluster.judge,)),
        },
    ),
    "host": Document(
        host_policy.parse,
        {
            "queues": Subject((judge_queues.judge,)),
            "versions": Subject((judge_versions.judge,), set=False),
            "causes": Subject((judge_causes.judge,)),
            "windows": Subject((judge_windows.judge,), set=False, asked=lambda policy: policy.guest_agent),
        },
    ),
}
