# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""LVM: thin pools that are nearly full."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...module_utils._model.findings import Finding, finding
from ...module_utils._shown import piece
from .host_policy import HostPolicy

# So little is left that a backup's snapshot or one restore fills it.
_FULL = 95


def judge(facts: Mapping[str, Any], policy: HostPolicy) -> Iterator[Finding]:
    """IO505."""
    most = policy.thin_pool_percent
    for pool in facts["thin_pools"]:
        parts = {"data": pool["data_percent"], "metadata": pool["metadata_percent"]}
        above = {name: value for name, value in parts.items() if value is not None and value >= most}
        if above:
            said = " and ".join(f"{value:g} % of its {name}" for name, value in above.items())
            yield finding(
                "IO505",
                "error" if max(above.values()) >= _FULL else "warning",
                f"thin pool {piece(pool['name'])}: {said} is used, {most} % is the limit; when it is full, every write"
                " of every guest on it waits, and then fails",
                "Extend it (lvextend), also its metadata (lvextend --poolmetadatasize), or free some: remove guests and"
                " snapshots, and run fstrim in guests whose disks have discard=on.",
                actual=above,
                wanted=most,
            )
