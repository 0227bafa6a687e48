# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Booleans from text that somebody else wrote. No I/O."""

from __future__ import annotations

#: The spellings that Proxmox VE takes (pve-common JSONSchema, parse_boolean); Ansible's templates make them too.
TRUE = ("1", "on", "yes", "true")
FALSE = ("0", "off", "no", "false")


def boolean(text: str) -> bool | None:
    """What a text says, in any case; None where it is no boolean."""
    lowered = text.lower()
    return True if lowered in TRUE else False if lowered in FALSE else None
