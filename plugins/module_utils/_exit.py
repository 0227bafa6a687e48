# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Leaving a module with a list too long to hold in memory several times over.

``exit_json`` copies what it is given and joins it into one text: ten thousand guests would take some 200 MB of a
hypervisor's memory. Here the list goes item by item to a temporary file and from there to stdout.
"""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterable
from typing import Any

_IN_MEMORY = 4 * 1024 * 1024


def exit_json(module: Any, name: str, items: Iterable[Any], rest: Callable[[], dict[str, Any]]) -> None:
    """As ``module.exit_json`` with the list ``name`` of ``items``, taken one by one, and what ``rest`` gives after the
    last.

    The items are plain JSON values that hold no secret: they are not searched for any.
    """
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, mode="w+", encoding="utf-8", dir=module.tmpdir) as spool:
        lead = ""
        for item in items:
            spool.write(lead)
            spool.write(json.dumps(item))
            lead = ", "
        place = f"items-{uuid.uuid4()}"
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                module.exit_json(**{name: place}, **rest())
        finally:
            before, found, after = printed.getvalue().partition(f'"{place}"')
            sys.stdout.write(before)
            if found:
                sys.stdout.write("[")
                spool.seek(0)
                shutil.copyfileobj(spool, sys.stdout)
                sys.stdout.write("]")
            sys.stdout.write(after)
