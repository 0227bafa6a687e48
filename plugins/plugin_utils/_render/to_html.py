# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The findings document as one HTML page that needs nothing else: no server, no network, no template engine.

What comes from guests is either escaped here or travels as JSON and is shown as text by the page's
script. The page's policy (CSP) allows exactly its own script and style, by their hashes.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from html import escape
from pathlib import Path

from ...module_utils._text import plural
from .._fleet.document import check_document
from .._fleet.outcome import outcomes
from .page_data import page_data
from .page_parts import alerts, sections, show, totals
from .to_json import dumps

PAGE = Path(__file__).parent / "page"


def html_report(document, check: bool = False, title: str = "Guest I/O") -> str:
    """The page's text.

    check: the document's `results` are those of a check run.
    title: what the browser's tab says, before the date.
    Raises ReportError where the document has not its shape.
    """
    check_document(document)
    entries = outcomes(document, check)
    style, script, page = _asset("page.css"), _asset("page.js"), _asset("page.html")
    parts = {
        "TITLE": "%s %s" % (escape(title), show(document.get("date"))),
        "SUBTITLE": _subtitle(document, check),
        "STYLE": style,
        "STYLE_HASH": _hash(style),
        "SCRIPT": script,
        "SCRIPT_HASH": _hash(script),
        "ALERTS": alerts(document),
        "TOTALS": totals(document, entries),
        "SECTIONS": sections(document, entries),
        "DATA": _embed(page_data(document, entries)),
    }
    # one pass: what is filled in is never looked at again
    return re.sub("@@([A-Z_]+)@@", lambda found: parts[found[1]], page)


def _subtitle(document, check: bool) -> str:
    text = "Judged on %s." % (show(document.get("date")) or "an unknown day")
    if "results" not in document:
        return text + " Nothing was changed."
    if check:
        return text + " Check run: nothing was written."
    changed = sum(result.get("status") == "changed" for result in document["results"])
    return text + " This run changed %s; findings and disks are as it left them." % plural(changed, "guest")


def _embed(data) -> str:
    """JSON in which no character can end the script element it stands in."""
    return dumps(data).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


@functools.lru_cache(maxsize=None)
def _asset(name: str) -> str:
    return (PAGE / name).read_text("utf-8")
