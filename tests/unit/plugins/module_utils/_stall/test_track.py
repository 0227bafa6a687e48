# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What samples add up to."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._stall.track import Track


def test_a_share_is_of_the_time_and_a_stretch_from_first_to_last():
    track = Track(1, "main", "main loop")
    for now, blocked, since in [
        (0.1, False, 0.1),
        (0.2, True, 0.1),
        (0.25, True, 0.0),
        (0.5, True, 0.3),
        (0.6, False, 0.1),
        (0.7, True, 0.1),
    ]:
        if blocked:
            track.take_blocked(now, since)
        else:
            track.take_going_on()
    track.take_watched(5, 0.7)
    track.take_going_on()
    assert track.blocked_share == pytest.approx(0.5 / 0.7)
    assert track.longest == pytest.approx(0.3)
    assert not track.is_in_stretch


def test_without_samples_the_shares_are_zero():
    track = Track(1, "main", "main loop")
    assert (track.blocked_share, track.lock_share, track.main_wait()) == (0, 0, None)


def test_locks_have_their_own_time():
    track = Track(1, "main", "main loop")
    track.take_lock(True, 1.0)
    track.take_lock(False, 3.0)
    assert track.lock_share == 0.25


def test_the_most_frequent_wait_and_no_more_than_200():
    track = Track(1, "main", "main loop")
    for number in range(1000):
        track.take_wait((number, 0, "stack"))
    for _again in range(3):
        track.take_wait((7, 0, "stack"))
    assert track.main_wait() == (7, 0, "stack")
    assert len(track.waits) == 201
    assert sum(track.waits.values()) == 1003
