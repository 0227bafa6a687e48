# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""io_stall_info and io_prove through their main()."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.modules import io_prove, io_stall_info
from ansible_collections.hypervisor.io_hardening.tests.unit.in_process import run_module
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._stall.poser import Poser


def test_a_watch_returns_the_guests_it_saw(tmp_path):
    poser = Poser(tmp_path, "poses-for-the-module")
    try:
        poser.wait_ready()
        returned = run_module(io_stall_info, duration=0.3, check=True)
    finally:
        poser.end()
    assert returned["changed"] is False and "poses-for-the-module" in [guest["name"] for guest in returned["guests"]]


@pytest.mark.parametrize(
    ("options", "words"),
    [({"duration": 0}, "duration is 0"), ({"interval": 20}, "interval is 20"), ({"interval": "fast"}, "interval")],
)
def test_a_watch_that_cannot_be_meant_is_refused(options, words):
    returned = run_module(io_stall_info, **options)
    assert returned["failed"] and words in returned["msg"]


def test_a_proof_without_a_folder_is_refused(tmp_path):
    returned = run_module(io_prove, path=str(tmp_path / "gone"), check=True)
    assert returned["failed"] and "gone is not a directory" in returned["msg"]


def test_a_setting_that_no_disk_can_have_is_refused(tmp_path):
    returned = run_module(io_prove, path=str(tmp_path), settings=[{"name": "a", "aio": "fast"}])
    assert returned["failed"] and "value of aio must be one of" in returned["msg"]
