# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._text import visible


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("::add-mask::web", "\\x3a:add-mask::web"),
        ("a ::ERROR file=x,line=1::b", "a \\x3a:ERROR file=x,line=1::b"),
        ("x::group", "x\\x3a:group"),
        (":::stop-commands::x", ":\\x3a:stop-commands::x"),
        ("##[add-mask]web", "\\x23#[add-mask]web"),
        ("###[error]", "#\\x23#[error]"),
        ("##vso[task.setvariable variable=PATH]/tmp", "\\x23#vso[task.setvariable variable=PATH]/tmp"),
        ("##teamcity[message]", "\\x23#teamcity[message]"),
    ],
)
def test_what_a_ci_takes_for_a_command_is_seen_and_not_obeyed(text, seen):
    assert visible(text) == visible(visible(text)) == seen


@pytest.mark.parametrize(
    "text", ["fe80::1", "::", "::1", "PVE::QemuServer::Drive", "::errors", "## a [b]", "#1 ##", "a:b::c d"]
)
def test_other_colons_and_hashes_stay(text):
    assert visible(text) == text
