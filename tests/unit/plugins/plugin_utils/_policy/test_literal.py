# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Names in selectors that are pasted: each is matched exactly, and none begins a template."""

from __future__ import annotations

import jmespath
import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._text import visible
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.literal import literal, yaml_text
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.words import driver_setting

NAMES = [
    "105",
    "it's",
    "{{ lookup('pipe','id') }}",
    '{% x %}{# y #}"`\\`',
    "a\\",
    "a\\{",
    "::error::x",
    "##vso[x]",
    "two\nlines\x7f",
    "\U0001f600 {{",
    "\U0001f600",
    "\u202e",
    "-x , y ",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_matched_exactly_and_is_no_template(name):
    made = f"guest.id == {literal(name)}"
    assert "{" not in made and "}" not in made and visible(made) == made
    pasted = yaml.safe_load(f"match: {yaml_text(made)}")["match"]
    assert jmespath.search(pasted, {"guest": {"id": name}}) is True
    assert jmespath.search(pasted, {"guest": {"id": name + "x"}}) is False


def test_the_setting_that_allows_another_driver_names_each_guest():
    (pasted,) = yaml.safe_load(driver_setting(NAMES, "migrate_controllers")).values()
    assert "{" not in pasted
    assert [jmespath.search(pasted, {"guest": {"id": name}}) for name in [*NAMES, "x"]] == [*[True] * len(NAMES), False]
