# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Reports on disk: each file is the whole new report, or stays as it was."""

from __future__ import annotations

import os

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.write import write_all


def files(folder):
    return {path.name: path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_each_text_is_in_its_place_and_readable_for_others(tmp_path):
    (tmp_path / "a").write_text("old")
    assert write_all({str(tmp_path / "a"): "one\n", str(tmp_path / "new/b"): "zwölf \udcff\n"}) == {}
    assert files(tmp_path) == {"a": "one\n", "b": "zwölf \\udcff\n"}
    umask = os.umask(0)
    os.umask(umask)
    assert os.stat(tmp_path / "a").st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("folder", "it is a folder: name a file in it"),
        ("a/b", "/a is not a folder: remove it, or name another path"),
        ("a/b/c", "/a is not a folder: remove it, or name another path"),
        ("link/b", "/link is not a folder: remove it, or name another path"),
        ("pipe", "it is not a regular file: remove it, or name another path"),
        ("link", "it is not a regular file: remove it, or name another path"),
        ("link-to-a", "it is not a regular file: remove it, or name another path"),
    ],
)
def test_what_cannot_be_written_is_named_and_the_others_are_written(tmp_path, bad, why):
    """Anything but a regular file would be replaced by one: a link, as root even a device."""
    (tmp_path / "a").write_text("old")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "link-to-a").symlink_to("a")
    failed = write_all({str(tmp_path / bad): "x", str(tmp_path / "c"): "new"})
    assert list(failed) == [str(tmp_path / bad)] and failed[str(tmp_path / bad)].endswith(why)
    assert files(tmp_path) == {"a": "old", "link-to-a": "old", "c": "new"}
    assert (tmp_path / "link").is_symlink() and (tmp_path / "link-to-a").is_symlink() and (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, call):
    (tmp_path / "a").write_text("old")

    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, full)
    assert write_all({str(tmp_path / "a"): "new"}) == {str(tmp_path / "a"): "No space left on device"}
    assert os.listdir(tmp_path) == ["a"] and files(tmp_path) == {"a": "old"}


@pytest.mark.parametrize("why", ["Permission denied", "Read-only file system"])
def test_a_folder_that_cannot_be_made_is_said_with_the_folder_that_is_there(tmp_path, monkeypatch, why):
    def refused(*_arguments, **_options):
        raise OSError(13, why)

    monkeypatch.setattr(os, "mkdir", refused)
    failed = write_all({str(tmp_path / "x/y/a"): "new"})
    assert failed == {str(tmp_path / "x/y/a"): f"no folder can be made in {tmp_path} ({why}): name another path"}


def test_a_file_system_that_takes_no_file_is_one():
    """A real one: not even root makes a file there."""
    why = write_all({"/proc/reports/a": "new"})["/proc/reports/a"]
    assert why.startswith("no folder can be made in /proc (") and why.endswith("): name another path")


def test_a_file_that_cannot_be_replaced_does_not_stop_the_others(tmp_path, monkeypatch):
    """As in a folder with the sticky bit, where the last is somebody else's file."""
    (tmp_path / "d").write_text("old")
    replace = os.replace

    def all_but_the_last(temporary, path):
        if path.endswith("d"):
            raise PermissionError(1, "Operation not permitted")
        replace(temporary, path)

    monkeypatch.setattr(os, "replace", all_but_the_last)
    failed = write_all({str(tmp_path / name): "new" for name in ("a", "x/y/c", "d")})
    assert failed == {str(tmp_path / "d"): "Operation not permitted: name a folder that this user can write to"}
    assert files(tmp_path) == {"a": "new", "c": "new", "d": "old"}
