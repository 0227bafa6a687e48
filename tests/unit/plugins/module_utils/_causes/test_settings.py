# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What is set is set as asked or refused with a sentence, and can be given back."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._causes import settings as _settings
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._causes.settings import CausesSettings
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.tree import Tree
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._model.findings import change
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._settings.seam import Refused, SettingsError
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._causes import host

ALL = (host.ZFS, host.MD, host.DISK)
GIB8 = str(8 << 30)
EACH = [
    ("kernel", "vm.swappiness", "60", "10"),
    ("kernel", "dev.raid.speed_limit_max", "200000", "51200"),
    ("kernel", "transparent_hugepage", "madvise", "always"),
    ("module zfs", "zfs_arc_max", "0", GIB8),
    ("disk wwn-0x5000c500a1b2c3d4", "wbt_lat_usec", "0", "75000"),
    ("array md0", "sync_speed_max", None, "51200"),
    ("sysctl.d", "vm.swappiness", None, "10"),
    ("sysctl.d", "dev.raid.speed_limit_max", None, "51200"),
    ("modprobe.d", "zfs_arc_max", None, GIB8),
    ("tmpfiles.d", "transparent_hugepage", None, "madvise"),
]


def of(tmp_path, *parts):
    return CausesSettings(Tree(str(host.host(tmp_path, *ALL, *parts))))


def text(tmp_path, path):
    return (tmp_path / path[1:]).read_text()


@pytest.mark.parametrize(("key", "option", "before", "after"), EACH)
def test_a_setting_is_read_set_and_given_back(tmp_path, key, option, before, after):
    there = change(key, option, before, after)
    back = {**there, "before": after, "after": before}
    settings = of(tmp_path)
    for one, value in ((there, after), (back, before)):
        settings.check(one)
        assert settings.now([key])[key, option] == one["before"]
        settings.write(key, [one])
        assert settings.now([key])[key, option] == value


def test_our_files_are_written_whole_and_gone_when_nothing_is_left(tmp_path):
    settings = of(tmp_path)
    settings.write("sysctl.d", [change("sysctl.d", "vm.swappiness", None, "10")])
    settings.write("sysctl.d", [change("sysctl.d", "dev.raid.speed_limit_max", None, "51200")])
    head = "# Written by the hypervisor.io_hardening collection (role io_host); edits are overwritten.\n"
    assert text(tmp_path, host.SYSCTL_FILE) == head + "dev.raid.speed_limit_max = 51200\nvm.swappiness = 10\n"
    settings.write("sysctl.d", [change("sysctl.d", "vm.swappiness", "10", None)])
    assert text(tmp_path, host.SYSCTL_FILE) == head + "dev.raid.speed_limit_max = 51200\n"
    settings.write("sysctl.d", [change("sysctl.d", "dev.raid.speed_limit_max", "51200", None)])
    assert not (tmp_path / host.SYSCTL_FILE[1:]).exists()
    settings.write("sysctl.d", [change("sysctl.d", "vm.swappiness", None, None)])
    # The folders that were made for it go with it.
    assert not (tmp_path / "etc").exists()


def test_the_other_files_are_as_their_manuals_have_them(tmp_path):
    settings = of(tmp_path)
    settings.write("modprobe.d", [change("modprobe.d", "zfs_arc_max", None, GIB8)])
    settings.write("tmpfiles.d", [change("tmpfiles.d", "transparent_hugepage", None, "madvise")])
    assert text(tmp_path, host.MODPROBE_FILE).endswith("\noptions zfs zfs_arc_max=8589934592\n")
    assert text(tmp_path, host.TMPFILES_FILE).endswith(
        "\nw /sys/kernel/mm/transparent_hugepage/enabled - - - - madvise\n"
    )


def test_what_is_gone_has_no_options(tmp_path):
    settings = CausesSettings(Tree(str(host.host(tmp_path))))
    assert settings.now(["module zfs", "array md0", "disk wwn-0x1", "kernel"]) == {
        ("kernel", "vm.swappiness"): "60",
        ("kernel", "transparent_hugepage"): "madvise",
    }


def test_an_array_with_a_speed_of_its_own_gets_the_systems_back(tmp_path):
    settings = of(tmp_path, {"/sys/block/md0/md/sync_speed_max": "100000 (local)\n"})
    assert settings.now(["array md0"]) == {("array md0", "sync_speed_max"): "100000"}
    settings.write("array md0", [change("array md0", "sync_speed_max", "100000", None)])
    assert text(tmp_path, "/sys/block/md0/md/sync_speed_max") == "200000 (system)\n"


