# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Reports on disk: all of them, or none."""

from __future__ import annotations

import os

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._report.shape import ReportError
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._report.write import write_all


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


def test_a_disk_that_fills_leaves_what_was_there(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("old")

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ReportError, match="No space left"):
        write_all({str(tmp_path / "a"): "new"})
    assert files(tmp_path) == {"a": "old"}
