# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Values are checked host by host, once each, and only what can be told before a host is read."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.given import given_refusals


class Vault:
    """A value that is no plain one before it is evaluated."""


def given(values, extra=(), evaluated=None, prefixes=None):
    asked = []

    def evaluate(host, name):
        asked.append((host, name))
        return (evaluated or {}).get(name)

    return given_refusals(values, extra, prefixes, lambda value: "{{" in str(value), evaluate), asked


class Counted(str):
    """Text that counts how often it is looked at."""

    looks = 0

    def strip(self, *of):
        Counted.looks += 1
        return super().strip(*of)


def test_a_value_of_a_group_is_checked_once_and_named_with_a_host():
    value = Counted("many")
    said, _asked = given({f"pve{number}": {"guest_io_batch": value} for number in range(1000)})
    assert (
        said == ["guest_io_batch, set for pve0, is 'many'; it takes a whole number, 1 or more"] and Counted.looks == 1
    )


def test_each_hosts_own_value_is_checked():
    said, _asked = given({"pve1": {"guest_io_batch": 25}, "pve2": {"guest_io_batch": "many"}})
    assert said == ["guest_io_batch, set for pve2, is 'many'; it takes a whole number, 1 or more"]


def test_an_extra_variable_is_of_no_host_and_is_told_once():
    said, _asked = given({"pve1": {"guest_io_batch": 0}, "pve2": {"guest_io_batch": 0}}, ["guest_io_batch"])
    assert said == ["guest_io_batch is 0; it takes a whole number, 1 or more"]


@pytest.mark.parametrize("value", ["{{ many }}", Vault()])
def test_a_template_is_evaluated_where_it_may_give_a_wrong_value(value):
    variables = {"pve1": {"guest_io_batch": value, "guest_io_root": value, "report_dir": value, "restart_match": value}}
    said, asked = given(variables, evaluated={"guest_io_batch": "x", "restart_match": "guest.id == '1'"})
    assert asked == [("pve1", "guest_io_batch"), ("pve1", "restart_match")]
    assert said == ["guest_io_batch, set for pve1, is 'x'; it takes a whole number, 1 or more"]


@pytest.mark.parametrize("value", [None, "{{ later }}", Vault()])
def test_what_is_not_known_yet_is_left_to_the_task_that_uses_it(value):
    assert given({"pve1": {"guest_io_batch": "{{ later }}"}}, evaluated={"guest_io_batch": value})[0] == []


def test_variables_of_the_play_and_other_prefixes():
    assert given({None: {"gate_fail_on": "fatal"}})[0] == [
        "gate_fail_on is 'fatal'; it takes none, one of error, warning, note, ids of rules such as IO104, or both: error,IO104"
    ]
    assert given({"pve1": {"gate_fail_on": "fatal"}}, prefixes=["restart_"])[0] == []
