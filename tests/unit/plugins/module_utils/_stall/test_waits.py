# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""System calls and kernel stacks in words."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._stall.waits import (
    cause,
    functions,
    parse_syscall,
    syscall_name,
)

TAG = """[<0>] blk_mq_get_tag+0x11e/0x2b0
[<0>] __blk_mq_alloc_requests+0x1a9/0x2e0
[<0>] blk_mq_submit_bio+0x2d8/0x6f0
[<0>] iomap_dio_rw+0xa/0x30
[<0>] ext4_file_write_iter+0x1a6/0x770
[<0>] aio_write+0x12c/0x1f0
[<0>] io_submit_one+0xe5/0x370
"""
JOURNAL = """[<0>] do_get_write_access+0x270/0x3d0
[<0>] jbd2_journal_get_write_access+0x58/0x80
[<0>] ext4_dirty_inode+0x5a/0x80
[<0>] file_update_time+0x60/0x70
"""


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        (TAG, ("waiting for request tags", True)),
        (JOURNAL, ("waiting for the file system's journal", True)),
        (
            "[<0>] io_schedule+0x46/0x70\n[<0>] balance_dirty_pages_ratelimited_flags+0x3/0x4\n",
            ("held back because too many dirty pages wait for write-back", False),
        ),
        ("[<0>] request_wait_answer+0x1/0x2\n", ("waiting for the server of a FUSE file system", False)),
        ("[<0>] rpc_wait_bit_killable+0x1/0x2\n", ("waiting for an NFS server", False)),
        ("[<0>] cv_wait_common+0x1/0x2 [spl]\n", ("waiting for ZFS", False)),
        ("[<0>] __iomap_dio_rw+0x1/0x2\n", ("waiting for direct I/O", True)),
        ("[<0>] kernel_clone+0x1/0x2\n", ("waiting in kernel_clone", False)),
        ("blk_mq_get_tag", ("waiting for request tags", True)),
        ("[<0>] io_schedule+0x1/0x2\n", ("waiting in io_schedule", False)),
        ("", None),
    ],
)
def test_causes(stack, expected):
    assert cause(functions(stack)) == expected


def test_functions_are_names_alone_innermost_first():
    assert functions(TAG)[0] == "blk_mq_get_tag"
    assert functions(TAG)[-1] == "io_submit_one"
    assert functions("[<ffffffff8112ab30>] ep_poll+0x1/0x2\n") == ["ep_poll"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("209 0x7f12 0x1 0x2 0x0 0x0 0x0 0x7ffc 0x7f13\n", (209, 0x7F12)),
        ("running\n", None),
        ("-1 0x7ffc 0x7f13\n", None),
        ("", None),
        ("209 x", None),
    ],
)
def test_syscall_text(text, expected):
    assert parse_syscall(text) == expected


@pytest.mark.parametrize(
    ("number", "machine", "expected"),
    [
        (209, "x86_64", "io_submit"),
        (426, "x86_64", "io_uring_enter"),
        (2, "aarch64", "io_submit"),
        (296, "x86_64", "pwritev"),
        (9999, "x86_64", "syscall 9999"),
        (209, "unheard-of", "syscall 209"),
    ],
)
def test_syscall_names(number, machine, expected):
    assert syscall_name(number, machine) == expected
