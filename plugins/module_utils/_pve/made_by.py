# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Whether a guest says that a tool defines it, which takes back what is changed elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

_TOOLS = {"terraform": "Terraform", "opentofu": "OpenTofu", "tofu": "OpenTofu", "pulumi": "Pulumi"}
_MANAGED = re.compile(
    r"\b(?:managed|created|provisioned|deployed)\b.{0,40}\b(terraform|opentofu|tofu|pulumi)\b", re.IGNORECASE
)
_MOST_READ = 8192


def made_by(text: str, tags: Iterable[str]) -> str | None:
    """What a config's tags or description say of the tool that defines the guest: ``Terraform, by its tag``; or None.

    Telmate's provider writes "Managed by Terraform." where nothing else is set; tags are a habit.
    """
    for tag in tags:
        if tag.lower() in _TOOLS:
            return f"{_TOOLS[tag.lower()]}, by its tag"
    found = _MANAGED.search(_description(text))
    return f"{_TOOLS[found[1].lower()]}, by its description" if found else None


def _description(text: str) -> str:
    """The guest's notes, which Proxmox VE keeps as comments before the first section."""
    main = text[:_MOST_READ].split("\n[", 1)[0]
    return " ".join(unquote(line[1:]) for line in main.split("\n") if line.startswith("#"))
