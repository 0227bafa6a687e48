# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""A cpio archive in the "newc" format, the only one that the Linux kernel unpacks as an initramfs.

Source: Documentation/driver-api/early-userspace/buffer-format.rst of the Linux kernel.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping

_TRAILER = "TRAILER!!!"


def _entry(number: int, name: str, mode: int, body: bytes, device: tuple[int, int] = (0, 0)) -> bytes:
    """One header, name and body, each padded to four bytes as the format requires."""
    path = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(body), 0, 0, device[0], device[1], len(path), 0)
    head = b"070701" + "".join(f"{field:08X}" for field in fields).encode() + path
    head += b"\0" * (-len(head) % 4)
    return head + body + b"\0" * (-len(body) % 4)


def archive(files: Mapping[str, tuple[bytes, bool]], devices: Iterable[tuple[str, int, int]] = ()) -> bytes:
    """The bytes of an initramfs.

    ``files`` is {path without leading slash: (bytes, whether executable)}; parent directories are added. ``devices``
    are character devices, (path, major, minor). Every entry belongs to root and has time zero: equal input gives equal
    bytes.
    """
    nodes = [
        (path, stat.S_IFREG | (0o755 if executable else 0o644), body, (0, 0))
        for path, (body, executable) in files.items()
    ]
    nodes += [(path, stat.S_IFCHR | 0o600, b"", (major, minor)) for path, major, minor in devices]
    folders: set[str] = set()
    for path, _mode, _body, _device in nodes:
        parts = path.split("/")[:-1]
        folders.update("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
    nodes += [(path, stat.S_IFDIR | 0o755, b"", (0, 0)) for path in folders]
    # Sorted, so that a directory comes before its contents.
    nodes.sort(key=lambda node: node[0])
    out = [_entry(number, path, mode, body, device) for number, (path, mode, body, device) in enumerate(nodes, 1)]
    out.append(_entry(0, _TRAILER, 0, b""))
    return b"".join(out)
