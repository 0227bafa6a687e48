# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Gate plans and guest configs, for pipelines and pre-commit: the exit status tells findings from errors.

It is 0 if all passed, 1 if there are findings, 2 if something could not be judged. Each ROOT is a plan, or a directory
of plans and guest configs, and has a run of its own; variables are those of docs/gate.md. The first run makes a virtual
environment in the checkout.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

PASSED, FINDINGS, NOT_JUDGED = range(3)

_REPORT = re.compile(r"report_(dir|json)=(.+)")


def main(here: str, arguments: list[str]) -> int:
    """Gate each root from the folder ``here``; the worst status of all."""
    parser = argparse.ArgumentParser(
        prog="gate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument(
        "-e", dest="variables", action="append", default=[], metavar="NAME=VALUE", help="a variable; may be repeated"
    )
    parser.add_argument("roots", nargs="+", metavar="ROOT", help="a plan, or a directory")
    asked = parser.parse_args(arguments)
    if len(asked.roots) > 1 and any("report_" in text or "gate_write_waivers" in text for text in asked.variables):
        parser.error("the reports of one ROOT would replace those of another: give one ROOT")
    try:
        os.chdir(here)
        with tempfile.TemporaryDirectory(prefix="gate-") as folder:
            return max(gate(root, asked.variables, folder) for root in asked.roots)
    except OSError as exc:
        print(f"gate: {exc}", file=sys.stderr)
        return NOT_JUDGED


def gate(root: str, variables: list[str], folder: str) -> int:
    """Gate one root. ``folder`` is an empty one for the JSON report of a run that is asked for none."""
    report = os.path.join(folder, "guest-io.json")
    own = ["-e", json.dumps({"report_json": report})]
    for asked in filter(None, map(_REPORT.fullmatch, variables)):
        report = os.path.expanduser(asked[2])
        report = os.path.join(report, "guest-io.json") if asked[1] == "dir" else report
        own = []
    before = _state(report)
    given = [part for text in variables for part in ("-e", text)]
    done = subprocess.run(
        ["ansible-playbook", *own, *given, "-e", json.dumps({"gate_root": root}), "hypervisor.io_hardening.gate_io"],
        stdin=subprocess.DEVNULL,
        env={"ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false", **os.environ},
        check=False,
    )
    if done.returncode == 0:
        return PASSED
    # A report of an earlier run is none of this one.
    return FINDINGS if _state(report) != before and _failed(report) else NOT_JUDGED


def _state(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _failed(report: str) -> bool:
    """Whether the verdict in a report is that the gate failed."""
    try:
        with open(report, encoding="utf-8") as file:
            return json.load(file)["gate"]["passed"] is False
    except (OSError, ValueError, LookupError, TypeError):
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
