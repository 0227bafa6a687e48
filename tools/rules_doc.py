# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""docs/rules.md from the rules themselves: `tools/in-venv run env PYTHONPATH=build/collections python
tools/rules_doc.py > docs/rules.md`.
"""

from __future__ import annotations

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.rules import RULES

HEAD = """\
<!--
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
-->

# The rules

Made from `plugins/plugin_utils/_policy/rules.py` by `tools/rules_doc.py`.
"Bug" is [kernel bug 199727](https://bugzilla.kernel.org/show_bug.cgi?id=199727) with a comment's number.
How the figures were measured, and how to repeat them on your own storage: [evidence.md](evidence.md).

An **error** can freeze a guest, keep it from starting or lose its data; a **warning** is not as the policy wants it; a **note** is worth knowing.
The severity named here is the usual one; a finding's own follows its evidence.
"""  # noqa: E501


def document() -> str:
    """The whole text."""
    parts = [HEAD]
    for rule in RULES.values():
        parts.append(f"\n## {rule.id} {rule.title}\n\n**{rule.severity}.** {rule.reason}\n\n")
        parts.append(f"- Source: {rule.source}\n")
        if rule.evidence:
            parts.append(f"- Measured: {rule.evidence}\n")
        if rule.dissent:
            parts.append(f"- Other view: {rule.dissent}\n")
    return "".join(parts)


if __name__ == "__main__":
    print(document(), end="")
