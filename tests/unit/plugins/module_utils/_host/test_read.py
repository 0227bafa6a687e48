# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Reading a host's files: bounded, links inside the root, pid files, the kernel's account of the memory."""

from __future__ import annotations

import os

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host import meminfo
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.pid_file import read_pid
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.tree import Tree
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.whole_file import read, read_start


def test_a_file_is_read_whole_or_not_at_all(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 200000)
    assert read(str(tmp_path / "a"), 200000) == b"x" * 200000
    with pytest.raises(OSError, match="is larger than 199999 bytes"):
        read(str(tmp_path / "a"), 199999)
    (tmp_path / "b").write_bytes(b"x" * ((1 << 21) + 1))
    with pytest.raises(OSError, match="is larger than 2 MiB"):
        read(str(tmp_path / "b"), 1 << 21)


def test_the_start_of_a_file_is_cut_at_the_bound(tmp_path):
    (tmp_path / "a").write_bytes(b"ab" * 100000)
    for limit in (0, 1, 65536, 65537, 200000, 300000):
        assert read_start(str(tmp_path / "a"), limit) == (b"ab" * 100000)[:limit]


def test_a_link_is_followed_unless_it_must_not_be(tmp_path):
    (tmp_path / "a").write_text("text")
    (tmp_path / "link").symlink_to("a")
    assert read(str(tmp_path / "link"), 10) == b"text"
    with pytest.raises(OSError, match="is a link"):
        read(str(tmp_path / "link"), 10, follow=False)


@pytest.mark.parametrize("follow", [True, False])
def test_what_is_not_a_regular_file_is_not_opened(tmp_path, follow):
    os.mkfifo(tmp_path / "pipe")
    for name in (".", "pipe"):
        with pytest.raises(OSError, match="is not a regular file"):
            read(str(tmp_path / name), 10, follow)


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("link", "/etc/file"),
        ("link", "../../../../../etc/file"),
        ("etc/link", "file"),
        ("etc/link", "/etc/file"),
        ("link", "/etc/directory/../file"),
        ("link", "/link2/file"),
    ],
)
def test_a_link_leads_where_it_would_lead_on_the_host(tmp_path, link, target):
    """Nothing outside the root is reached, although this machine has a file at most of these places too."""
    (tmp_path / "etc/directory").mkdir(parents=True)
    (tmp_path / "etc/file").write_text("inside")
    (tmp_path / "link2").symlink_to("/etc")
    (tmp_path / link).symlink_to(target)
    tree = Tree(str(tmp_path))
    assert tree.read(f"/{link}") == b"inside"
    assert tree.resolve(f"/{link}") == "/etc/file"


def test_a_file_outside_the_root_is_not_there(tmp_path):
    (tmp_path / "outside").write_text("secret")
    (tmp_path / "root").mkdir()
    for name, target in (("absolute", tmp_path / "outside"), ("relative", "../outside")):
        (tmp_path / "root" / name).symlink_to(target)
        assert Tree(str(tmp_path / "root")).read(f"/{name}") is None


@pytest.mark.parametrize(
    ("text", "pid"), [("123\n", 123), (" 7 ", 7), ("", None), ("0\n", None), ("-1", None), ("12 13", None), ("²", None)]
)
def test_a_pid_file_names_one_process(tmp_path, text, pid):
    (tmp_path / "a.pid").write_text(text)
    assert read_pid(str(tmp_path / "a.pid")) == pid


def test_a_missing_or_overlong_pid_file_names_no_process(tmp_path):
    (tmp_path / "long.pid").write_text(" " * 70 + "1")
    assert [read_pid(str(tmp_path / name)) for name in ("gone.pid", "long.pid", ".")] == [None] * 3


def test_the_memory_in_bytes():
    text = "MemTotal:        8000000 kB\nHugePages_Total:       0\nodd\nDirty:\nWriteback: ² kB\n"
    assert meminfo.parse(text) == {"MemTotal": 8192000000, "HugePages_Total": 0}
