# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a filter says when it gets something else than what it takes."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.hypervisor.io_hardening.plugins.filter import assess_writeback, guest_io
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.tree import Tree
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._writeback.read import read_facts
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._writeback.host import host_tree

FILTERS = {**guest_io.FilterModule().filters(), **assess_writeback.FilterModule().filters()}


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("from_qemu_server", [7], "takes the text of a guest config"),
        ("assess", ["guests", {}], "assess takes what guest_io_info"),
        ("assess", [[{"id": "100"}], {}], "assess takes what guest_io_info"),
        ("assess", [[], {"disk": {"aio": "fast"}}], "aio"),
        ("assess", [[], {}, "tomorrow"], "tomorrow"),
        ("assess_writeback", ["facts"], "has no files, kernel, memory"),
        ("assess_writeback", [{"files": [], "kernel": {}}], "has no memory, tuned"),
    ],
)
def test_something_else_is_refused_in_a_sentence(name, arguments, words):
    with pytest.raises(AnsibleFilterError) as refused:
        FILTERS[name](*arguments)
    assert words in str(refused.value)


def test_limits_that_cannot_be_meant_are_refused(tmp_path):
    facts = read_facts(Tree(str(host_tree(tmp_path / "root"))))
    with pytest.raises(AnsibleFilterError, match="5"):
        FILTERS["assess_writeback"](facts, background_ratio=5)
    assert FILTERS["assess_writeback"](facts)["plan"]
