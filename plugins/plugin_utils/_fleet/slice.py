# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A findings document as one short ASCII word, to be passed from job to job.

Extra variables of the next job may be read as templates: in this form no text of a guest's name is left.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from typing import Any

from .document import Document, ReportError, dumps


def pack(document: Document) -> str:
    """The document as text without braces, blanks and quotes."""
    return base64.b64encode(zlib.compress(dumps(document).encode("ascii"))).decode("ascii")


def unpack(text: Any, where: str = "the part") -> Any:
    """The document that was packed. Raises ReportError where ``text`` does not come from ``pack``."""
    try:
        return json.loads(zlib.decompress(base64.b64decode(text, validate=True)))
    except (binascii.Error, zlib.error, ValueError, TypeError) as exc:
        raise ReportError(f"{where} is not what the module report returned as part: {exc}") from exc
