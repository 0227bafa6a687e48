# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""io_stall_info, io_prove and io_calibrate through their main()."""

from __future__ import annotations

import signal

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.modules import io_calibrate, io_prove, io_stall_info
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


@pytest.fixture
def signals():
    """The module has signals end it; the tests' own process gets its handlers back."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"path": "/nowhere", "measure": "rate"}, "/nowhere is not a directory"),
        ({"path": "/nowhere", "measure": "writer"}, "/nowhere is not a directory"),
        ({"path": "/tmp", "dirty": {"strict_limit": 2}}, "value of strict_limit must be one of"),
        ({"path": "/tmp", "image_mb": 1}, "image_mb is 1; allowed: 16"),
        ({"path": "/tmp", "backup": {"max_workers": 0}}, "max_workers of the backup is 0"),
    ],
)
@pytest.mark.usefixtures("signals")
def test_a_step_of_a_calibration_that_cannot_be_meant_is_refused(options, words):
    returned = run_module(io_calibrate, check=True, **options)
    assert returned["failed"] and words in returned["msg"] and not returned.get("cannot_set")


@pytest.mark.usefixtures("signals")
def test_a_step_returns_what_it_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(
        io_calibrate.step, "take", lambda options, _tree: {"rate": {"write_mb_per_s": options["image_mb"]}}
    )
    returned = run_module(io_calibrate, path=str(tmp_path), measure="rate")
    assert returned["rate"] == {"write_mb_per_s": 128} and returned["changed"] is False