@pytest.mark.parametrize(
    ("key", "option", "before", "after", "said"),
    [
        ("kernel", "vm.dirty_ratio", "1", "2", "kernel has no 'vm.dirty_ratio'; it has vm.swappiness, dev.raid"),
        ("kernel", "vm.swappiness", "60", "201", "vm.swappiness of kernel is '201'; it takes a number up to 200"),
        ("kernel", "vm.swappiness", "60", "1\nkernel.sysrq=1", "it takes a number"),
        ("kernel", "vm.swappiness", "60", None, "vm.swappiness of kernel is null"),
        ("kernel", "vm.swappiness", 60, "10", "is 60; it takes a number"),
        ("kernel", "vm.swappiness", "60", "010", "it takes a number"),
        ("kernel", "transparent_hugepage", "always", "often", "it takes one of always, madvise, never"),
        ("module zfs", "zfs_arc_min", "0", "1", "it has zfs_arc_max"),
        ("disk ../../etc", "wbt_lat_usec", "0", "1", "is not known; known are kernel, module zfs, disk, array"),
        ("disk ..", "wbt_lat_usec", "0", "1", "is not known"),
        ("array sda", "sync_speed_max", "0", "1", "is not known"),
        ("disk sda", "nr_requests", "0", "1", "it has wbt_lat_usec"),
        ("disk sda", "wbt_lat_usec", None, "1", "wbt_lat_usec of disk sda is null"),
        ("modprobe.d", "install", None, "1", "modprobe.d has no 'install'; it has zfs_arc_max"),
        ("/etc/passwd", "vm.swappiness", None, "1", "'/etc/passwd' is not known"),
    ],
)
def test_what_is_not_ours_is_refused(tmp_path, key, option, before, after, said):
    with pytest.raises(SettingsError) as caught:
        of(tmp_path).check(change(key, option, before, after))
    assert said in str(caught.value)


def test_a_ceiling_that_openzfs_would_ignore_is_refused(tmp_path):
    settings = of(tmp_path)
    with pytest.raises(Refused, match=r"^zfs_arc_max 2105137280 is not above the ARC's minimum of 2105137280 bytes"):
        settings.write("module zfs", [change("module zfs", "zfs_arc_max", "0", "2105137280")])
    assert settings.now(["module zfs"]) == {("module zfs", "zfs_arc_max"): "0"}


def test_a_ceiling_that_openzfs_ignores_nevertheless_is_taken_back(tmp_path):
    settings = CausesSettings(host.live(host.host(tmp_path, *ALL)))
    with pytest.raises(Refused, match="OpenZFS ignores zfs_arc_max 8589934592, the ARC's ceiling stays") as caught:
        settings.write("module zfs", [change("module zfs", "zfs_arc_max", "0", GIB8)])
    assert caught.value.reason == "not_proven"
    assert text(tmp_path, "/sys/module/zfs/parameters/zfs_arc_max") == "0\n"


def test_giving_back_the_default_gives_back_the_ceiling_as_well(tmp_path, monkeypatch):
    settings, written = CausesSettings(host.live(host.host(tmp_path, *ALL))), []
    monkeypatch.setattr(settings, "_put", lambda _path, value, *_more: written.append(value))
    settings.write("module zfs", [change("module zfs", "zfs_arc_max", GIB8, "0")])
    assert written == [str(65785540 * 1024 - (1 << 30)), "0"]


@pytest.mark.parametrize(
    ("version", "total", "expected"),
    [
        ((2, 3), 64 << 30, 63 << 30),
        ((2, 2), 64 << 30, 32 << 30),
        ((2, 4), 2 << 30, 5 << 28),
        (None, 1, None),
        ((2, 3), None, None),
    ],
)
def test_the_default_ceiling_is_that_of_the_version(version, total, expected):
    assert _settings.default_arc_max(version, total) == expected


def test_what_was_written_is_taken_back_where_the_next_one_fails(tmp_path, monkeypatch):
    settings = of(tmp_path)
    put = settings._put

    def read_only(path, *more):
        if path.endswith("enabled"):
            raise OSError(30, "Read-only file system", path)
        put(path, *more)

    monkeypatch.setattr(settings, "_put", read_only)
    changes = [
        change("kernel", "vm.swappiness", "60", "10"),
        change("kernel", "transparent_hugepage", "madvise", "always"),
    ]
    with pytest.raises(OSError, match="Read-only file system"):
        settings.write("kernel", changes)
    assert settings.now(["kernel"])["kernel", "vm.swappiness"] == "60"


def test_a_link_in_place_of_our_file_is_refused(tmp_path):
    settings = of(tmp_path, {host.SYSCTL_FILE: "-> /etc/sysctl.conf", "/etc/sysctl.conf": "vm.swappiness = 1\n"})
    with pytest.raises(Refused, match="is a link to /etc/sysctl.conf: remove it"):
        settings.write("sysctl.d", [change("sysctl.d", "vm.swappiness", "1", "10")])
    assert text(tmp_path, "/etc/sysctl.conf") == "vm.swappiness = 1\n"


def test_a_read_only_file_of_the_kernel_is_an_error_with_its_path(tmp_path):
    settings = CausesSettings(host.live(host.host(tmp_path, *ALL)))
    place = tmp_path / "proc/sys/vm/swappiness"
    place.unlink()
    place.mkdir()
    with pytest.raises(OSError) as caught:
        settings.write("kernel", [change("kernel", "vm.swappiness", "60", "10")])
    assert str(caught.value.filename).endswith("/proc/sys/vm/swappiness")


def test_a_link_in_place_of_our_file_is_said_before_the_write(tmp_path):
    settings = of(tmp_path, {host.SYSCTL_FILE: "-> /etc/sysctl.conf"})
    with pytest.raises(Refused, match="is a link to /etc/sysctl.conf: remove it"):
        settings.now(["sysctl.d"])


def test_what_another_run_wrote_since_is_kept(tmp_path):
    settings = of(tmp_path, {host.SYSCTL_FILE: "vm.swappiness = 5\n"})
    with pytest.raises(Refused, match="vm.swappiness is 5 and was not set when it was read") as caught:
        settings.write("sysctl.d", [change("sysctl.d", "vm.swappiness", None, "10")])
    assert caught.value.reason == "changed_since"
    assert text(tmp_path, host.SYSCTL_FILE) == "vm.swappiness = 5\n"
