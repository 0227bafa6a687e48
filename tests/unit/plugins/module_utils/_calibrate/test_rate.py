# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import os

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._calibrate import rate
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove.errors import ProveError


def test_a_storage_s_rate_is_measured_and_nothing_is_left(tmp_path, monkeypatch):
    # tmpfs takes no direct I/O.
    monkeypatch.setattr(rate.os, "O_DIRECT", 0)
    found = rate.measure(str(tmp_path), 4 << 20, 0.1)
    assert found["write_mb_per_s"] > 0 and found["read_mb_per_s"] > 0
    assert os.listdir(tmp_path) == []


def test_the_file_is_no_larger_than_allowed(tmp_path, monkeypatch):
    places = []
    monkeypatch.setattr(rate.os, "O_DIRECT", 0)
    monkeypatch.setattr(rate.os, "pwrite", lambda _file, block, place: places.append(place) or len(block))
    monkeypatch.setattr(rate.os, "preadv", lambda _file, _blocks, place: places.append(place) or 1)
    rate.measure(str(tmp_path), 3 << 20, 0.05)
    assert set(places) == {0, 1 << 20, 2 << 20}


def test_a_storage_that_is_full_is_said(tmp_path, monkeypatch):
    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(rate.os, "O_DIRECT", 0)
    monkeypatch.setattr(rate.os, "pwrite", full)
    with pytest.raises(ProveError, match="the rate of .* cannot be measured: No space left on device"):
        rate.measure(str(tmp_path), 1 << 20, 1)
