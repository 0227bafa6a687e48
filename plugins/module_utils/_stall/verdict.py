# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""From the tracks of a guest's threads to figures and one plain sentence. No I/O."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._model.records import RunningDisk
from .._text import plural
from . import waits
from .track import Track

# A shorter stretch is not worth a sentence: a guest's timer ticks are as far apart.
_SHORT_MS = 20
_LOCK_SHARE = 0.05


def thread_record(track: Track, machine: str, device: Callable[[str | None, int | None], str | None]) -> dict[str, Any]:
    """One thread's figures as the module returns them (io_stall_info, RETURN, threads).

    ``device`` gives, for the name of a system call and its first argument, the name of the device that it waits for, or
    None.
    """
    wait = track.main_wait()
    record: dict[str, Any] = {
        "tid": track.tid,
        "name": track.name,
        "role": track.role,
        "samples": track.samples,
        "blocked_share": round(track.blocked_share, 4),
        "longest_ms": round(track.longest * 1000),
        "lock_share": round(track.lock_share, 4) if track.role == "main" else None,
        "syscall": None,
        "wait": None,
        "stack": [],
        "device": None,
    }
    if wait is None:
        return record
    number, argument, stack = wait
    names = waits.functions(stack or "")
    if number is not None:
        record["syscall"] = waits.syscall_name(number, machine)
    found = waits.cause(names)
    if found is not None:
        words, of_device = found
        if of_device:
            record["device"] = device(record["syscall"], argument)
        record["wait"] = f"{words} of {record['device']}" if record["device"] else words
    record["stack"] = names
    return record


def counts(record: dict[str, Any]) -> bool:
    """Whether the guest waits while this thread is blocked; not for a worker, which an unnamed thread may be."""
    return record["role"] != "unnamed" or record["syscall"] in waits.SUBMITTING


def sentence(
    guest: str, threads: list[dict[str, Any]], disks: list[RunningDisk], seconds: float, stopped: bool = False
) -> str:
    """What a person should know about one guest, watched for so many seconds.

    ``guest`` is its id, ``threads`` are of thread_record(), ``disks`` are [{"runs": values of docs/data.md, or None}],
    ``stopped`` is whether the process was stopped at the end of the watch (state T).
    """
    telling = sorted((one for one in threads if counts(one)), key=lambda one: -one["blocked_share"])
    span = f"{seconds:.0f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
    worst = telling[0] if telling else None
    parts = ["stopped by a signal or a debugger (state T): it does not run"] if stopped else []
    if worst is None or not worst["samples"]:
        parts.append("ended before it could be watched")
    elif worst["blocked_share"] and (worst["longest_ms"] >= _SHORT_MS or worst["blocked_share"] >= 0.01):
        parts.append(_blocked(worst, span))
        others = sum(1 for one in telling[1:] if one["blocked_share"] >= 0.01)
        if others:
            parts.append(f"{plural(others, 'other thread')} blocked too")
    elif not stopped:
        parts.append(f"no thread was blocked for longer than {_SHORT_MS} ms in {span}")
    main = next((one for one in threads if one["role"] == "main"), None)
    if main is not None and (main["lock_share"] or 0) >= _LOCK_SHARE:
        parts.append(f"its main loop waited for a lock {_percent(main['lock_share'])} of the time")
    if worst is not None and worst["blocked_share"]:
        parts.append(_running_with(disks))
    return f"guest {guest}: {'; '.join(parts)}"


def _blocked(thread: dict[str, Any], span: str) -> str:
    names = {"main": "main loop", "iothread": f"iothread {thread['name']}", "vcpu": f"vCPU {thread['name']}"}
    text = f"{names.get(thread['role'], thread['name'])} blocked {_percent(thread['blocked_share'])} of {span}"
    if thread["syscall"] is not None:
        text += f" in {thread['syscall']}"
    if thread["wait"] is not None:
        text += f", {thread['wait']}"
    return f"{text}, {thread['longest_ms']} ms at a stretch" if thread["longest_ms"] else text


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %" if share >= 0.01 else "under 1 %"


def _running_with(disks: list[RunningDisk]) -> str:
    known = [disk["runs"] for disk in disks if disk["runs"] is not None]
    if not known:
        return "the values that its disks run with are not known"
    without = sum(1 for runs in known if runs["iothread"] is False)
    if without == len(known):
        iothread = "without iothread"
    elif without:
        iothread = f"{without} of {len(known)} without iothread"
    elif any(runs["iothread"] is None for runs in known):
        iothread = "with or without iothread (not known)"
    else:
        iothread = "with iothread"
    modes = sorted({runs["aio"] for runs in known if runs["aio"]})
    return f"its disks run {iothread}" + (f", aio {' and '.join(modes)}" if modes else "")
