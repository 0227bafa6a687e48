# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""How long each call took on the recorded host, in seconds: the median of its exchanges that succeeded."""

from __future__ import annotations

import re

RECORDED = (
    (r"GET /access/permissions", 0.005),
    (r"GET /version", 0.036),
    (r"GET /nodes$", 0.017),
    (r"GET /cluster/resources", 0.017),
    (r"GET /storage", 0.011),
    (r"GET /nodes/[^/]+/storage", 6.636),  # two of the storages did not answer
    (r"GET /nodes/[^/]+/qemu$", 0.083),
    (r"GET /nodes/[^/]+/qemu/\d+/config", 0.012),
    (r"GET /nodes/[^/]+/qemu/\d+/pending", 0.013),
    (r"GET /nodes/[^/]+/qemu/\d+/status/current", 0.029),
    (r"GET /nodes/[^/]+/tasks/", 0.027),
    (r"PUT /nodes/[^/]+/qemu/\d+/config", 0.203),  # the controller and two disks at once
    (r"POST /nodes/[^/]+/qemu/\d+/config", 0.058),
    (r"POST /nodes/[^/]+/qemu/\d+/status/", 0.070),
)


def recorded(call: str) -> float:
    """What ``METHOD /path`` took; 0.02 where it was not recorded."""
    return next((seconds for pattern, seconds in RECORDED if re.match(pattern, call)), 0.02)
