# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The paces of sampling, on a clock and a cost that are made up."""

from __future__ import annotations

import os

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._stall import sampler
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._stall.track import Track

REAL_PREAD = os.pread


class World(sampler.Watched):
    """A clock, a CPU meter, and the stat files of one thread and of many others; a look at one costs `price` seconds of
    CPU.
    """

    def __init__(self, path, price, states, others=0, state_of_others="S"):
        super().__init__({}, path, "x86_64")
        self.price = price
        self.now = 0.0
        self.used = 0.0
        self.states = states
        self.state = None
        self.waits = self.locks = 0
        path.write_text("7 (a) D S) S 1 1")
        self.track = Track(7, "main", "watched")
        self.stats = [(os.open(path, os.O_RDONLY), self.track)]
        self.tracks = [self.track] + [Track(number, "vcpu", "other") for number in range(others)]
        if others:
            path.with_name("others").write_text(f"8 (b) {state_of_others} 1 1")
            descriptor = os.open(path.with_name("others"), os.O_RDONLY)
            self.stats += [(os.dup(descriptor), track) for track in self.tracks[1:]]

    def clock(self):
        state = self.states(self.now)
        if state != self.state:
            self.path.write_text(f"7 (a) D S) {state} 1 1")
            self.state = state
        return self.now

    def cpu(self):
        return self.used

    def pread(self, descriptor, size, offset):
        self.used += self.price
        return REAL_PREAD(descriptor, size, offset)

    def sleep(self, seconds):
        self.now += seconds

    def look_at_wait(self, track):
        self.waits += 1
        track.take_wait((209, 0, "blk_mq_get_tag"))

    def look_for_lock(self, since):
        self.locks += 1

    def sample(self, duration=10, interval=0.01, share=0.02):
        paces = sampler.sample([self], duration, interval, share, self.clock, self.cpu, self.sleep)
        self.close()
        return paces


@pytest.fixture
def world(tmp_path, monkeypatch):
    def make(price, states=lambda now: "S", **options):
        made = World(tmp_path / "stat", price, states, **options)
        monkeypatch.setattr(os, "pread", made.pread)
        return made

    return make


def test_a_cheap_look_keeps_the_interval(world):
    one = world(price=1e-7)
    paces = one.sample()
    assert paces["passes"] == pytest.approx(1000, rel=0.01)
    assert one.track.blocked_share == 0


def test_an_expensive_look_is_less_frequent_and_keeps_the_share(world):
    one = world(price=0.004)
    paces = one.sample()
    assert one.used / 10 < 0.021
    assert 0.1 < paces["interval"] < 1
    assert paces["longest_gap"] < 1


@pytest.mark.parametrize("price", [1e-7, 0.0005])
def test_a_share_is_right_whatever_the_pace(world, price):
    one = world(price, lambda now: "D" if now % 4 < 1 else "S")
    one.sample(duration=100)
    assert one.track.blocked_share == pytest.approx(0.25, abs=0.03)
    assert one.track.longest == pytest.approx(1.0, abs=0.15)
    assert one.waits > 10


@pytest.mark.parametrize("state", ["S", "D"])
def test_many_threads_keep_the_share_too(world, state):
    one = world(5e-6, lambda now: state, others=300, state_of_others=state)
    paces = one.sample()
    assert one.used / 10 == pytest.approx(0.02, rel=0.05)
    assert paces["interval"] == pytest.approx(301 * 5e-6 / 0.02, rel=0.05)
    assert {track.samples for track in one.tracks} == {paces["passes"]}


def test_a_lock_is_looked_for_at_every_look(world):
    one = world(1e-7)
    paces = one.sample()
    assert one.locks == paces["passes"]


def test_a_name_that_looks_like_a_state_is_a_name(world):
    one = world(1e-7, lambda now: "R")
    one.sample(duration=1)
    assert one.track.blocked_share == 0


def test_a_thread_that_ends_stops_its_count(world, monkeypatch):
    one = world(1e-7, lambda now: "D")

    def pread(descriptor, size, offset):
        if one.now > 2:
            raise ProcessLookupError
        return REAL_PREAD(descriptor, size, offset)

    monkeypatch.setattr(os, "pread", pread)
    one.sample(duration=10)
    assert one.track.ended
    assert one.track.watched == pytest.approx(2, abs=0.1)
    assert one.track.blocked_share == pytest.approx(1, abs=0.02)
    assert one.track.longest == pytest.approx(2, abs=0.1)
