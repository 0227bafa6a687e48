# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.words import found_and_wanted
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import finding


@pytest.mark.parametrize(
    ("rule", "actual", "wanted", "words"),
    [
        ("IO102", False, True, ("no iothread", "iothread")),
        ("IO201", {"dirty_ratio": 20}, {"dirty_bytes": 268435456}, ("dirty_ratio 20", "dirty_bytes 256 MiB")),
        ("IO204", {"sda": 167772160}, 268435456, ("sda 160 MiB", "256 MiB")),
        ("IO103", None, ["threads", "native"], ("unset", "threads or native")),
        ("IO305", 5, None, ("5", "")),
        ("IO113", None, None, ("", "")),
    ],
)
def test_values_are_words_and_bytes_are_mib(rule, actual, wanted, words):
    assert found_and_wanted(finding(rule=rule, actual=actual, wanted=wanted)) == words
