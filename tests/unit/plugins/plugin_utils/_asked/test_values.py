# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Values of variables that are refused before anything is touched."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.rollback import guest_ids
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.values import (
    TAKES,
    guests_named,
    value_refusal,
)

#: What cannot be meant as guests. Most of it is false to Ansible, as is the empty list that is all guests.
NAMES_NOBODY = [
    False,
    True,
    0,
    -1,
    None,
    "",
    " ",
    ",",
    "102,",
    [""],
    ["102", " "],
    [None],
    [False],
    {},
    {"102": True},
    1.5,
]

NOT_FROM_ONE_ON = [0, -1, 10**5000, "", "0", "-1", "1.5", "1" * 5000, "abc", "200%", None, True, 1.5, [1]]
NOT_NAMES = ["nodes", [""], [" "], [1], [None], {}, None, True]
REFUSED = {
    "awx_credentials": NOT_NAMES,
    "awx_notify_approval": NOT_NAMES,
    "awx_notify_failure": NOT_NAMES,
    "awx_notify_success": NOT_NAMES,
    "awx_report_dir": ["reports", "/a/../b", None, ["/x"]],
    "awx_schedule": [
        "nightly",
        "RRULE:FREQ=DAILY;INTERVAL=1",
        "DTSTART:20260101T020000 RRULE:FREQ=DAILY;INTERVAL=1",
        "DTSTART:20260101T020000Z RRULE:FREQ=DAILY",
        "DTSTART:20260101T020000Z RRULE:INTERVAL=1",
        "DTSTART:20260101T020000Z\nRRULE:FREQ=DAILY;INTERVAL=1",
        None,
        False,
    ],
    "guest_io_guests": NAMES_NOBODY,
    "io_hardening_hosts": ["", " ", None, False, 7, ["pve1"], {}],
    "guest_io_run": ["my run", "a/b", "../x", ".x", "x" * 65, "é", "a\n", False, True, 0, -1, 1.5, ["a"]],
    "guest_io_journal": ["", "x", "./x", "~/x", "/a/../b", "/..", "/a\0b", None, False, 7, ["/x"]],
}
REFUSED.update(
    restart_match=[["guest.id == '1'"], 5, True, {}],
    rollback_guests=["", [], None, True, ["102", ""], {}, 1.5, "102,"],
    rollback_run=["", " ", None, 7, ["last"]],
)
REFUSED.update({name: NOT_FROM_ONE_ON for name in TAKES if name not in REFUSED})


@pytest.mark.parametrize("name", TAKES)
def test_a_value_that_is_not_allowed_is_refused_in_a_short_sentence(name):
    for number, value in enumerate(REFUSED[name]):
        said = value_refusal(name, value)
        assert said and said.startswith(f"{name} is ") and "; it takes " in said and len(said) < 250, number


def test_values_that_are_allowed():
    allowed = {
        "awx_notify_failure": [[], ["a", "b c"]],
        "awx_report_dir": ["", "/reports"],
        "awx_schedule": [
            "",
            "DTSTART:20260101T020000Z RRULE:FREQ=DAILY;INTERVAL=1",
            "DTSTART;TZID=Europe/Berlin:20260101T020000 RRULE:INTERVAL=2;FREQ=WEEKLY;BYDAY=MO,TU",
        ],
        "guest_io_guests": [[], ["102", 105], "102", "102, 105", 102, "a-guest-of-libvirt", ["a"]],
        "io_hardening_hosts": ["proxmox_nodes", "pve1,pve2", "all:!pve3"],
        "guest_io_run": ["", None, "20261128T124100Z", "change-4711_a.b", 4711, "x" * 64],
        "guest_io_journal": ["/", "/var/lib/hypervisor-io-hardening/journal", "/a..b/..c"],
        "restart_match": [None, "", "guest.id == '1'"],
        "rollback_guests": ["102", "102, 105", 102, ["102", 105], "all", "web", ["a, b", "{{ c }}"]],
        "rollback_run": ["last", "20261128T124100Z"],
        "restart_timeout": [1, 25, 300, "25", " 7 ", "007"],
    }
    assert [(name, value) for name, values in allowed.items() for value in values if value_refusal(name, value)] == []


TEXT = ["x", "", 7, 1.5]
#: Type of a variable to a variable that has it, values that it takes, values that it does not, and what is said of them.
OF_TYPE = {
    "bool": ("gate_part", [True, False, "yes", "False", " on ", 1, "0"], ["", "maybe", 2, None, [], {}], "true or false"),
    "dict": ("guest_io_policy", [{}, {"disk": {}}, None], ["x", [], 5, True], "a dictionary"),
    "float": ("prove_io_least_ratio", [1, 1.5, "2.5", None], ["", "x", "nan", "inf", True, [], {}], "a number"),
    "int": ("prove_io_load_writers", [0, 7, " 7 "], ["", "x", 1.5, "1.5", True, None, [], {}], "a whole number"),
    "path": ("report_dir", ["", "a b", None], [5, True, [], {}, "a\0b"], "a path"),
    "str": ("guest_io_node", [*TEXT, None], [True, [], {}], "text"),
    "choices": ("host_writeback_mode", ["auto", "ratio"], ["", "Auto", "fast", None, True, ["auto"]], "one of auto, ratio, bytes"),
    "what fails": (
        "gate_fail_on",
        ["none", "error", "error, IO104", ["IO104"]],
        ["", "fatal", "none,IO104", "error,note", None, [], [5], "IO999"],
        "none, one of error, warning, note, ids of rules such as IO104, or both: error,IO104",
    ),
    "connections": (
        "guest_io_libvirt_uris",
        [["qemu:///system"], "qemu:///system, qemu:///session"],
        ["", [], ["qemu+ssh://kvm2/system"], ["xen:///system"], [5], {}],
        "connections to the host's own libvirt, qemu:///system and qemu:///session, at least one",
    ),
    "list of dictionaries": ("guest_io_waivers", [[], [{}], {}, None], ["x", ["x"], 5, True], "a list of dictionaries"),
    "list of choices": ("harden_io_parts", ["guests", "guests, limits", ["limits"]], ["guest", ["x"], True, {}], "a list of guests, limits, load, host"),
}  # fmt: skip


@pytest.mark.parametrize("kind", OF_TYPE)
def test_each_type_takes_what_ansible_takes_for_it_and_refuses_the_rest_in_words(kind):
    name, allowed, refused, words = OF_TYPE[kind]
    assert [value for value in allowed if value_refusal(name, value)] == []
    for value in refused:
        said = value_refusal(name, value)
        assert said and said.startswith(f"{name} is ") and said.endswith(f"; it takes {words}")


def test_the_answer_to_a_question_is_one_of_its_variable_or_none():
    assert [answer for answer in ("", None, "auto") if value_refusal("survey_host_writeback_mode", answer)] == []
    said = "survey_host_writeback_mode is 'fast'; it takes one of auto, ratio, bytes"
    assert value_refusal("survey_host_writeback_mode", "fast") == said
    assert value_refusal("survey_rollback_run", ["x"]).endswith(
        "; it takes a run's name, or last, which is the default"
    )


def test_a_name_in_a_list_keeps_its_blanks_and_one_among_commas_does_not():
    assert guests_named(["a b ", " c,d", 7]) == guest_ids(["a b ", " c,d", 7]) == ["a b ", " c,d", "7"]
    assert guests_named("a b , c") == guest_ids("a b , c") == ["a b", "c"]
