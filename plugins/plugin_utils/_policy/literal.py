# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Names from outside in selectors that a person pastes. Pure."""

from __future__ import annotations

import json
from typing import Any

from ...module_utils._text import visible

# What begins a template, ends the literal, or begins a command to a CI (see ``visible``).
_ESCAPED = {ord(char): f"\\u{ord(char):04x}" for char in "{}`:#"}


def literal(text: Any) -> str:
    """A text as a literal of JMESPath: in quotes, or as JSON with escapes.

    A selector that is pasted is a template to Ansible. So no brace stands in it, whatever the text is, and no character
    that the reports would show as an escape. A backslash would end a string in quotes wrongly.
    """
    name = str(text)
    if "\\" in name or "{" in name or visible(name) != name:
        return "`" + json.dumps(name).translate(_ESCAPED) + "`"
    return "'" + name.replace("'", "\\'") + "'"


def yaml_text(expression: str) -> str:
    """A selector as a value in YAML, in double quotes."""
    return json.dumps(expression, ensure_ascii=False)
