# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What was set, as Ansible shows differences. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from .._text import visible
from .apply import told
from .seam import SettingsResult


def diff(results: Iterable[SettingsResult]) -> list[dict[str, str]]:
    """One difference per object that was changed."""
    return [
        {
            "before_header": result["key"],
            "after_header": result["key"],
            "before": "".join(f"{made['option']}: {visible(told(made['before']))}\n" for made in result["changes"]),
            "after": "".join(f"{made['option']}: {visible(told(made['after']))}\n" for made in result["changes"]),
        }
        for result in results
        if result["status"] == "changed"
    ]
