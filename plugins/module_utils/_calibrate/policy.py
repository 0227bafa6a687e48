# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The policies that say what was chosen, in the shape that roles io_host and io_load take. Pure."""

from __future__ import annotations

from typing import Any

from .candidates import Candidate

Policy = dict[str, Any]

_MIB = 1 << 20


def _rate(mb_per_s: float) -> str:
    """10^6 bytes per second as a policy writes them, rounded down."""
    return f"{max(1, int(mb_per_s * 1e6 / _MIB))} MiB/s"


def policies(chosen: dict[str, Candidate], facts: dict[str, Any], fleecing_storage: str | None) -> dict[str, Policy]:
    """{io_host_policy, io_load_policy}, each only where there is something to set.

    ``chosen`` is {load: candidate} of the loads for which one holds; ``facts`` are those of disk.facts().
    """
    disks: Policy = {}
    for candidate in chosen.values():
        for disk in facts["disks"]:
            if candidate["queue"]:
                disks.setdefault(disk["id"] or disk["name"], {}).update(candidate["queue"])
        device = facts["device"]
        if candidate["dirty"] and device:
            of = disks.setdefault(device["id"] or device["name"], {})
            of["max_bytes"] = f"{candidate['dirty']['max_bytes'] // _MIB} MiB"
            if "strict_limit" in candidate["dirty"]:
                of["strict_limit"] = True
    load: Policy = {}
    backup = chosen["backup"]["backup"] if "backup" in chosen else {}
    if backup:
        load["backup"] = {
            **({"max_workers": backup["max_workers"]} if "max_workers" in backup else {}),
            **({"bwlimit": _rate(backup["rate_mb_per_s"])} if "rate_mb_per_s" in backup else {}),
            **({"fleecing": fleecing_storage} if "fleecing" in backup else {}),
        }
    if "restore" in chosen and chosen["restore"]["load_mb_per_s"]:
        load["limits"] = {"restore": _rate(chosen["restore"]["load_mb_per_s"])}
    found = {"io_host_policy": {"disks": disks} if disks else {}, "io_load_policy": load}
    return {name: policy for name, policy in found.items() if policy}


def _inline(values: dict[str, Any]) -> str:
    words = {True: "true", False: "false"}
    return (
        "{"
        + ", ".join(f"{key}: {words[value] if isinstance(value, bool) else value}" for key, value in values.items())
        + "}"
    )


def as_text(found: dict[str, Policy]) -> list[str]:
    """The policies as YAML, to paste into the variables of the host."""
    out = []
    for name, policy in found.items():
        out.append(f"{name}:")
        for key, value in policy.items():
            if key == "disks":
                out += ["  disks:", *(f"    {disk}: {_inline(values)}" for disk, values in value.items())]
            else:
                out.append(f"  {key}: {_inline(value)}")
    return out
