# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Values of variables that are refused before anything is touched."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.values import TAKES, value_refusals

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
    "awx_become": ["sudo", 1, "", None, []],
    "awx_collection": ["awx", "", None, "ansible.tower", []],
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
REFUSED.update({name: NOT_FROM_ONE_ON for name in TAKES if name not in REFUSED})


@pytest.mark.parametrize("name", TAKES)
def test_a_value_that_is_not_allowed_is_refused_in_a_short_sentence(name):
    for number, value in enumerate(REFUSED[name]):
        said = value_refusals({name: value})
        assert (
            len(said) == 1 and said[0].startswith(f"{name} is ") and "; it takes " in said[0] and len(said[0]) < 250
        ), number


def test_values_that_are_allowed():
    allowed = {
        "awx_become": [True, False, "yes", "False"],
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
        "restart_timeout": [1, 25, 300, "25", " 7 ", "007"],
    }
    assert [
        (name, value) for name, values in allowed.items() for value in values if value_refusals({name: value})
    ] == []
