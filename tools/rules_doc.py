# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""docs/rules.md from the rules themselves: `tools/in-venv run env PYTHONPATH=build/collections python
tools/rules_doc.py > docs/rules.md`.
"""

from __future__ import annotations

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy import defects
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

DEFECTS = """
## Known defects

Versions with a revision (`8.1.5-2`) are those of Proxmox VE's packages; other builds have patches of their own.
The policy's [`accept_defects`](policy.md#known-defects-of-qemu) takes the ids of QEMU's.
"""
COLUMNS = "| id | versions | what it hits | what happens | source |\n| --- | --- | --- | --- | --- |\n"


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
    parts.append(DEFECTS)
    for title, known in (("QEMU", defects.QEMU), ("Kernel", defects.KERNEL), ("virtio-win", defects.VIRTIO_WIN)):
        parts.append(f"\n### {title}\n\n{COLUMNS}")
        parts.extend(_row(defect) for defect in known.values())
    return "".join(parts)


def _row(defect: defects.Defect) -> str:
    since = f"{defect.since} to below {defect.fixed}" if defect.since else f"below {defect.fixed}"
    hits = defect.hits.words if defect.hits else "all"
    return f"| `{defect.id}` | {since} | {hits} | {defect.effect} | {defect.source.rstrip('.')} |\n"


if __name__ == "__main__":
    print(document(), end="")
