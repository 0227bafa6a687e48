# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Runs Proxmox VE's ``qm``: argument lists, never a shell; and what its words mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from .._host.run import bounded, shortened, timed_out
from .._model.findings import ResultReason

#: Runs an argument list: (exit status, stdout, stderr). Modules pass ``_host.run.command``.
Run = Callable[[list[str]], tuple[int, str, str]]

#: What qm's stderr means: (pattern, reason). Recorded on Proxmox VE 9.2; its exit codes mean nothing.
_REASONS: tuple[tuple[re.Pattern[str], ResultReason], ...] = (
    (re.compile(r"^VM is locked \(", re.MULTILINE), "locked"),
    (re.compile(r"checksum mismatch"), "digest_moved"),
    (re.compile(r"can't lock file .* got timeout"), "busy"),
    (re.compile(r"Configuration file '.*' does not exist"), "moved"),
    (re.compile(r"^storage '.*' is (not (online|available)|disabled)", re.MULTILINE), "storage_offline"),
)

_STATE = re.compile(r"^status: (\S+)$", re.ASCII | re.MULTILINE)


class Refusal(NamedTuple):
    """Why qm did not do what it was asked to: a reason of docs/data.md, and qm's own words.

    ``ended``: it gave no answer and was ended; its worker may go on with what it had begun.
    """

    reason: ResultReason
    detail: str
    ended: bool = False


def set_values(run: Run, guest: str, values: dict[str, str | None], digest: str, timeout: int) -> Refusal | None:
    """One ``qm set`` with every value (None deletes the key) and the digest; None when qm reports success."""
    arguments = ["set", guest]
    for key, value in sorted(values.items(), key=lambda item: item[0] != "scsihw"):
        arguments += ["--delete", key] if value is None else [f"--{key}", value]
    return command(run, [*arguments, "--digest", digest], timeout)


def command(run: Run, arguments: list[str], timeout: int) -> Refusal | None:
    """One call of qm; None when it reports success."""
    status, _out, words = run(bounded(timeout, "qm", *arguments))
    words = words.strip()
    if status == 0:
        return None
    if status == 127:
        return Refusal("refused", "there is no command qm; is this a Proxmox VE node?")
    if timed_out(status):
        detail = (
            f"qm {arguments[0]} gave no answer within {timeout} s and was ended; look at its storage, then run again"
        )
        return Refusal("busy", detail, ended=True)
    known = (reason for pattern, reason in _REASONS if pattern.search(words))
    reason: ResultReason = next(known, "refused")
    return Refusal(reason, shortened(words) or f"qm {arguments[0]} exited with status {status} and printed nothing")


def revert(run: Run, guest: str, keys: list[str], digest: str, timeout: int) -> bool:
    """Take keys out of a guest's [PENDING] again, where its config has that digest; True when qm reports success.

    qm sets each key to what the main section has, so it looks at a drive's storage again; on a stopped guest it applies
    whatever else waits in [PENDING] (recorded).
    """
    return command(run, ["set", guest, "--revert", ",".join(keys), "--digest", digest], timeout) is None


def state(run: Run, guest: str, timeout: int) -> str | None:
    """QEMU's state of a guest as ``qm status`` has it: running, stopped, paused, shutdown (powered off, its process is
    still there), …

    None where it does not say.
    """
    status, out, _words = run(bounded(timeout, "qm", "status", guest))
    match = _STATE.search(out) if status == 0 else None
    return match[1] if match else None
