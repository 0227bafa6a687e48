# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What limits backups, restores and moves in a directory: vzdump.conf, jobs.cfg, datacenter.cfg and storage.cfg of a
tree, read and judged beside its guests.
"""

from __future__ import annotations

import datetime
import os
from typing import Any

from ...module_utils._backends import layout
from ...module_utils._host.tree import Tree
from ...module_utils._load.read import read_facts
from ...module_utils._model.findings import assessment
from .._host_policy.assess import Case, assess
from .._host_policy.load_policy import LoadPolicy
from .._host_policy.subjects import DOCUMENTS

SUBJECT = "load"


def add_load(document: dict[str, Any], root: str, policy: LoadPolicy, date: datetime.date) -> None:
    """Put the findings about the load of ``root`` into its findings document, and the waivers of ``policy``.

    Their host is the node whose files they are, where that is known. Raises PolicyError.
    """
    place = layout.etc_pve(root)
    facts = read_facts(Tree(root), place if os.path.isdir(layout.inside(root, place)) else "")
    node = facts["node"]
    judges = DOCUMENTS[SUBJECT].subjects[SUBJECT].judges
    assessed = assess(Case(SUBJECT, facts, policy, node), judges, date)
    document["findings"] += [
        {**one, "file": layout.inside(root, one["file"]) if one["file"] else None} for one in assessed["findings"]
    ]
    document["waivers"] += assessed["waivers"]
    for entry in document.get("hosts", ()):
        if entry["host"] == node:
            entry["assessments"].append(
                assessment(subject=SUBJECT, **{key: assessed[key] for key in ("status", "changed", "detail")})
            )
