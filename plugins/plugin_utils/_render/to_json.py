# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The findings document as JSON text: one item a line, so that two reports can be compared with diff.

The text is ASCII: what a guest is called cannot break the file, whatever reads it.
"""

from __future__ import annotations

import json

from .._fleet.document import ReportError, check_document


def json_report(document) -> str:
    """`document` as JSON text that `docs/findings.schema.json` describes.

    Raises ReportError where the document has not its shape or holds what JSON cannot say.
    """
    check_document(document)
    return dumps_by_line(document)


def dumps_by_line(mapping) -> str:
    """A dictionary as JSON, each item of its lists and each of its other values on a line of its own."""
    parts = []
    for key, value in mapping.items():
        if isinstance(value, (list, tuple)) and value:
            text = "[\n%s\n]" % ",\n".join(map(dumps, value))
        else:
            text = dumps(value)
        parts.append("%s: %s" % (dumps(key), text))
    return "{\n%s\n}\n" % ",\n".join(parts)


def dumps(value) -> str:
    """One value as ASCII JSON; dates as their ISO text. Raises ReportError for what JSON cannot say."""
    try:
        return json.dumps(value, allow_nan=False, default=_iso)
    except (TypeError, ValueError, RecursionError) as exc:
        raise ReportError("the findings document holds a value that JSON cannot say: %s" % exc) from exc


def _iso(value) -> str:
    """YAML reads an unquoted date as a date, not as text."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    raise TypeError("a value of type %s" % type(value).__name__)
