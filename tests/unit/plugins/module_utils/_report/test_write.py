# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Reports on disk: all of them, or none."""

from __future__ import annotations

import os

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._report.shape import ReportError
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._report.write import write_all
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._whole_file import Beside, Kept, remove_leftovers


def files(folder):
    return {path.name: path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_each_text_is_in_its_place_and_readable_for_others(tmp_path):
    (tmp_path / "a").write_text("old")
    write_all({str(tmp_path / "a"): "one\n", str(tmp_path / "new/b"): "zwölf \udcff\n"})
    assert files(tmp_path) == {"a": "one\n", "b": "zwölf \\udcff\n"}
    umask = os.umask(0)
    os.umask(umask)
    assert os.stat(tmp_path / "a").st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize("bad", ["folder", "a/b", "pipe", "link"])
def test_where_one_cannot_be_written_none_is(tmp_path, bad):
    """What is no regular file would be replaced by one: a link, as root even a device."""
    (tmp_path / "a").write_text("old")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with pytest.raises(ReportError, match="cannot write the report .*No report was written"):
        write_all({str(tmp_path / "a"): "new", str(tmp_path / bad): "x"})
    assert files(tmp_path) == {"a": "old"}
    assert (tmp_path / "link").is_symlink() and (tmp_path / "pipe").is_fifo()


def contents(folder):
    """What every name in it is: a folder, or a file's text, inode and time."""
    return {
        str(path.relative_to(folder)): None if path.is_dir() else (path.read_text(), path.stat().st_ino, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
    }


@pytest.mark.parametrize("links", [True, False])
def test_where_the_last_cannot_take_its_place_the_others_are_put_back(tmp_path, monkeypatch, links):
    """As in a folder with the sticky bit, where the last is somebody else's file."""
    for name in ("a", "d"):
        (tmp_path / name).write_text("old")
    before = contents(tmp_path)
    take_place = Beside.take_place

    def all_but_the_last(new):
        if new.path.endswith("d") and "new" in open(new._temporary, encoding="utf-8").read():
            raise PermissionError(1, "Operation not permitted")
        take_place(new)

    def no_links(*_arguments, **_options):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Beside, "take_place", all_but_the_last)
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    with pytest.raises(ReportError, match="d: Operation not permitted. No report was written"):
        write_all({str(tmp_path / name): "new" for name in ("a", "b", "x/y/c", "d")})
    if links:
        assert contents(tmp_path) == before
    assert files(tmp_path) == {"a": "old", "d": "old"} and not (tmp_path / "x").exists()


def test_what_cannot_be_put_back_is_named(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("old")

    def broken(one):
        if isinstance(one, Kept) or one.path.endswith("b"):
            raise OSError(5, "io")

    monkeypatch.setattr(Beside, "take_place", broken)
    monkeypatch.setattr(Kept, "put_back", broken)
    with pytest.raises(ReportError, match="could not be put back as they were: .*a[.]$"):
        write_all({str(tmp_path / "a"): "new", str(tmp_path / "b"): "new"})
    assert [path.read_text() for path in tmp_path.glob(".a.*")] == ["old"]


def test_nothing_stays_beside_and_a_folder_of_a_failed_write_is_removed(tmp_path):
    (tmp_path / "a").write_text("old")
    write_all({str(tmp_path / "a"): "new", str(tmp_path / "x/b"): "new"})
    assert sorted(contents(tmp_path)) == ["a", "x", "x/b"]
    with pytest.raises(ReportError):
        write_all({str(tmp_path / "y/z/b"): "new", str(tmp_path / "a/c"): "new"})
    assert sorted(contents(tmp_path)) == ["a", "x", "x/b"]


def test_what_is_kept_is_no_leftover_for_another_run(tmp_path):
    (tmp_path / "a").write_text("old")
    kept = Kept(str(tmp_path / "a"))
    remove_leftovers(str(tmp_path))
    assert len(os.listdir(tmp_path)) == 2
    kept.let_go()
    assert os.listdir(tmp_path) == ["a"]


def test_a_disk_that_fills_leaves_what_was_there(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("old")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ReportError, match="No space left"):
        write_all({str(tmp_path / "a"): "new"})
    assert files(tmp_path) == {"a": "old"}
