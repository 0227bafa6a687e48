# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Writing a guest through ``qm``: one locked, validated ``qm set`` a guest, argument lists, never a shell."""

from __future__ import annotations

import os
import re
import subprocess
from typing import NamedTuple

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


def dropped_lines(qm: str, guest: str, timeout: float) -> str:
    """What qm says of config lines it does not understand and would drop; empty where it understands all.

    Asked only for guests with settings that this collection's list of settings does not have.
    """
    done = _run([qm, "config", guest, "--current"], timeout)
    if isinstance(done, Refusal):
        return done.detail
    words = done.stderr.decode("utf-8", "replace").strip()
    return words if "unable to parse" in words else ""


def set_values(qm: str, guest: str, values: dict[str, str], digest: str, timeout: float) -> Refusal | None:
    """One ``qm set`` with every value and the digest; None when qm says it is done."""
    arguments = [qm, "set", guest]
    for key, value in sorted(values.items(), key=lambda item: item[0] != "scsihw"):
        arguments += [f"--{key}", value]
    arguments += ["--digest", digest]
    done = _run(arguments, timeout)
    if isinstance(done, Refusal):
        return done
    if done.returncode == 0:
        return None
    words = done.stderr.decode("utf-8", "replace").strip()
    reason = next((reason for pattern, reason in _REASONS if pattern.search(words)), "refused")
    return Refusal(reason, words or f"qm set ended with status {done.returncode} and no word")


def _run(arguments: list[str], timeout: float) -> subprocess.CompletedProcess[bytes] | Refusal:
    try:
        # run_command belongs to a module and is not made for threads.
        return subprocess.run(  # pylint: disable=ansible-bad-function
            [part.encode("utf-8", "surrogateescape") for part in arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except FileNotFoundError:
        return Refusal("refused", f"{arguments[0]} is not there; is this a Proxmox VE node?")
    except PermissionError:
        return Refusal("refused", f"{arguments[0]} may not be run by this user; use become")
    except subprocess.TimeoutExpired:
        words = " ".join(arguments[:3])
        return Refusal("busy", f"{words} gave no answer within {timeout:g} s and was ended; look at its storage, then run again")
