# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The findings document as JSON text: one item a line, so that two reports can be compared with diff.

The text is ASCII: a guest's name cannot break the file, whatever reads it.
"""

from __future__ import annotations

from typing import Any

from .._fleet.document import check_document, dumps


def json_report(document: Any) -> str:
    """``document`` as JSON text that docs/findings.schema.json describes.

    Each item of its lists and each of its other values is on a line of its own.
    Raises ReportError where the document does not have its shape or has a value that JSON cannot express.
    """
    return (
        "{\n"
        + ",\n".join(f"{dumps(key)}: {_lines(value)}" for key, value in check_document(document).items())
        + "\n}\n"
    )


def _lines(value: Any) -> str:
    """A list with an item a line; anything else on one."""
    if isinstance(value, (list, tuple)) and value:
        return "[\n" + ",\n".join(map(dumps, value)) + "\n]"
    return dumps(value)
