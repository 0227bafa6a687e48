# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The terminal that a run is shown on: how wide it is, and its colours."""

from __future__ import annotations

import os
from collections.abc import Iterable

from ansible import constants as C
from ansible.utils.display import Display

#: Columns of lines where the output is no terminal, and the most on a terminal.
WIDEST = 80
#: Columns below which nothing is readable any more.
_NARROWEST = 20

_COLORS = {"error": "COLOR_ERROR", "warning": "COLOR_WARN", "waits": "COLOR_CHANGED", "ok": "COLOR_OK"}

display = Display()


def show(lines: Iterable[str]) -> None:
    """Print the lines, in the colour of their ``tone`` where Ansible has colour."""
    for line in lines:
        tone = getattr(line, "tone", None)
        display.display(line, color=getattr(C, _COLORS[tone])) if tone else display.display(line)


def width() -> int:
    """Columns to print in.

    Ansible's own ``display.columns`` is never below 79, and a worker's output is not the terminal: its parent's is.
    """
    for process in ("self", str(os.getppid())):
        try:
            path = os.readlink(f"/proc/{process}/fd/1")
            if not path.startswith(("/dev/pts/", "/dev/tty")):
                continue
            terminal = os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError:
            continue
        try:
            return max(_NARROWEST, min(os.get_terminal_size(terminal).columns or WIDEST, WIDEST))
        except OSError:
            continue
        finally:
            os.close(terminal)
    return WIDEST
