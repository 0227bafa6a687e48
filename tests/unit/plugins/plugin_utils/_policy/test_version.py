# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Versions compare as dpkg compares them."""

from __future__ import annotations

import itertools
import shutil
import subprocess

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.version import parse, version

#: Each is lower than the next.
ASCENDING = [
    "6.8.12-3", "6.14.11-9~bpo12+1", "6.14.11-9", "7.0.0-1~rc7+1", "7.0.0-1", "7.0.14-9", "7.0.14-10", "7.2", "7.2.0", "7.2.0-8",
    "7.2.22", "8.0~rc1", "8.0", "8.0a", "8.0.0-1", "8.0.2-7", "8.1.5", "8.1.5-2", "8.1.5-3", "8.1.10-1", "8.2.2-1", "9.0.0-3",
    "10.0.2-4", "10.1.2-1", "10.1.2-1+deb13u1", "10.1.2-10", "11.0.0-2", "1:7.2-1",
]  # fmt: skip


@pytest.mark.parametrize(("lower", "higher"), list(itertools.combinations(ASCENDING, 2)))
def test_versions_are_in_order(lower, higher):
    assert version(lower) < version(higher) and version(higher) > version(lower) and version(lower) != version(higher)


@pytest.mark.parametrize(("one", "other"), [("8.1.5", "8.1.5-0"), ("0:8.1.5-3", "8.1.5-3"), ("8.01-1", "8.1-1")])
def test_two_texts_of_one_version_are_equal(one, other):
    assert version(one) == version(other) and hash(version(one)) == hash(version(other))


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="this machine has no dpkg")
def test_dpkg_says_the_same():
    for lower, higher in itertools.pairwise(ASCENDING):
        assert subprocess.run(["dpkg", "--compare-versions", lower, "lt", higher], check=False).returncode == 0, (
            lower,
            higher,
        )


@pytest.mark.parametrize(("text", "told"), [("8.1.5-3", True), ("8.1.5", False), ("7.2+dfsg-7+deb12u18", True)])
def test_a_package_has_a_revision_and_a_release_has_none(text, told):
    assert version(text).revision is told and str(version(text)) == text


@pytest.mark.parametrize("text", [None, "", "next", "v8.1", "8.1 ", "8.1\n", "8.1_2", "1" * 5000, "1:", "8.1:2"])
def test_what_is_no_version_is_none(text):
    assert parse(text) is None


def test_a_known_version_must_be_one():
    with pytest.raises(ValueError, match="'next' is not a version"):
        version("next")
