# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The reason codes are closed sets: the code, the modules' documentation and the words for people have the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._model.findings import (
    ResultReason,
    UnresolvedReason,
)
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._model.operations import (
    RestartReason,
    RollbackReason,
)
from ansible_collections.hypervisor.io_hardening.plugins.modules import guest_io, guest_restart
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.operations import NOT_REACHED
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render import words

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
SOURCE = "\n".join(
    path.read_text("utf-8") for path in PLUGINS.rglob("*.py") if path.parent.name not in ("_model", "_render")
)
ALL = {
    reason
    for reasons in (ResultReason, UnresolvedReason, RestartReason, RollbackReason)
    for reason in get_args(reasons)
}


@pytest.mark.parametrize(
    ("module", "key", "reasons"),
    [(guest_io, "results", ResultReason), (guest_restart, "result", RestartReason)],
)
def test_a_module_documents_its_reasons(module, key, reasons):
    described = yaml.safe_load(module.RETURN)[key]["contains"]["reason"]["description"]
    assert sorted(re.findall(r"V\((\w+)\)", " ".join(described))) == sorted(get_args(reasons))


def test_every_reason_has_its_words():
    assert set(words._REASON_WORDS) == {*ALL, NOT_REACHED, "unknown"}


@pytest.mark.parametrize("reason", sorted(ALL))
def test_every_reason_is_given_by_something(reason):
    assert f'"{reason}"' in SOURCE
