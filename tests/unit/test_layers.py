# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Library code names no variable of a role or a playbook: whoever calls a module or filter alone has no such variable."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parents[2]
ROOMS = (
    "plugin_utils/_policy",
    "plugin_utils/_fleet",
    "plugin_utils/_render",
    "plugin_utils/_sources",
    "module_utils/_model",
    "module_utils/_backends",
    "module_utils/_writeback/findings.py",
)


def variables():
    """The variables of the roles, and those of the playbooks."""
    for specs in PROJECT.glob("roles/*/meta/argument_specs.yml"):
        for entry in yaml.safe_load(specs.read_text())["argument_specs"].values():
            yield from entry["options"]
    for playbook in PROJECT.glob("playbooks/**/*.yml"):
        yield from re.findall(r"\b(?:restart|rollback|report|gate|prove_io)_[a-z_]+\b", playbook.read_text())


def strings(path):
    tree = ast.parse(path.read_text())
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        (path.name, node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs
    ]


def test_no_sentence_of_library_code_names_a_variable():
    # What is a key of the data as well, and a module's name.
    names = set(variables()) - {"restart_pending", "guest_io", "host_writeback"}
    assert {"guest_io_migrate_controllers", "host_writeback_take_over", "restart_ha_managed", "report_html"} <= names
    files = [path for room in ROOMS for path in sorted((PROJECT / "plugins" / room).glob("**/*.py"))]
    files += [PROJECT / "plugins" / room for room in ROOMS if room.endswith(".py")]
    named = re.compile(r"\b(?:" + "|".join(sorted(names)) + r")\b")
    assert [found for path in files for found in strings(path) if named.search(found[2])] == []
