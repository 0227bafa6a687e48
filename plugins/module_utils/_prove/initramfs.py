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


def libraries(ldd_output):
    """The absolute paths of the libraries in what ldd printed, without the kernel's own."""
    return re.findall(r"(?:=>\s+|^\s*)(/\S+)", ldd_output, re.MULTILINE)


def _perl():
    """{path: bytes} of the host's perl and what it is linked with."""
    if not os.access(_PERL, os.X_OK):
        raise ProveError("%s is missing; the guest's program needs it (package perl-base)" % _PERL)
    try:
        linked = process.run(
            ["ldd", _PERL], stdout=process.PIPE, stderr=process.PIPE, check=True, universal_newlines=True
        ).stdout
    except (OSError, process.CalledProcessError) as problem:
        raise ProveError("ldd %s does not work: %s" % (_PERL, problem)) from problem
    return {path: read(path, _MOST_BYTES) for path in [_PERL, *libraries(linked)]}


def build(modules):
    """The bytes of the initramfs. modules: [(name, bytes)] in load order (kernel.load_order)."""
    files = {path.lstrip("/"): (body, True) for path, body in _perl().items()}
    files["init"] = (PROGRAM.encode(), True)
    for number, (name, body) in enumerate(modules):
        files["modules/%03d-%s.ko" % (number, name)] = (body, False)
    return cpio.archive(files, devices=[("dev/console", 5, 1)])
