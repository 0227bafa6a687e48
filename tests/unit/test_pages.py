# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The commands on the pages name playbooks and variables that are there, and the README all that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.specs import known

PROJECT = Path(__file__).resolve().parents[2]
PAGES = [PROJECT / "README.md", *PROJECT.glob("docs/*.md"), *PROJECT.glob("roles/*/README.md")]
VARIABLES = {name for names in known().values() for name in names}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(PROJECT).as_posix())
def test_a_command_names_a_playbook_and_variables_that_are_there(page):
    text = re.sub(r"\\\n\s*", " ", page.read_text("utf-8"))
    commands = re.findall(r"\bansible-playbook .*", text)
    books = {book for command in commands for book in re.findall(r"hypervisor\.io_hardening\.(\w+)", command)}
    given = {name for command in commands for name in re.findall(r"-e [\"']?(\w+)=", command)}
    assert {book for book in books if not (PROJECT / f"playbooks/{book}.yml").is_file()} == set()
    assert given - VARIABLES == set()


def test_the_readme_lists_all_content():
    there = [
        *(PROJECT / "playbooks").glob("*_*.yml"),
        *(PROJECT / "plugins/modules").glob("*.py"),
        *(path for path in (PROJECT / "roles").iterdir() if path.is_dir()),
    ]
    text = (PROJECT / "README.md").read_text("utf-8")
    names = {path.name.partition(".")[0] for path in there} - {"__init__"}
    assert {name for name in names if f"`{name}`" not in text} == set()
