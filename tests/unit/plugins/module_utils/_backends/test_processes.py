# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The QEMU processes of a host that no backend has taken."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import processes
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._model.records import problem


@pytest.mark.parametrize(("only", "told"), [(None, ["db", "web", None]), (["web"], ["web", None]), ([], [None])])
def test_a_run_for_some_guests_is_told_the_problems_of_these_and_of_the_host(tmp_path, monkeypatch, only, told):
    problems = [problem("/proc/1", "not cross-checked", guest="db"), problem("/proc/2", "ended", guest="web")]
    problems.append(problem("/proc", "hidden"))
    monkeypatch.setattr(processes._proc, "running_guests", lambda root: ([], problems))
    found = processes.Processes(str(tmp_path)).others(only).problems
    assert [one["guest"] for one in found if one["reason"] != "is not there"] == told
