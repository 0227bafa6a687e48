# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A findings document handed from job to job."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.document import ReportError
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.slice import pack, unpack
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import fleet, hostile


def test_what_is_packed_comes_back():
    assert unpack(pack(hostile())) == hostile()


def test_a_packed_document_is_small_and_shows_no_guest_name():
    text = pack(hostile())
    assert text.isascii() and not set(text) & set("{}%'\"<> \n")
    assert len(pack(fleet(200))) < 20000


@pytest.mark.parametrize("text", ["", "garbled", "Z2FyYmxlZA==", "ünlesbar", None, {"a": 1}])
def test_anything_else_is_refused_with_its_name(text):
    with pytest.raises(ReportError, match="^part 7 is not what the module report returned"):
        unpack(text, "part 7")
