# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.specs import PREFIXES, SURVEY, known, specs
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.variables import (
    left,
    tag_refusals,
    variable_refusals,
)

PARTS = ["guests", "limits"]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_of_every_prefix_an_unknown_extra_variable_is_refused_and_the_known_ones_are_not(prefix):
    (said,) = variable_refusals([prefix + "quux"], {})
    assert (
        said.startswith(f"{prefix}quux: no such variable. ")
        and (", ".join(known()[prefix]) in said or prefix == SURVEY)
        and "Did you mean" not in said
    )
    names = known()[prefix]
    assert names and variable_refusals(names, {}) == [] and variable_refusals([], dict.fromkeys(names)) == []


@pytest.mark.parametrize("name", [name for name in specs() if not name.startswith(SURVEY)])
def test_a_letter_less_is_refused_wherever_it_is_set_and_the_right_name_is_told(name):
    for misspelt in (name[:-1], name[:-3] + name[-2:]):
        for extra, others in (([misspelt], {}), ([], {misspelt: None})):
            (said,) = variable_refusals(extra, others)
            assert "Did you mean " in said and name in said


def test_of_prefixes_that_others_use_only_what_is_close_is_refused_in_an_inventory():
    assert (
        variable_refusals(
            [],
            dict.fromkeys(
                ["restart_policy", "report_owner", "awx_host", "gate_password", "rollback_enabled", "survey_id"]
            ),
        )
        == []
    )
    assert variable_refusals([], {"guest_io_owner": "pve2"})[0].startswith(
        "guest_io_owner, set for pve2: no such variable."
    )


@pytest.mark.parametrize(("name", "meant"), [
    ("rolback_guests", "rollback_guests"),
    ("Rollback_guests", "rollback_guests"),
    ("guest-io-guests", "guest_io_guests"),
    ("guestio_guests", "guest_io_guests"),
    ("restat_match", "restart_match"),
])  # fmt: skip
def test_a_misspelt_prefix_is_refused_as_an_extra_variable_alone(name, meant):
    assert variable_refusals([name], {}) == [f"{name}: no such variable. Did you mean {meant}?"]
    assert variable_refusals([], {name: None}) == [] and variable_refusals([name], {}, ["guest_io_"]) == []


def test_a_name_from_outside_is_shown_as_a_piece():
    long = "x" * 100_000
    said = [
        *variable_refusals([f"guest_io_{long}"], {}),
        *tag_refusals(PARTS, [long], []),
        *tag_refusals(PARTS, ["all"], [long]),
    ]
    assert len(said) == 3 and all("xxx…: no such " in one and len(one) < 500 for one in said)


@pytest.mark.parametrize(
    "name",
    [
        "ansible_user",
        "sample_fleet_build",
        "io_hardening_part_12",
        "guests",
        "tower_job_id",
        "awx_job_id",
        "awx_inventory_id",
    ],
)
def test_what_is_not_ours_is_let_be(name):
    assert variable_refusals([name], {}) == []


def test_facts_of_the_roles_are_no_variables_to_set():
    assert variable_refusals([], {"guest_io_findings": None, "host_writeback_report": "pve1"}) == []
    assert len(variable_refusals(["guest_io_findings"], {})) == 1


@pytest.mark.parametrize(("run", "skip", "words"), [
    (["all"], [], []),
    (["tagged"], [], []),
    (["guests"], [], []),
    (["all"], ["limits"], []),
    (["all"], ["molecule-notest", "notest", "molecule-idempotence-notest"], []),
    (["guests", "limit"], [], ["--tags limit: no such tag. There are guests, limits. Did you mean limits?"]),
    (["untagged"], [], ["--tags untagged: no such tag. There are guests, limits."]),
    (["always"], [], ["--tags always: no such tag. There are guests, limits."]),
    (["all"], ["limts"], ["--skip-tags limts: no such tag. There are guests, limits. Did you mean limits?"]),
    (["all"], ["always"], ["--skip-tags always: no such tag. There are guests, limits."]),
    (["guests"], ["guests"], ["--tags and --skip-tags leave nothing to do."]),
    (["all"], ["guests", "limits"], ["--tags and --skip-tags leave nothing to do."]),
])  # fmt: skip
def test_tags(run, skip, words):
    assert tag_refusals(PARTS, run, skip) == words


def test_a_playbook_without_tags_takes_none():
    assert tag_refusals([], ["all"], []) == []
    assert tag_refusals([], ["guests"], []) == [
        "--tags guests: no such tag. This playbook has no tags: leave the option out."
    ]


def test_what_is_left():
    assert (
        left(PARTS, ["all"], []) == PARTS
        and left(PARTS, ["limits"], []) == ["limits"]
        and left(PARTS, ["tagged"], ["limits"]) == ["guests"]
    )
