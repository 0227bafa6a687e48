# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Kernel stacks and system calls in words. No I/O.

Source: the kernel's arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h, and stacks recorded
under load.
"""

from __future__ import annotations

import re

from .._number import whole_number

_X86_64 = {
    0: "read",
    1: "write",
    7: "poll",
    16: "ioctl",
    17: "pread64",
    18: "pwrite64",
    19: "readv",
    20: "writev",
    74: "fsync",
    75: "fdatasync",
    202: "futex",
    208: "io_getevents",
    209: "io_submit",
    232: "epoll_wait",
    257: "openat",
    271: "ppoll",
    281: "epoll_pwait",
    285: "fallocate",
    295: "preadv",
    296: "pwritev",
    327: "preadv2",
    328: "pwritev2",
    333: "io_pgetevents",
    426: "io_uring_enter",
}
_GENERIC = {
    2: "io_submit",
    4: "io_getevents",
    22: "epoll_pwait",
    29: "ioctl",
    47: "fallocate",
    56: "openat",
    63: "read",
    64: "write",
    65: "readv",
    66: "writev",
    67: "pread64",
    68: "pwrite64",
    69: "preadv",
    70: "pwritev",
    73: "ppoll",
    82: "fsync",
    83: "fdatasync",
    98: "futex",
    286: "preadv2",
    287: "pwritev2",
    292: "io_pgetevents",
    426: "io_uring_enter",
}
_TABLES = {"x86_64": _X86_64, "aarch64": _GENERIC, "riscv64": _GENERIC}

#: System calls that submit I/O; a thread that blocks in one blocks everything that waits for that thread.
SUBMITTING = frozenset(("io_submit", "io_uring_enter"))
#: System calls whose first argument is the descriptor they work on.
ON_DESCRIPTOR = frozenset(
    (
        "read",
        "write",
        "pread64",
        "pwrite64",
        "readv",
        "writev",
        "preadv",
        "pwritev",
        "preadv2",
        "pwritev2",
        "fsync",
        "fdatasync",
        "fallocate",
    )
)
FUTEX = "futex"

_FRAME = re.compile(r"^(?:\[<[0-9a-fx]*>\] )?([A-Za-z_][\w.]*)")

# The first match wins: (pattern of functions, words, whether "of DEVICE" can follow).
_CAUSES = (
    (r"balance_dirty_pages", "held back because too many dirty pages wait for write-back", False),
    (
        r"(?:__)?blk_mq_(?:get_tag|alloc_request|get_new_requests)|get_request_wait|sbitmap",
        "waiting for request tags",
        True,
    ),
    (
        r"do_get_write_access|jbd2_|start_this_handle|wait_transaction|add_transaction_credits|jbd2",
        "waiting for the file system's journal",
        True,
    ),
    (r"xlog_|xfs_log", "waiting for the file system's log", True),
    (
        r"rq_qos_wait|wbt_wait|__wbt_wait|iocg_|ioc_rqos|blk_iolatency",
        "held back by the block layer's throttling",
        True,
    ),
    (r"blk_throtl|throtl_", "held back by an I/O limit of its control group", True),
    (
        r"folio_wait_writeback|wait_on_page_writeback|filemap_fdatawait|file_write_and_wait",
        "waiting for write-back",
        True,
    ),
    (r"request_wait_answer|fuse_", "waiting for the server of a FUSE file system", False),
    (r"rpc_wait|nfs_|nfs4_", "waiting for an NFS server", False),
    (r"cifs_|smb2_|wait_for_response", "waiting for an SMB server", False),
    (r"txg_|zil_|dmu_|cv_wait|zio_", "waiting for ZFS", False),
    (r"ceph_|rbd_|osdc", "waiting for Ceph", False),
    (r"blkdev_issue_flush|submit_bio_wait|blk_execute_rq", "waiting for the device to respond", True),
    (r"inode_lock|rwsem_down|down_write|down_read", "waiting for a lock of the image's inode", False),
    (r"iomap_dio|dio_|blkdev_direct|__blockdev_direct", "waiting for direct I/O", True),
    (r"filemap_|folio_wait|page_cache|readahead", "waiting for a page to be read", True),
    (r"swap|shrink_|try_to_free|mem_cgroup", "waiting for free memory", False),
)
_PATTERNS = tuple((re.compile(f"_*(?:{pattern})"), words, of_device) for pattern, words, of_device in _CAUSES)
# Frames at the bottom of every wait, which say nothing about its cause.
_PLAIN = re.compile(
    r"(?:io_schedule|schedule|__schedule|wait_for_completion|bit_wait|out_of_line_wait|__wait_on_bit|__switch_to)"
)


def syscall_name(number: int, machine: str) -> str:
    """The name of a system call of this machine (as uname names it), "syscall 999" if it is not in the tables."""
    return _TABLES.get(machine, {}).get(number) or f"syscall {number}"


def parse_syscall(text: str) -> tuple[int, int] | None:
    """(number, first argument) of /proc/TID/syscall; None for a thread that is running or not in a system call."""
    words = text.split()
    number = whole_number(words[0]) if len(words) > 1 else None
    try:
        return None if number is None else (number, int(words[1], 16))
    except ValueError:
        return None


def functions(stack: str) -> list[str]:
    """The function names in /proc/TID/stack, innermost first, or in /proc/TID/wchan, which is one name."""
    names = []
    for line in stack.splitlines():
        frame = _FRAME.match(line.strip())
        if frame is not None:
            names.append(frame.group(1))
    return names


def cause(names: list[str]) -> tuple[str, bool] | None:
    """(words, whether "of DEVICE" can follow) for a stack's function names; None for an empty stack."""
    # The innermost frame that matches a cause decides.
    for name in names:
        if _PLAIN.match(name):
            continue
        for pattern, words, of_device in _PATTERNS:
            if pattern.match(name):
                return words, of_device
    telling = [name for name in names if not _PLAIN.match(name)] or names
    return (f"waiting in {telling[0]}", False) if telling else None
