# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The width of the terminal, as a worker of Ansible finds it, and the colours."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import sys
import termios

import pytest
from ansible import constants as C

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils import _terminal
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.text import toned
from ansible_collections.hypervisor.io_hardening.tests.playbooks import COLLECTIONS

# A worker of ansible-core is a child whose output is not the terminal.
WORKER = """
import os, sys
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._terminal import width
read, write = os.pipe()
if not os.fork():
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.write(write, str(width()).encode())
    os._exit(0)
os.wait()
print(os.read(read, 9).decode(), file=sys.stderr)
"""


def width(output):
    environment = {**os.environ, "PYTHONPATH": str(COLLECTIONS), "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-c", WORKER]
    done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, env=environment, text=True, check=True)
    return int(done.stderr)


@pytest.mark.parametrize(("columns", "wanted"), [(40, 40), (80, 80), (200, 80), (5, 20), (0, 80)])
def test_lines_are_as_wide_as_the_terminal_and_at_most_80_columns(columns, wanted):
    keeper, terminal = os.openpty()
    try:
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        assert width(terminal) == wanted
    finally:
        os.close(keeper)
        os.close(terminal)


def test_where_the_output_is_no_terminal_lines_have_80_columns(tmp_path):
    with (tmp_path / "output").open("w") as file:
        assert width(file) == 80
    assert width(subprocess.PIPE) == 80


def test_each_tone_has_the_colour_that_ansible_has_for_it(monkeypatch):
    seen = []
    monkeypatch.setattr(_terminal.display, "display", lambda line, color=None: seen.append((str(line), color)))
    _terminal.show([*toned("error", ["bad"]), *toned("waits", ["waits"]), *toned("ok", ["good"]), "plain"])
    assert seen == [("bad", C.COLOR_ERROR), ("waits", C.COLOR_CHANGED), ("good", C.COLOR_OK), ("plain", None)]
