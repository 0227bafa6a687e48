# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A file of waivers is read as data, and what is wrong with it is said with its name."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._policy import document
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._policy.errors import PolicyError
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._policy.waivers_file import load

WAIVERS = """\
- id: W-1
  match: "guest.id == '105'"
  rules: [IO101]
  until: 2027-03-31
  reason: "{{ lookup('pipe', 'id') }}"
"""


def parsed(tmp_path, text):
    path = tmp_path / "waivers.yml"
    path.write_text(text)
    return document.parse({}, None, load(str(path))).waivers


def test_a_list_of_waivers(tmp_path):
    (waiver,) = parsed(tmp_path, WAIVERS)
    assert (waiver.id, waiver.reason) == ("W-1", "{{ lookup('pipe', 'id') }}")


@pytest.mark.parametrize("text", ["", "---\n", "[]\n"])
def test_a_file_without_waivers(tmp_path, text):
    assert parsed(tmp_path, text) == ()


@pytest.mark.parametrize("path", [None, ""])
def test_no_file(path):
    assert load(path) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (WAIVERS.replace("2027-03-31", "2027-02-30"), "is no YAML: day is out of range"),
        (WAIVERS.replace("2027-03-31", "soon"), "waivers.yml[0].until: is 'soon', it takes a date"),
        (WAIVERS + "gate_fail_on: none\n", "waivers.yml line 6: is no YAML: "),
        ("guest_io_waivers: []\n", "waivers.yml: is {'guest_io_waivers': []}, it takes a list"),
        ("- !!python/object/apply:os.system [id]\n", "waivers.yml line 1: is no YAML: "),
    ],
)
def test_what_is_refused(tmp_path, text, words):
    with pytest.raises(PolicyError) as caught:
        parsed(tmp_path, text)
    assert str(caught.value).startswith(f"guest_io_waivers_file {tmp_path}/waivers.yml") and words in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(PolicyError, match="guest_io_waivers_file gone.yml: cannot be read: No such file"):
        load("gone.yml")
