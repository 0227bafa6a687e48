# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import shutil
import stat
import subprocess

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove import cpio


def entries(data):
    """What an archive holds, read by the format's description: [(name, mode, body, (major, minor))]."""
    out, place = [], 0
    while True:
        assert data[place : place + 6] == b"070701"
        fields = [int(data[place + 6 + 8 * n : place + 14 + 8 * n], 16) for n in range(13)]
        size, name_size = fields[6], fields[11]
        name = data[place + 110 : place + 110 + name_size - 1].decode()
        assert data[place + 110 + name_size - 1] == 0
        place = (place + 110 + name_size + 3) // 4 * 4
        body = data[place : place + size]
        place = (place + size + 3) // 4 * 4
        if name == "TRAILER!!!":
            assert place == len(data)
            return out
        out.append((name, fields[1], body, (fields[9], fields[10])))


def test_what_goes_in_comes_out():
    found = entries(cpio.archive({"a/b/tool": (b"12345", True), "plain": (b"", False)}, [("dev/console", 5, 1)]))
    assert found == [
        ("a", stat.S_IFDIR | 0o755, b"", (0, 0)),
        ("a/b", stat.S_IFDIR | 0o755, b"", (0, 0)),
        ("a/b/tool", stat.S_IFREG | 0o755, b"12345", (0, 0)),
        ("dev", stat.S_IFDIR | 0o755, b"", (0, 0)),
        ("dev/console", stat.S_IFCHR | 0o600, b"", (5, 1)),
        ("plain", stat.S_IFREG | 0o644, b"", (0, 0)),
    ]


def test_equal_input_gives_equal_bytes():
    one = cpio.archive({"b": (b"1", False), "a": (b"2", False)})
    assert one == cpio.archive({"a": (b"2", False), "b": (b"1", False)})


def test_cpio_reads_it(tmp_path):
    if not shutil.which("cpio"):
        pytest.skip("the program cpio is not installed")
    archive = cpio.archive({"etc/name": (b"guest\n", False)})
    subprocess.run(["cpio", "-i", "-d", "--quiet"], input=archive, cwd=tmp_path, check=True)
    assert (tmp_path / "etc/name").read_bytes() == b"guest\n"
