# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a gate reads without a host: a plan, or a directory of guest configs, of plans, or of both."""

from __future__ import annotations

import datetime
import os
from typing import Any

from ...module_utils._backends import domain_layout, find, layout
from ...module_utils._host import whole_file
from ...module_utils._model.findings import host_entry
from ...module_utils._model.records import Guest, Storage
from ...module_utils._pve import storage as _storage
from ...module_utils._text import plural
from .._host_policy import load_policy
from .._host_policy.load_policy import LoadPolicy
from .._policy.assess import assess
from .._policy.policy import Policy
from . import plans as _plans
from .directory import Configs, assess_directory, read_directory
from .load import add_load
from .masks import mask


def assess_root(
    root: str,
    policy: Policy,
    date: datetime.date,
    storage_cfg: str | None = None,
    source: str | None = None,
    load: LoadPolicy | None = None,
) -> list[dict[str, Any]]:
    """The findings documents of the guests that ``root`` defines: one of its configs, and one of each plan.

    The host of a guest in a plan is the plan. ``storage_cfg`` is a file with the storages of the plans, instead of the
    one in the directory; ``source`` the directory with the .tf files, instead of that of the plan. ``load`` is what the
    backups and limits of a directory are judged by; None names nothing. ``not_read`` in a document lists the files that
    are not guest configs, and the guests that a plan deletes.

    Raises layout.LayoutError where there is no guest, or something cannot be read; PolicyError.
    """
    if not root.strip():
        raise layout.LayoutError("no directory is named to read guest configs from")
    paths = _plans_of(root)
    configs = None if os.path.isfile(root) else read_directory(root, paths)
    storages = _storages(storage_cfg) if storage_cfg else (configs.storages if configs else {})
    read = [_plans.read_plan(path, root, source or os.path.dirname(path) or ".") for path in paths]
    if not any(plan.resources or plan.problems or plan.deleted for plan in read) and (not configs or configs.nothing):
        raise layout.LayoutError(_nothing(paths, configs))
    guests = _plans.guests_of(read, configs.guests if configs else [], storages)
    defined_by = _plans.named_by(read)
    for guest in configs.records["guests"] if configs else ():
        guest["made_by"] = defined_by(guest) or guest["made_by"]
    documents = [_of_plan(plan, made, policy, date) for plan, made in zip(read, guests)]
    if configs is None:
        return documents
    if configs.nothing is None or configs.records["problems"]:
        document = assess_directory(configs, policy, date)
        add_load(document, root, load or load_policy.parse(None), date)
        return [document, *documents]
    documents[0]["not_read"] += configs.not_read
    return documents


def _plans_of(root: str) -> list[str]:
    """The plans that ``root`` is or has. Raises layout.LayoutError: it cannot be read, or is a file and no plan."""
    if not os.path.isfile(root):
        return _plans_in(root)
    try:
        if _plans.is_plan(root):
            return [root]
    except layout.LayoutError:
        raise
    except OSError as exc:
        raise layout.LayoutError(f"cannot read {exc.filename or root}: {exc.strerror or exc}") from exc
    raise layout.LayoutError(
        f"{root} is a file and not a plan: name a directory, or what terraform show -json PLAN prints"
    )


def _plans_in(root: str) -> list[str]:
    if not os.path.isdir(root):
        raise layout.LayoutError(f"no directory {root}, and no file")
    try:
        # A host is not searched: its guests' configs are what counts.
        has_guests = layout.has_nodes(root) or domain_layout.folder(root) != "/"
        is_host = find.is_this_host(root) or (has_guests and os.path.isdir(layout.inside(root, "/usr/bin")))
        return [] if is_host else _plans.plan_files(root)
    except layout.LayoutError:
        raise
    except OSError as exc:
        what = exc.filename or root
        kind = "directory " if os.path.isdir(what) else ""
        raise layout.LayoutError(f"cannot read {kind}{what}: {exc.strerror or exc}") from exc


def _nothing(paths: list[str], configs: Configs | None) -> str:
    if configs and not paths:
        return str(configs.nothing)
    found = paths[0] if len(paths) == 1 else f"{plural(len(paths), 'plan')} in {os.path.dirname(paths[0])}"
    return f"no guest in {found}: it has no resource of a provider that is known here, and docs/gate.md names those"


def _storages(path: str) -> dict[str, Storage]:
    """The storages of a storage.cfg. Raises layout.LayoutError."""
    try:
        text = whole_file.read(path, layout.MAX_CONFIG_BYTES).decode("utf-8", "replace")
    except OSError as exc:
        raise layout.LayoutError(f"cannot read the storages of {path}: {exc.strerror or exc}") from exc
    storages, problems = _storage.parse(text, None, path)
    if problems:
        raise layout.LayoutError(f"{path} line {problems[0]['line']}: {problems[0]['reason']}")
    return {storage["id"]: storage for storage in storages}


def _of_plan(plan: _plans.Plan, guests: list[Guest], policy: Policy, date: datetime.date) -> dict[str, Any]:
    reading: Any = {"guests": guests, "storages": [], "nodes": [], "problems": plan.problems}
    document: dict[str, Any] = dict(assess(reading, policy, date, plan.host))
    document["hosts"] = [host_entry(plan.host)]
    document["not_read"] = _plans.deleted_words(plan)
    mask(document, plan.resources)
    return document
