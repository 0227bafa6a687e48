# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Other causes of freezes on a host, IO501 to IO510 (docs/causes.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...module_utils._model.findings import Finding
from . import (
    judge_causes_lvm,
    judge_causes_md,
    judge_causes_memory,
    judge_causes_nfs,
    judge_causes_wbt,
    judge_causes_zfs,
)
from .host_policy import HostPolicy


def judge(facts: Mapping[str, Any], policy: HostPolicy, _leads: bool) -> list[Finding]:
    """The findings of ``_causes/read.py``'s facts; all of them are the host's own, whether it leads or not."""
    subjects = (
        judge_causes_memory,
        judge_causes_zfs,
        judge_causes_lvm,
        judge_causes_nfs,
        judge_causes_md,
        judge_causes_wbt,
    )
    return [one for subject in subjects for one in subject.judge(facts, policy)]
