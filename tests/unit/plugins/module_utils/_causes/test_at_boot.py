# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The last word of a boot is found, with its place."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._causes import at_boot


def test_the_last_sysctl_file_counts():
    texts = [
        ("/etc/sysctl.d/10-a.conf", "vm.swappiness=10\n"),
        ("/etc/sysctl.d/99-b.conf", "# a\nvm/swappiness = 60\n"),
    ]
    found = at_boot.sysctl_settings(texts, ["vm.swappiness", "dev.raid.speed_limit_max"])
    assert found == {
        "vm.swappiness": {"value": "60", "file": "/etc/sysctl.d/99-b.conf", "line": 2},
        "dev.raid.speed_limit_max": None,
    }


@pytest.mark.parametrize(
    ("text", "value", "line"),
    [
        ("options zfs zfs_arc_max=1 zfs_arc_min=2\n", "1", 1),
        ("# options zfs zfs_arc_max=1\noptions zfs zfs_arc_max=2\noptions zfs zfs_arc_max=3", "3", 3),
        ("options zfs \\\n  zfs_prefetch_disable=1 \\\n  zfs_arc_max=4\n", "4", 1),
        ('options zfs zfs_arc_max="5"\n', "5", 1),
    ],
)
def test_a_module_gets_the_last_option(text, value, line):
    found = at_boot.module_settings([("/etc/modprobe.d/zfs.conf", text)], "zfs", ["zfs_arc_max"])["zfs_arc_max"]
    assert found == {"value": value, "file": "/etc/modprobe.d/zfs.conf", "line": line}


@pytest.mark.parametrize(
    "text",
    ["options spl zfs_arc_max=1\n", "install zfs zfs_arc_max=1\n", "options zfs zfs_arc_max\n", "options zfs\n", "\\"],
)
def test_what_sets_no_option_is_none(text):
    assert at_boot.module_settings([("/a.conf", text)], "zfs", ["zfs_arc_max"]) == {"zfs_arc_max": None}


@pytest.mark.parametrize("kind", ["w", "w+", "w!", "w-", "w+!"])
def test_tmpfiles_write_into_a_file(kind):
    text = f"{kind} {at_boot.THP} - - - - always\nd /run/a 0755 root root -\nw {at_boot.THP}\n"
    assert at_boot.tmpfiles_settings([("/a.conf", text)], at_boot.THP) == [
        {"value": "always", "file": "/a.conf", "line": 1}
    ]


def test_our_texts_are_read_back_as_they_were_meant():
    assert (
        at_boot.sysctl_settings([("a", at_boot.sysctl_text({"vm.swappiness": "10"}))], ["vm.swappiness"])[
            "vm.swappiness"
        ]["value"]
        == "10"
    )
    assert (
        at_boot.module_settings([("a", at_boot.modprobe_text({"zfs_arc_max": "9"}))], "zfs", ["zfs_arc_max"])[
            "zfs_arc_max"
        ]["value"]
        == "9"
    )
    assert (
        at_boot.tmpfiles_settings([("a", at_boot.tmpfiles_text({"x": "madvise"}))], at_boot.THP)[0]["value"]
        == "madvise"
    )
