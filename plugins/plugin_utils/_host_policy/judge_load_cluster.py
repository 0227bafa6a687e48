# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The load of all nodes of a cluster behind an API: each is judged as a node is, and equal findings are one. Pure.

What the policy names is not set through the API, so no finding has a cure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ...module_utils._model.findings import Finding
from ...module_utils._shown import some
from . import judge_load
from .load_policy import LoadPolicy


def judge(facts: Mapping[str, Any], policy: LoadPolicy, leads: bool) -> Iterator[Finding]:
    """The findings; ``facts`` are those of ``_backends/api_load.py``. A node's own name it after their object."""
    found: dict[str, Finding] = {}
    nodes: dict[str, list[str]] = {}
    for name, own in facts["nodes"].items():
        here = {**facts, **own}
        mine = {_key(one): one for one in judge_load.judge(here, policy, False)}
        for key, one in mine.items():
            found.setdefault(key, one)
            nodes.setdefault(key, []).append(name)
        # Each node speaks for the cluster, but for the jobs that run on another one alone.
        elsewhere = tuple(
            f"job {job['id']}: " for job in facts["jobs"] if job["node"] != name and job["node"] in facts["nodes"]
        )
        for one in judge_load.judge(here, policy, True) if leads else ():
            if not one["message"].startswith(elsewhere):
                found.setdefault(_key(one), one)
    for key, one in found.items():
        yield _without_cure(one, nodes.get(key))


def _key(one: Finding) -> str:
    return json.dumps(one, sort_keys=True)


def _without_cure(one: Finding, nodes: list[str] | None) -> Finding:
    if nodes is None:
        return {**one, "cure": []}
    about, _colon, said = one["message"].partition(": ")
    where = f"on {'node' if len(nodes) == 1 else 'nodes'} {', '.join(some(nodes))}".replace(", and ", " and ")
    return {**one, "cure": [], "message": f"{about}: {where}: {said}"}
