# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The tiny guest's whole file system: its init, Perl, Perl's libraries, kernel modules."""

from __future__ import annotations

import os
import re

from .._host.whole_file import read
from . import cpio, process
from .errors import ProveError
from .guest_program import PROGRAM

_PERL = "/usr/bin/perl"
# Debian's perl has 4 MB, its C library 2.
_MOST_BYTES = 64 << 20


def libraries(ldd_output: str) -> list[str]:
    """The absolute paths of the libraries in ldd's output, without the kernel's own."""
    return re.findall(r"(?:=>\s+|^\s*)(/\S+)", ldd_output, re.MULTILINE)


def _perl() -> dict[str, bytes]:
    """{path: bytes} of the host's perl and its libraries."""
    if not os.access(_PERL, os.X_OK):
        raise ProveError(f"{_PERL} is missing; the guest's program needs it (package perl-base)")
    try:
        linked = process.run(
            ["ldd", _PERL], stdout=process.PIPE, stderr=process.PIPE, check=True, universal_newlines=True
        ).stdout
    except (OSError, process.CalledProcessError) as problem:
        raise ProveError(f"ldd {_PERL} does not work: {problem}") from problem
    return {path: read(path, _MOST_BYTES) for path in [_PERL, *libraries(linked)]}


def build(modules: list[tuple[str, bytes]]) -> bytes:
    """The bytes of the initramfs, with modules as kernel.load_order() returns them."""
    files = {path.lstrip("/"): (body, True) for path, body in _perl().items()}
    files["init"] = (PROGRAM.encode(), True)
    for number, (name, body) in enumerate(modules):
        files[f"modules/{number:03d}-{name}.ko"] = (body, False)
    return cpio.archive(files, devices=[("dev/console", 5, 1)])
