# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The kernel's pairs of twins."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._sysctl import dirty

BYTES = {"dirty_ratio": 0, "dirty_bytes": 1 << 28, "dirty_background_ratio": 0, "dirty_background_bytes": 1 << 27}

amounts = st.integers(8192, 1 << 40)


@st.composite
def states(draw):
    state = {}
    for pair in dirty.PAIRS:
        by_bytes = draw(st.booleans())
        state[pair + "_bytes"] = draw(amounts) if by_bytes else 0
        state[pair + "_ratio"] = 0 if by_bytes else draw(st.integers(0, 100))
    return state


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2", 2),
        (" 2\n", 2),
        ("0x10", 16),
        ("010", 8),
        ("2 # two", 2),
        ("", None),
        ("-1", None),
        ("2%", None),
        ("2k", None),
        ("09", None),
        (7, 7),
    ],
)
def test_numbers_as_the_kernel_reads_them(text, number):
    assert dirty.number(text) == number


def test_writing_a_twin_zeroes_the_other():
    state = dirty.write(dirty.BOOT_STATE, "dirty_bytes", "268435456")
    assert (state["dirty_bytes"], state["dirty_ratio"]) == (268435456, 0)
    state = dirty.write(state, "dirty_ratio", "2")
    assert (state["dirty_bytes"], state["dirty_ratio"]) == (0, 2)


def test_an_unchanged_ratio_does_not_zero_bytes_but_the_background_one_does():
    state = dirty.write(BYTES, "dirty_ratio", "0")
    assert state["dirty_bytes"] == 1 << 28
    state = dirty.write(BYTES, "dirty_background_ratio", "0")
    assert state["dirty_background_bytes"] == 0


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dirty_bytes", "0"),
        ("dirty_bytes", "8191"),
        ("dirty_background_bytes", "0"),
        ("dirty_ratio", "101"),
        ("dirty_ratio", "two"),
    ],
)
def test_what_the_kernel_refuses_changes_nothing(key, value):
    assert dirty.write(dirty.BOOT_STATE, key, value) == dirty.BOOT_STATE


@given(states(), states())
def test_the_steps_put_the_limits_in_force_and_are_empty_if_they_are(now, then):
    wanted = dirty.in_force(then)
    state = now
    for key, value in dirty.steps(now, wanted):
        state = dirty.write(state, key, value)
    assert dirty.in_force(state) == wanted
    assert dirty.steps(state, wanted) == []


def test_replay_names_what_decided():
    lines = dirty.parse_relevant("vm.dirty_ratio=2\nvm.swappiness=1\nvm.dirty_bytes=0\nvm.dirty_bytes=100000\n")
    state, deciders = dirty.replay(lines)
    assert dirty.in_force(state) == {"dirty_bytes": 100000, "dirty_background_ratio": 10}
    assert deciders["dirty"]["line"] == 4
    assert deciders["dirty_background"] is None


def test_a_percentage_is_of_available_memory():
    assert dirty.bytes_of({"dirty_ratio": 2, "dirty_background_bytes": 5}, 1000) == {"dirty": 20, "dirty_background": 5}
    assert dirty.bytes_of({"dirty_ratio": 2, "dirty_background_ratio": 1}, None)["dirty"] is None


def test_limits_are_spelled_for_a_person():
    assert dirty.spell({"dirty_bytes": 268435456, "dirty_background_ratio": 1}) == (
        "vm.dirty_bytes 256 MiB, vm.dirty_background_ratio 1"
    )
