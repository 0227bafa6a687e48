# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What Proxmox VE 9 did, from tests/fixtures. docs/testing.md says what is in each file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"


def facts(name: str) -> Any:
    """The content of a fixture."""
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


def qm_answers() -> list[dict[str, Any]]:
    """Guests with the commands that were run on them. Each step has its exit status, both outputs, and the config
    after it, ``unchanged`` where it stayed.
    """
    usual = {"rc": 0, "stdout": "", "stderr": "", "config_after": "unchanged"}
    return [{**guest, "steps": [{**usual, **step} for step in guest["steps"]]} for guest in facts("qm_answers")]


def api_answers() -> tuple[dict[str, str], list[dict[str, Any]]]:
    """The configs of the guests that were asked for by id, and 221 exchanges with the API in their order. Of a list with
    ``rows``, four rows were kept; ``rows`` is how many there were, None where that was not recorded.
    """
    recording = facts("api_answers")
    usual = {"params": {}, "token": "root@pam!full", "status": 200, "reason": "OK", "body": {}}
    exchanges = [{**usual, **exchange} for exchange in recording["exchanges"]]
    for exchange in exchanges:
        if exchange["body"] != "":
            failed = {} if exchange["status"] == 200 else {"message": exchange["reason"] + "\n"}
            exchange["body"] = {"data": None, **failed, **exchange["body"]}
    return recording["configs"], exchanges
