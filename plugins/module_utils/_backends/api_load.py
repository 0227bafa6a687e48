# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What decides the load of a cluster's nodes, as Proxmox VE's API tells it: the facts of ``_load/read.py``.

Answers become the texts of the files that they are made of, and go through the same parsers. The API does not tell what
is mounted, what runs on a schedule, which lines of a file are not in force, and which fleecing images were left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .._load import effective, guests, identity, jobs_cfg, limits, storages, vzdump_conf
from .._load.options import CHECKS
from .._model.records import Problem, problem
from .._pve import answer
from .._pve_api.connection import segment
from .._pve_api.errors import ApiError, NotUsable
from .._pve_api.permissions import LOAD
from .api_cluster import STORAGE_CFG, Cluster
from .layout import LayoutError

_JOBS_CFG = "/etc/pve/jobs.cfg"
_CRON = "/etc/pve/vzdump.cron"
_DATACENTER_CFG = "/etc/pve/datacenter.cfg"

#: What vzdump does where its file says nothing. The API gives it in the file's place, and does not tell them apart.
_DEFAULTS = {
    "bwlimit": str(effective.BWLIMIT),
    "ionice": str(effective.IONICE),
    "mode": effective.MODE,
    "performance": f"max-workers={effective.MAX_WORKERS}",
    "fleecing": "enabled=0",
}
#: Of a job: what the API adds, and what it tells of one of the old vzdump.cron.
_NO_PROPERTY = ("id", "type", "digest", "next-run", "dow", "starttime")


def read_facts(cluster: Cluster, node: str | None) -> dict[str, Any]:
    """The facts of docs/data.md, "Load of a cluster behind an API", of one node alone or, without ``node``, of all.

    Where the token may not see them, or the API does not answer, they are empty and have one problem.
    """
    try:
        cluster.require(LOAD, None)
        return _facts(cluster, node)
    except NotUsable:
        raise
    except (ApiError, LayoutError) as exc:
        return {**_empty(), "problems": [problem(_JOBS_CFG, str(exc))]}


def _empty() -> dict[str, Any]:
    return {
        "root": "/",
        "live": True,
        "pve": "/etc/pve",
        "node": None,
        "cluster": None,
        "version": None,
        "vzdump": None,
        "jobs": [],
        "ignored": [],
        "datacenter": limits.parse_datacenter(None, _DATACENTER_CFG),
        "storages": None,
        "dumpdirs": None,
        "guests": guests.read([], []),
        "pools": None,
        "maintenance": [],
        "problems": [],
        "nodes": {},
    }


def _facts(cluster: Cluster, node: str | None) -> dict[str, Any]:
    states = cluster.node_states()
    rows = cluster.once("/cluster/resources", type="vm")
    members, addresses = cluster.members()
    asked = [name for name in sorted(states) if node in (None, "all", name)]
    said = cluster.each(
        lambda name: "it is offline" if states[name] == "offline" else _vzdump(cluster, name),
        asked,
    )
    text = answer.storage_cfg(cluster.once("/storage"))
    problems: list[Problem] = []
    nodes = {}
    for name, found in zip(asked, said):
        if isinstance(found, str):
            problems.append(problem(vzdump_conf.PATH, f"node {name} does not answer: {found}", node=name))
        nodes[name] = _of_node(name, None if isinstance(found, str) else found, text, rows, addresses.get(name))
    return {
        **_empty(),
        "cluster": {"name": members, "nodes": sorted(states), "node": None} if members else None,
        "version": str(cluster.once("/version").get("version")),
        "jobs": _jobs(cluster.once("/cluster/backup")),
        "datacenter": _datacenter(cluster.once("/cluster/options")),
        "storages": _storages(text, set()),
        "problems": problems,
        "nodes": nodes,
    }


def _of_node(
    name: str, vzdump: dict[str, Any] | None, text: str, rows: Iterable[Mapping[str, Any]], address: str | None
) -> dict[str, Any]:
    """What is a node's own of the facts."""
    own = {*identity.own_names(name, None, None, None), *([address] if address else [])}
    found = _storages(text, own)
    servers = {server for one in found for server in one["servers"] if server not in own}
    here = [_config(row) for row in rows if row.get("node") == name]
    return {"node": name, "vzdump": vzdump, "storages": found, "guests": guests.read(here, servers)}


def _config(row: Mapping[str, Any]) -> guests.Config:
    """A guest as the cluster's resources tell it, in the words of a config: its name, and whether it is a template."""
    kind, guest = str(row.get("type")), str(row["vmid"])
    folder = "qemu-server" if kind == "qemu" else kind
    text = f"name: {row.get('name', '')}\n" + ("template: 1\n" if row.get("template") in (1, "1", True) else "")
    return guests.Config(guest, kind, f"/etc/pve/nodes/{row.get('node')}/{folder}/{guest}.conf", text)


def _vzdump(cluster: Cluster, node: str) -> dict[str, Any] | str:
    """What vzdump does on a node where a job says nothing; a sentence where the node does not answer."""
    try:
        said = cluster.api.get(f"/nodes/{segment(node)}/vzdump/defaults")
    except NotUsable:
        raise
    except ApiError as exc:
        return str(exc)
    texts = {key: _text(value) for key, value in said.items() if key in CHECKS}
    if "performance" in texts:
        # Of its sub-keys, which all have their defaults in the answer, only this one is about guests.
        parts = texts["performance"].split(",")
        texts["performance"] = ",".join(part for part in parts if part.startswith("max-workers="))
    if "storage" in texts:
        texts.pop("dumpdir", None)
    lines = [f"{key}: {text}" for key, text in texts.items() if text != _DEFAULTS.get(key)]
    return {**vzdump_conf.parse("\n".join(lines)), "lines": {}, "ignored": []}


def _jobs(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    text = ""
    old = {str(row["id"]) for row in rows if row.get("type") != "vzdump"}
    for row in rows:
        text += f"vzdump: {row['id']}\n"
        for key, value in row.items():
            if key not in _NO_PROPERTY and not isinstance(value, list):
                text += f"\t{key} {_text(value)}\n"
        text += "\n"
    found, _lines = jobs_cfg.parse(text, _JOBS_CFG)
    without: dict[str, Any] = {"line": None, "lines": {}, "ignored": []}
    return [
        {**job, **without, "old": job["id"] in old, "file": _CRON if job["id"] in old else _JOBS_CFG} for job in found
    ]


def _datacenter(said: Mapping[str, Any]) -> dict[str, Any]:
    text = f"bwlimit: {_text(said['bwlimit'])}" if said.get("bwlimit") else ""
    return {**limits.parse_datacenter(text, _DATACENTER_CFG), "line": None, "ignored": []}


def _storages(text: str, own: set[str]) -> list[dict[str, Any]]:
    found, _problems = storages.read(text, STORAGE_CFG, None, [], own)
    return [{**one, "line": None} for one in found]


def _text(value: Any) -> str:
    """A value as its file has it, in one line: sub-keys as a property string, a boolean as 1 or 0."""
    if isinstance(value, Mapping):
        return ",".join(f"{key}={_text(one)}" for key, one in value.items())
    return str(int(value)) if isinstance(value, bool) else " ".join(str(value).split())
