# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Hosts behind an API, as a run is asked for them."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.api import (
    TAKES,
    is_api,
    needs_ssh,
    without_journal,
)
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.specs import known
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.values import value_refusal

API = {"url": "https://pve1", "token_id": "a@pve!b", "token_secret": "5e1c7a52-6a3c"}


@pytest.mark.parametrize(
    "value",
    [API, {**API, "ca_path": "/x", "timeout": 5, "write_unseen": True, "monitor": True, "validate_certs": False}],
)
def test_an_api_has_an_address_and_a_token(value):
    assert is_api(value) and value_refusal("io_hardening_api", value, "c1") is None


@pytest.mark.parametrize(
    "value", [None, "", "https://pve1 5e1c7a52-6a3c", [API], {}, {**API, "url": ""}, {**API, "token": "5e1c7a52-6a3c"}]
)
def test_what_is_none_is_refused_and_not_shown(value):
    said = value_refusal("io_hardening_api", value, "c1")
    assert said == f"io_hardening_api, set for c1, is not that; it takes {TAKES}" and "5e1c" not in said


def test_a_host_behind_an_api_names_a_directory_of_its_journal():
    hosts = {"pve1": {}, "c1": {"io_hardening_api": API, "io_hardening_journal": "/kept"}}
    assert without_journal(hosts) == []
    (said,) = without_journal({**hosts, "c2": {"io_hardening_api": API}})
    assert said.startswith(
        "io_hardening_journal is not set for c2: what is written through its API is noted on the machine"
    )


def test_the_secret_is_no_question_of_a_survey():
    assert "survey_io_hardening_api" not in known()["survey_"] and "survey_guest_io_journal" in known()["survey_"]


def test_what_needs_ssh_is_an_assessment_without_findings():
    found = needs_ssh("writeback")
    assert (found["subject"], found["status"], found["findings"], found["changed"]) == (
        "writeback",
        "needs_ssh",
        [],
        False,
    )
