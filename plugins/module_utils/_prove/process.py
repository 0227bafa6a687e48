# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The only place where the lab starts programs.

A module's run_command passes no descriptors, returns text instead of bytes, and waits for the end; the lab's nameless
files and its QEMU need all three differently. Argument lists only, never a shell.
"""

from __future__ import annotations

import subprocess
from typing import Any

PIPE, DEVNULL, STDOUT = subprocess.PIPE, subprocess.DEVNULL, subprocess.STDOUT
CalledProcessError = subprocess.CalledProcessError
TimeoutExpired = subprocess.TimeoutExpired


def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[Any]:
    """Run a program to its end: subprocess.run without standard input."""
    return subprocess.run(command, stdin=DEVNULL, **options)  # pylint: disable=ansible-bad-function,subprocess-run-check


def start(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a program: subprocess.Popen without standard input."""
    return subprocess.Popen(command, stdin=DEVNULL, **options)  # pylint: disable=ansible-bad-function
