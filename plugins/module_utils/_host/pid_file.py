# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The process that a pid file names."""

from __future__ import annotations

from .._number import whole_number
from .whole_file import read

_LONGEST = 64


def read_pid(path: str) -> int | None:
    """The process id in a pid file; None where there is no file, or no process id in it.

    Raises PermissionError where the file may not be read: the process may be there.
    """
    try:
        return whole_number(read(path, _LONGEST)) or None
    except PermissionError:
        raise
    except OSError:
        return None
