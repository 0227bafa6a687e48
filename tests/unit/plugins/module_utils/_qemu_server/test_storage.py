# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""storage.cfg: what is there, and what is wrong with it, line by line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._qemu_server import storage


def by_id(text, ceph=None):
    return {entry["id"]: entry for entry in storage.parse(text, ceph)[0]}


def test_storages():
    found = by_id("# words\nnfs: nas\n\tserver 10.0.0.5\n\tdisable\n\nrbd: ceph\n\tkrbd 1\n\tmonhost 10.0.0.1,[::2]:6789 10.0.0.3:6789\n")
    assert found["nas"] == {
        "id": "nas", "type": "nfs", "krbd": False, "nocow": False, "shared": True, "servers": ["10.0.0.5"], "disabled": True, "active": None
    }  # fmt: skip
    assert found["ceph"]["krbd"] and found["ceph"]["servers"] == ["10.0.0.1", "::2", "10.0.0.3"]


def test_local_is_always_there():
    assert by_id("")["local"]["type"] == "dir"


def test_the_clusters_own_ceph_is_found_in_ceph_conf():
    ceph = "[global]\n\tmon_host = [v2:10.0.0.1:3300/0,v1:10.0.0.1:6789/0] 10.0.0.2\n"
    assert by_id("rbd: ceph\n\tpool x\n", ceph)["ceph"]["servers"] == ["10.0.0.1", "10.0.0.2"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("what is this\n", 1, "no 'type: id'"),
        ("dir: aa\n\tpath /x\nnonsense\n", 3, "no indented"),
        ("dir: aa b\n", 1, "no 'type: id'"),
        ("dir: -x-\n\tpath /\n", 1, "no storage id"),
        ("dir: aa\n\ndir: aa\n", 3, "stands twice"),
        ("dir: aa\n\tpath /x\n\tpath /y\n", 3, "stands twice"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text, line, words):
    problems = storage.parse(text)[1]
    assert [problem["line"] for problem in problems] == [line]
    assert words in problems[0]["reason"]


def test_one_bad_section_does_not_hide_the_others():
    assert by_id("garbage\n\ndir: good\n\tpath /x\n")["good"]["type"] == "dir"


@given(st.text(max_size=300))
def test_anything_is_read(text):
    storages, problems = storage.parse(text)
    assert any(entry["id"] == "local" for entry in storages)
    assert all(problem["line"] >= 1 for problem in problems)
