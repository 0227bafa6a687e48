# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Writing a guest through ``qm``: one locked, validated ``qm set`` a guest, argument lists, never a shell."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

#: Runs an argument list, never a shell: (exit status, stdout, stderr). A module passes its run_command.
Run = Callable[[list[str]], tuple[int, str, str]]

#: What qm's stderr means to us: (pattern, reason). Recorded on Proxmox VE 9.2; exit codes are leftovers.
_REASONS = (
    (re.compile(r"^VM is locked \(", re.MULTILINE), "locked"),
    (re.compile(r"checksum mismatch"), "digest_moved"),
    (re.compile(r"can't lock file .* got timeout"), "busy"),
    (re.compile(r"Configuration file '.*' does not exist"), "moved"),
    (re.compile(r"^storage '.*' is not (online|available)", re.MULTILINE), "storage_offline"),
)


class Refusal(NamedTuple):
    """Why qm did not write: a reason of docs/data.md and qm's own words."""

    reason: str
    detail: str


def dropped_lines(run: Run, guest: str, timeout: int) -> str:
    """What qm says of config lines it does not understand and would drop; empty where it understands all.

    Asked only for guests with settings that this collection's list of settings does not have.
    """
    _status, _out, words = run(_command(timeout, "config", guest, "--current"))
    return words.strip() if "unable to parse" in words else ""


def set_values(run: Run, guest: str, values: dict[str, str | None], digest: str, timeout: int) -> Refusal | None:
    """One ``qm set`` with every value (None deletes the key) and the digest; None when qm says it is done."""
    arguments = ["set", guest]
    for key, value in sorted(values.items(), key=lambda item: item[0] != "scsihw"):
        arguments += ["--delete", key] if value is None else [f"--{key}", value]
    return command(run, [*arguments, "--digest", digest], timeout)


def command(run: Run, arguments: list[str], timeout: int) -> Refusal | None:
    """One call of qm; None when it says it is done."""
    status, _out, words = run(_command(timeout, *arguments))
    words = words.strip()
    if status == 0:
        return None
    if status == 127:
        return Refusal("refused", "there is no command qm; is this a Proxmox VE node?")
    if status == 124:
        return Refusal("busy", f"qm {arguments[0]} gave no answer within {timeout} s and was ended; look at its storage, then run again")
    reason = next((reason for pattern, reason in _REASONS if pattern.search(words)), "refused")
    return Refusal(reason, words or f"qm {arguments[0]} ended with status {status} and no word")


def revert(run: Run, guest: str, keys: list[str], timeout: int) -> bool:
    """Take keys out of a guest's [PENDING] again; True when qm says it is done."""
    status, _out, _words = run(_command(timeout, "set", guest, "--revert", ",".join(keys)))
    return status == 0


def _command(timeout: int, *arguments: str) -> list[str]:
    # coreutils' timeout: 124 when it ended the command, 127 when there is no such command.
    return ["timeout", str(timeout), "qm", *arguments]
