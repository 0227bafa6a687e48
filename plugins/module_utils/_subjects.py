# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The subjects of a host: how each is read, and how its settings are set. A new subject is a line in each table."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ._host.tree import Tree
from ._settings.seam import Settings

# A module is compiled again on each run, with all that it imports: each subject's room is loaded where it is needed.
# pylint: disable=import-outside-toplevel


def _writeback(tree: Tree) -> dict[str, Any]:
    from ._writeback.read import read_facts

    return read_facts(tree)


def _load(tree: Tree) -> dict[str, Any]:
    from ._load.read import read_facts

    return read_facts(tree)


def _versions(tree: Tree) -> dict[str, Any]:
    from ._versions.read import read_facts

    return read_facts(tree)


def _queues(tree: Tree) -> dict[str, Any]:
    from ._queues.read import read_facts

    return read_facts(tree)


def _causes(tree: Tree) -> dict[str, Any]:
    from ._causes.read import read_facts

    return read_facts(tree)


def _windows(tree: Tree) -> dict[str, Any]:
    from ._versions.windows import read_facts

    return read_facts(tree)


def _load_settings(tree: Tree) -> Settings:
    from ._load.settings import LoadSettings

    return LoadSettings(tree)


def _queue_settings(tree: Tree) -> Settings:
    from ._queues.settings import QueueSettings

    return QueueSettings(tree)


def _causes_settings(tree: Tree) -> Settings:
    from ._causes.settings import CausesSettings

    return CausesSettings(tree)


#: Subject → its facts on the host, or below the root of a tree, as docs/data.md shows them.
READ: dict[str, Callable[[Tree], dict[str, Any]]] = {
    "writeback": _writeback,
    "load": _load,
    "versions": _versions,
    "queues": _queues,
    "causes": _causes,
    "windows": _windows,
}
#: Subject → its settings there. The write-back limits are set by their own module.
SETTINGS: dict[str, Callable[[Tree], Settings]] = {
    "load": _load_settings,
    "queues": _queue_settings,
    "causes": _causes_settings,
}
#: The subjects that an API tells of a cluster.
BY_API = ("load",)


def settings(tree: Tree) -> dict[str, Settings]:
    """Subject → its settings in a tree, for each subject that has some."""
    return {subject: make(tree) for subject, make in SETTINGS.items()}


def read_all(roots: Mapping[str, str], known: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """Subject → its facts, for each subject with the root to read it below; one whose root is not there is left out.

    ``known`` are texts of the live host's files that were read just now, by path.

    Raises KeyError for a subject that there is not.
    """
    found = {}
    for subject, root in roots.items():
        read = READ[subject]
        with contextlib.suppress(OSError):
            found[subject] = read(Tree(root, known if root == "/" else None))
    return found


def read_by_api(subjects: Iterable[str], api: Mapping[str, Any], node: str | None) -> dict[str, dict[str, Any]]:
    """Subject → its facts of a cluster behind an API, or of one ``node`` of it; those that no API tells are left out.

    Raises LayoutError where the API cannot be used.
    """
    if not set(subjects) & set(BY_API):
        return {}
    # Only here: what it imports takes longer than all else that reads a node.
    from ._backends import api_load
    from ._backends.api import connected
    from ._backends.layout import LayoutError
    from ._pve_api.errors import NotUsable

    try:
        return {"load": api_load.read_facts(connected(api), node)}
    except NotUsable as exc:
        raise LayoutError(str(exc)) from exc
