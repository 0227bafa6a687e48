# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Waivers in a file of their own, read as data.

Who may propose a waiver may not run code: a file given to Ansible with ``-e @`` may set any variable, and its
values are templates.
"""

from __future__ import annotations

from typing import Any

try:
    import yaml
except ImportError:  # ansible-core brings it to the controller, where alone this is called
    yaml = None

from .errors import PolicyError

#: The variable that names the file, and what its waivers are called in errors.
VARIABLE = "guest_io_waivers_file"


def load(path: str | None) -> tuple[str, Any] | None:
    """What the waivers of the file are called in errors, and the list itself; None where no file is named.

    An empty file holds none. Raises PolicyError where it cannot be read or is no YAML; what is in the list is not looked at.
    """
    if not path:
        return None
    place = f"{VARIABLE} {path}"
    try:
        with open(path, encoding="utf-8") as stream:
            return place, yaml.safe_load(stream)
    except OSError as exc:
        raise PolicyError(place, f"cannot be read: {exc.strerror}") from exc
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        mark = getattr(exc, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        raise PolicyError(place + where, f"is no YAML: {getattr(exc, 'problem', None) or exc}") from exc
