# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The findings document as one HTML page that needs nothing else: no server and no network.

Jinja2 escapes every value; the data of guests travel as JSON, and the page's scripts show them as text.
The page's policy (CSP) allows exactly its own script and style, by their hashes.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ...module_utils._text import one_line, plural, visible
from .._fleet.document import check_document, dumps
from .._fleet.outcome import outcomes
from .next_steps import Step, without
from .page_data import page_data
from .page_marks import path
from .page_view import page_view
from .words import MIGRATE

_PAGE = Path(__file__).parent / "page"
#: The page's files, in the order in which they build on one another.
STYLES = ("page.css", "narrow.css", "print.css")
SCRIPTS = ("base.js", "table.js", "tables.js", "address.js", "map.js", "copy.js", "page.js")


def html_report(
    document: Any,
    check: bool = False,
    variable: str = MIGRATE,
    steps: Sequence[Step] = (),
    left_out: Sequence[str] = (),
) -> str:
    """The page's text.

    check: the document's ``results`` are those of a check run.
    variable: what is set to allow another driver, named in what to do about it.
    steps: what to do next, see next_steps.py.
    left_out: the extra variables that the steps' commands lack.
    Raises ReportError where the document does not have its shape.
    """
    check_document(document)
    entries = outcomes(document, check)
    style, script = _assets(*STYLES), _script()
    return (
        _environment()
        .get_template("page.html")
        .render(
            page_view(document, entries, check, variable, steps),
            without=without(left_out) if left_out and any(step["text"] for step in steps) else None,
            data=page_data(document, entries),
            style=style,
            style_hash=_hash(style),
            script=script,
            script_hash=_hash(script),
        )
    )


@functools.lru_cache(maxsize=None)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.globals["path"] = path
    environment.filters.update(lines=_lines, names=_names, one_line=one_line, plural=plural)
    environment.policies["json.dumps_function"] = dumps
    environment.policies["json.dumps_kwargs"] = {}
    return environment


def _names(names: Sequence[Any], most: int | None = None) -> str:
    """The first names of a list, and how many more there are."""
    more = f" and {len(names) - most} more" if most and len(names) > most else ""
    return ", ".join(map(visible, names[:most])) + more


def _lines(text: str) -> Markup:
    """Text of several lines, which stay apart."""
    return Markup("\n").join(map(visible, text.split("\n")))


def _shown(value: Any) -> Any:
    """What a template prints: HTML as it is, everything else as text without invisible characters."""
    return value if hasattr(value, "__html__") else visible(value)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


@functools.lru_cache(maxsize=None)
def _assets(*names: str) -> Markup:
    """Files of the page as one, which is not escaped."""
    return Markup("".join((_PAGE / name).read_text("utf-8") for name in names))


def _script() -> Markup:
    """The scripts as one function: its names are no properties of the window, which elements' ids could take."""
    return Markup('(function () {\n"use strict";\n') + _assets(*SCRIPTS) + Markup("})();\n")
