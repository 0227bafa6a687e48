# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which reports there are: the name of each, its file in a folder of all, and the function that makes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ...module_utils._model.findings import SEVERITIES
from .next_steps import Step
from .words import MIGRATE


class Wanted(NamedTuple):
    """What reports are made of besides the document."""

    #: The results are those of a check run.
    check: bool = False
    #: The least severity that fails, None without a gate.
    fail_on: Any = None
    #: What is set to allow another driver.
    variable: str = MIGRATE
    #: The top folder of the checkout, and the folder that relative names start from.
    base: str = ""
    here: str = ""
    #: The time of the run, in seconds since 1970.
    now: float = 0
    #: What to do next, see next_steps.py.
    steps: Sequence[Step] = ()
    #: The extra variables that the steps' commands lack.
    left_out: Sequence[str] = ()


class Report(NamedTuple):
    """A report: its file's name in a folder of all reports, and what makes its text."""

    file: str
    make: Callable[[dict[str, Any], Wanted], str]


# Ansible compiles the code of a collection anew in every run: only what a task needs is loaded.
# pylint: disable=import-outside-toplevel


def _json(document: dict[str, Any], _wanted: Wanted) -> str:
    from .to_json import json_report

    return json_report(document)


def _junit(document: dict[str, Any], wanted: Wanted) -> str:
    from .to_junit import junit_report

    return junit_report(document, wanted.fail_on or SEVERITIES[0])


def _sarif(document: dict[str, Any], wanted: Wanted) -> str:
    from .to_sarif import sarif_report

    return sarif_report(document, wanted.base, wanted.here)


def _codequality(document: dict[str, Any], wanted: Wanted) -> str:
    from .to_codequality import codequality_report

    return codequality_report(document, wanted.base, wanted.here)


def _html(document: dict[str, Any], wanted: Wanted) -> str:
    from .to_html import html_report

    return html_report(document, wanted.check, wanted.variable, wanted.steps, wanted.left_out)


def _markdown(document: dict[str, Any], wanted: Wanted) -> str:
    from .to_markdown import markdown_report

    return markdown_report(document, wanted.check, wanted.steps)


def _csv(document: dict[str, Any], wanted: Wanted) -> str:
    from .to_csv import csv_report

    return csv_report(document, wanted.check)


def _prometheus(document: dict[str, Any], wanted: Wanted) -> str:
    from .to_prometheus import prometheus_report

    return prometheus_report(document, wanted.now, wanted.check)


#: Option of a report to the report.
REPORTS = {
    "json": Report("guest-io.json", _json),
    "junit": Report("guest-io.junit.xml", _junit),
    "sarif": Report("guest-io.sarif", _sarif),
    "codequality": Report("guest-io.codequality.json", _codequality),
    "html": Report("guest-io.html", _html),
    "markdown": Report("guest-io.md", _markdown),
    "csv": Report("guest-io.csv", _csv),
    "prometheus": Report("guest-io.prom", _prometheus),
}


def notes(document: dict[str, Any], wanted: Wanted) -> list[str]:
    """The lines that GitHub Actions turns into annotations."""
    from .to_annotations import annotation_lines

    return annotation_lines(document, wanted.base, wanted.here)


def left_out(name: str, document: dict[str, Any]) -> str | None:
    """What the report of that name lacks, in words; None where it has every finding."""
    if name != "sarif":
        return None
    from .to_sarif import left_out as of_sarif

    return of_sarif(document)
