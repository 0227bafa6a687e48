# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The settings of Proxmox VE that a plan for the load sets: their names, and their texts as they are stored.

``vzdump.conf`` and ``job ID`` have the options bwlimit, ionice, performance and fleecing, ``datacenter`` and
``storage ID`` the option bwlimit. Other sub-keys of a text are kept, in their order.
"""

from __future__ import annotations

from collections.abc import Mapping

from .property_string import BWLIMIT, FLEECING, PERFORMANCE, Format, FormatFault, parse, spelled

VZDUMP = "vzdump.conf"
DATACENTER = "datacenter"


def job(name: str) -> str:
    """The key of a job."""
    return f"job {name}"


def storage(name: str) -> str:
    """The key of a storage."""
    return f"storage {name}"


def performance(before: str | None, workers: int) -> str:
    """``performance`` with another max-workers."""
    return spelled({**_kept(before, PERFORMANCE), "max-workers": str(workers)})


def fleecing(before: str | None, storage_id: str, of_job: bool) -> str:
    """``fleecing`` onto a storage, "" for none. A job's is as jobs.cfg has it, which leaves ``enabled=`` out."""
    texts = {**_kept(before, FLEECING), "enabled": "1" if storage_id else "0"}
    if storage_id:
        texts["storage"] = storage_id
    enabled = texts.pop("enabled")
    rest = spelled(texts)
    first = enabled if of_job else f"enabled={enabled}"
    return f"{first},{rest}" if rest else first


def bwlimit(before: str | None, limits: Mapping[str, int]) -> str:
    """The limits of operations, in KiB/s, put into a ``bwlimit`` of datacenter.cfg or of a storage."""
    return spelled({**_kept(before, BWLIMIT), **{key: str(kib) for key, kib in limits.items()}})


def _kept(before: str | None, form: Format) -> dict[str, str]:
    """The sub-keys there are; none of a text that Proxmox VE does not take, for it has no effect."""
    try:
        return parse(before or "", form)
    except FormatFault:
        return {}
