# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The load of a host, IO3xx: what each judge of it finds. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...module_utils._model.findings import Finding
from . import (
    judge_load_fleecing,
    judge_load_ignored,
    judge_load_limits,
    judge_load_targets,
    judge_load_values,
    judge_load_windows,
)
from .load_policy import LoadPolicy

_JUDGES = (
    judge_load_fleecing.judge,
    judge_load_values.judge,
    judge_load_limits.judge,
    judge_load_targets.judge,
    judge_load_windows.judge,
    judge_load_ignored.judge,
)


def judge(facts: Mapping[str, Any], policy: LoadPolicy, leads: bool) -> Iterator[Finding]:
    """The findings; ``facts`` are those of ``_load/read.py``. A host without Proxmox VE has none of this load."""
    files = [facts["vzdump"] and facts["vzdump"]["file"], facts["datacenter"]["file"], facts["storages"], facts["jobs"]]
    if facts["version"] is None and not any(files):
        return
    for find in _JUDGES:
        yield from find(facts, policy, leads)
