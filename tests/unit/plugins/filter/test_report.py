# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The report filters as a playbook uses them, and that their documentation is theirs."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.hypervisor.io_hardening.plugins.filter.report import FILTERS, FilterModule
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._report.sample import HOSTILE, document, finding, guest

ROOT = Path(__file__).absolute().parents[4]
COLLECTIONS = ROOT.parents[2] if ROOT.parents[1].name == "ansible_collections" else ROOT / "build/collections"
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.slurp: {src: "{{ playbook_dir }}/document.json"}
      register: read
    - ansible.builtin.set_fact:
        findings: "{{ read.content | b64decode | from_json }}"
      when: inventory_hostname != 'silent'
    - ansible.builtin.set_fact:
        fleet: "{{ dict(ansible_play_hosts_all | zip(ansible_play_hosts_all | map('extract', hostvars)
          | map(attribute='findings', default={}))) | hypervisor.io_hardening.report_join }}"
      run_once: true
    - ansible.builtin.copy:
        content: "{{ texts | to_json }}"
        dest: "{{ playbook_dir }}/texts.json"
        mode: "0600"
      vars:
        texts:
          table: "{{ fleet | hypervisor.io_hardening.report_table | join('\\n') }}"
          json: "{{ fleet | hypervisor.io_hardening.report_json }}"
          junit: "{{ fleet | hypervisor.io_hardening.report_junit }}"
          sarif: "{{ fleet | hypervisor.io_hardening.report_sarif }}"
          html: "{{ fleet | hypervisor.io_hardening.report_html }}"
      run_once: true
"""


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_the_documented_options_are_the_filters(name):
    documentation = yaml.safe_load((ROOT / "plugins" / "filter" / f"{name}.yml").read_text("utf-8"))["DOCUMENTATION"]
    assert documentation["name"] == name
    given = list(inspect.signature(FILTERS[name]).parameters.values())
    options = documentation["options"]
    assert set(options) == {"_input", *(one.name for one in given[1:])}
    for one in given[1:]:
        assert options[one.name].get("default") == one.default, one.name


@pytest.mark.parametrize("name", sorted(FILTERS))
def test_what_is_no_document_is_ansibles_error_with_the_filters_name(name):
    with pytest.raises(AnsibleFilterError, match=f"^{name}: .* is a string"):
        FilterModule().filters()[name]("text")


def test_a_playbook_writes_every_report_and_nothing_a_guest_is_called_is_a_template(tmp_path):
    """What stands between {{ }} in a guest's name would, as a template, make a file."""
    mark = tmp_path / "ran"
    names = [HOSTILE[0], "{{ lookup('pipe', 'touch %s') }}" % mark, HOSTILE[6], "{% raw %}"]
    doc = document(
        [guest(str(100 + n), "waiting", name=name) for n, name in enumerate(names)],
        [finding(str(100 + n), name=name, message=name, hint=name) for n, name in enumerate(names)],
    )
    (tmp_path / "document.json").write_text(json.dumps(doc))
    (tmp_path / "play.yml").write_text(PLAY)
    done = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("ansible-playbook")), "-i", "pve1,silent", "-c", "local"),
            *("-e", json.dumps({"ansible_python_interpreter": sys.executable}), str(tmp_path / "play.yml")),
        ],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not mark.exists()
    text = json.loads((tmp_path / "texts.json").read_text("utf-8"))
    written = json.loads(text["json"])
    assert [entry["name"] for entry in written["guests"]] == names
    assert [(host["host"], host["reported"]) for host in written["hosts"]] == [("pve1", True), ("silent", False)]
    table = " ".join(text["table"].split())
    assert all(name[:60] in table for name in names) and "NO REPORT from 1 host: silent" in table
    assert "<script" not in text["junit"]
    assert json.loads(text["sarif"])["runs"][0]["results"][1]["properties"]["name"] == names[1]
    assert "<script>alert" not in text["html"]
