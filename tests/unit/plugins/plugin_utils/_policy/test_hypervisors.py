# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The policy speaks of causes; each hypervisor's own words are in its own room."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve import hints as pve
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy import defects
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.hypervisors import NEUTRAL
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.rules import RULES

from .fleet import judge

PLUGINS = Path(__file__).resolve().parents[5] / "plugins"
POLICY = PLUGINS / "plugin_utils/_policy"
WORDS = re.compile(r"\bqm\b|scsihw|Proxmox|storage\.cfg|qemu-server|virsh|libvirt", re.IGNORECASE)

QEMU = {"running": "10.1.2", "installed": "10.1.2"}


def strings(path):
    """(line, text) of the strings in a file that are not docstrings."""
    tree = ast.parse(path.read_text())
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


@pytest.mark.parametrize("path", sorted(POLICY.glob("*.py")), ids=lambda path: path.stem)
def test_no_sentence_names_a_hypervisors_command_or_config_key(path):
    if path.stem not in ("rules", "defects"):
        # A hypervisor's name alone is what a record says.
        said = [(line, text) for line, text in strings(path) if WORDS.search(text) and text != "libvirt"]
        assert said == []


def test_a_rule_names_them_in_its_sources_only():
    """Backups and the like, IO3xx, are Proxmox VE's own."""
    said = [rule.id for rule in RULES.values() if WORDS.search(f"{rule.title} {rule.reason} {rule.dissent}")]
    assert [rule for rule in said if not rule.startswith("IO3")] == []


def test_a_defect_names_them_in_its_source_only():
    known = [*defects.QEMU.values(), *defects.KERNEL.values(), *defects.VIRTIO_WIN.values()]
    said = [one.id for one in known if WORDS.search(f"{one.effect} {one.hits} {one.evidence}")]
    assert len(known) > 10 and said == []


def test_one_file_of_the_room_knows_the_hypervisors():
    imports = re.compile(r"from \S*module_utils\._(pve|libvirt|backends)\b")
    assert [path.stem for path in sorted(POLICY.glob("*.py")) if imports.search(path.read_text())] == ["hypervisors"]


def test_a_hypervisor_has_words_for_known_causes_and_with_known_facts():
    def facts(text):
        return {name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name}

    assert set(pve.HINTS) <= set(NEUTRAL)
    calls = "".join(path.read_text() for path in POLICY.glob("judge_*.py"))
    for cause, text in NEUTRAL.items():
        assert f'"{cause}"' in calls, f"nothing asks for {cause}"
        for fact in facts(text) | facts(pve.HINTS.get(cause, "")):
            assert re.search(rf'hint\([^()]*(\([^()]*\))*[^()]*"{cause}"[^)]*\b{fact}=', calls), f"{cause} lacks {fact}"


@pytest.mark.parametrize(
    ("hypervisor", "words"),
    [("pve", "Set scsihw=virtio-scsi-single."), ("xen", "Give each of its disks a virtio-scsi controller of its own")],
)
def test_the_guests_hypervisor_chooses_the_words(hypervisor, words):
    found = judge("scsihw: virtio-scsi-pci\nscsi0: local:1/d.raw\n", hypervisor=hypervisor)
    assert words in found["findings"][0]["hint"] and found["plan"][0]["hypervisor"] == hypervisor


def test_a_guest_that_is_known_from_its_process_alone_gets_neutral_words():
    """Also on a node of Proxmox VE, where qm knows nothing of a guest without a config."""
    found = judge("scsihw: virtio-scsi-pci\nscsi0: local:1/d.raw\n", running=True, config=None, qemu=QEMU)
    assert [one["hint"] for one in found["findings"][:2]] == [NEUTRAL["controller"], NEUTRAL["iothread"]]
