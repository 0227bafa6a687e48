# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""How Sphinx builds the docs site. tests/tools/docs-site puts the pages beside a copy of this file: make docs."""

from __future__ import annotations

import zlib
from pathlib import Path

project = "hypervisor.io_hardening"
copyright = "The hypervisor.io_hardening contributors"
title = html_short_title = html_title = "hypervisor.io_hardening"

extensions = ["myst_parser", "sphinx.ext.intersphinx", "sphinx_antsibull_ext"]
exclude_patterns = ["output"]
nitpicky = True
default_role = "any"

# The same anchors as GitHub's.
myst_heading_anchors = 4
highlight_language = "none"
pygments_style = "ansible"

html_theme = "sphinx_ansible_theme"
html_theme_options = {
    # Deeper, the names of modules do not fit.
    "navigation_depth": 2,
    "show_extranav": False,
    "show_rtd_ethical_ads": False,
    "topbar_links": {"Source": "https://github.com/hypervisor/io_hardening"},
    "documentation_home_url": "index.html",
}
html_show_sphinx = False
html_use_index = False
html_copy_source = False

# The few pages of Ansible's own documentation that the reference points to. Sphinx would fetch an inventory of all of
# them for it, and the site is to be built without a network.
_ANSIBLE = "https://docs.ansible.com/projects/ansible/latest/"
_ELSEWHERE = {
    "action_plugins": ("plugins/action.html#action-plugins", "Action plugins"),
    "ansible_configuration_settings": (
        "reference_appendices/config.html#ansible-configuration-settings",
        "Ansible Configuration Settings",
    ),
    "common_return_values": ("reference_appendices/common_return_values.html#common-return-values", "Return Values"),
}


def _inventory() -> str:
    """The path of an inventory of those pages, in the format that Sphinx reads."""
    path = Path(__file__).with_name("ansible.inv")
    lines = [f"{label} std:label -1 {page} {name}\n" for label, (page, name) in _ELSEWHERE.items()]
    head = ["Sphinx inventory version 2", "Project: Ansible", "Version:", "The remainder is compressed using zlib."]
    path.write_bytes("".join(f"# {line}\n" for line in head).encode() + zlib.compress("".join(lines).encode()))
    return str(path)


intersphinx_mapping = {"ansible": (_ANSIBLE, _inventory())}
