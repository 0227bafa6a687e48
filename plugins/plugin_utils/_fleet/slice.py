# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A findings document as one short word of ASCII, to be handed from job to job.

What carries it (extra variables of the next job) may read text as templates: in this form there is
nothing of a guest's name to be read.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib

from .._render.to_json import dumps
from .document import ReportError


def pack(document) -> str:
    """The document as text without braces, blanks and quotes."""
    return base64.b64encode(zlib.compress(dumps(document).encode("ascii"))).decode("ascii")


def unpack(text, where: str = "the part"):
    """The document that `pack` was given; raises ReportError where the text is none of its."""
    try:
        return json.loads(zlib.decompress(base64.b64decode(text, validate=True)))
    except (binascii.Error, zlib.error, ValueError, TypeError) as exc:
        raise ReportError("%s is not what the module report returned as part: %s" % (where, exc)) from exc
