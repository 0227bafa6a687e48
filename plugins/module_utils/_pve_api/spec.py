# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a module takes to reach an API. Apart, because every module call of every host imports it."""

from __future__ import annotations

from typing import Any

#: A module's option ``api``.
API: dict[str, Any] = {
    "type": "dict",
    "options": {
        "url": {"type": "str", "required": True},
        "token_id": {"type": "str", "required": True, "no_log": False},
        "token_secret": {"type": "str", "required": True, "no_log": True},
        "ca_path": {"type": "path"},
        "validate_certs": {"type": "bool", "default": True},
        "timeout": {"type": "int", "default": 60},
        "write_unseen": {"type": "bool", "default": False},
        "monitor": {"type": "bool", "default": False},
    },
}
