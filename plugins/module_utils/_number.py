# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Whole numbers from text that somebody else wrote. No I/O."""

from __future__ import annotations

import re

# More digits than any number of the kernel has, and far fewer than Python's int() refuses or needs seconds for.
_WHOLE = re.compile(r"\s*([0-9]{1,20})\s*\Z", re.ASCII)


def whole_number(text: str | bytes) -> int | None:
    """The number that ASCII digits spell, with blanks around them or not; None for anything else and over 20 digits."""
    if isinstance(text, bytes):
        text = text.decode("ascii", "replace")
    found = _WHOLE.match(text)
    return int(found.group(1)) if found else None
