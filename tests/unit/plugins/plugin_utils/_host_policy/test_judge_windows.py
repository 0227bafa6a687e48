# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The disk drivers of Windows guests against the known defects."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy import judge_windows
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy.waivers import object_of
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy import defects
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.rules import RULES


def judge(guests):
    return judge_windows.judge({"root": "/", "guests": guests, "problems": []}, None, True)


def one(rule, guests):
    """The only finding, which is of this rule."""
    (found,) = judge(guests)
    assert found["rule"] == rule and found["cure"] == [] and found["guest"] is None and found["disk"] is None
    assert RULES[rule].severity == found["severity"]
    return found


def guest(guest, release=None, driver="vioscsi", unknown=None):
    return {"guest": guest, "drivers": {driver: release} if release else {}, "unknown": unknown}


@pytest.mark.parametrize(
    ("release", "hit"),
    [("0.1.208", False), ("0.1.215", True), ("0.1.262", True), ("0.1.266", False), ("0.1.285", False)],
)
def test_a_windows_driver_with_a_defect_is_a_finding_of_its_guest(release, hit):
    assert bool(judge([guest("101", release)])) is hit
    if hit:
        found = one("IO405", [guest("101", release)])
        assert found["message"].startswith(f"guest 101: vioscsi of virtio-win {release}: Windows can freeze under load")
        assert found["hint"] == "Install virtio-win 0.1.266 or later in the guest." and object_of(found) == "guest 101"


def test_another_driver_has_no_known_defect():
    assert judge([guest("101", "0.1.248", "viostor"), guest("102")]) == []


def test_what_is_not_known_is_said_once_a_host():
    silent = "the agent gave no answer in time"
    guests = [guest(str(number), unknown=silent) for number in range(101, 108)]
    found = one("IO406", [*guests, guest("108", unknown="locked (backup)"), guest("109", "0.1.266")])
    assert found["message"] == (
        "the version of virtio-win in 8 Windows guests is not known (101, 102, 103, 104, 105, and 2 more: the agent gave"
        " no answer in time; 108: locked (backup))"
    )


def test_each_trigger_of_a_driver_is_looked_up():
    assert {one.hits for one in defects.VIRTIO_WIN.values()} == set(judge_windows._DRIVERS)
