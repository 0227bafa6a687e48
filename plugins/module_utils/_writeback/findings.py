# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The findings about a host's write-back limits, IO201 to IO204 (docs/rules.md). Pure, no I/O.

Each function takes the facts as ``host_writeback_info`` returns them and the limits that are wanted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .._model.findings import Finding, Severity, finding
from .._sysctl import dirty
from .._text import amount
from . import boot, paths
from .settings import SHORT_BYTES, shortened

_REASON = "How much written data may wait in memory decides how long a flush keeps the storage busy."


def of_kernel(facts: boot.Facts, wanted: dirty.Limits) -> Iterator[Finding]:
    """IO201: other limits are in force now."""
    if facts["kernel"] is None:
        return
    limits = dirty.in_force(facts["kernel"])
    if limits == wanted:
        return
    message = f"{dirty.spell(limits)} in force, wanted {dirty.spell(wanted)}"
    expected, _deciders = boot.after_boot(facts, boot.files_with(facts))
    if dirty.in_force(expected) != limits:
        message += (
            f"; after a boot it would be {dirty.spell(dirty.in_force(expected))}: something else set it, or the files"
            " changed since the boot"
        )
    yield finding("IO201", "warning", message, f"Set them. {_REASON}", actual=limits, wanted=wanted, fixable=True)


def of_files(
    facts: boot.Facts,
    wanted: dirty.Limits,
    must_write: bool,
    conflicts: list[boot.Assignment],
    take_over: bool,
) -> Iterator[Finding]:
    """IO202: other limits are in force after a reboot. ``conflicts`` are those of :func:`.boot.conflicts`."""
    if must_write:
        expected, _deciders = boot.after_boot(facts, boot.files_with(facts))
        limits = dirty.in_force(expected)
        yield finding(
            "IO202",
            "warning",
            f"after a reboot {dirty.spell(limits)} would be in force, wanted {dirty.spell(wanted)}",
            f"Write them to {paths.FILE}.",
            file=paths.FILE,
            actual=limits,
            wanted=wanted,
            fixable=True,
        )
    for one in conflicts:
        when = "when tuned applies it after its profile" if one["by_tuned"] else "at boot"
        fixable = take_over and one["can_take"]
        if fixable:
            hint = "Take the line out, and keep the original next to the file."
        elif one["can_take"]:
            hint = "Take the line out, or ask for take_over."
        else:
            hint = (
                "Change it by hand: take_over does not change a pattern, which sets other keys too, a file outside /etc"
                " that a link in /etc leads to, or a file in /run that tuned applies."
            )
        yield _of_line("error", one["file"], one, f"wins {when}", hint, wanted, fixable)
    for entry in facts["files"]:
        if not entry["read_at_boot"]:
            for one in boot.without(entry, conflicts)["assignments"]:
                yield _of_line(
                    "note",
                    entry,
                    one,
                    "is not read at boot on this system",
                    "Take the line out: tuned applies it where it is active, and `sysctl -p` what is in"
                    " /etc/sysctl.conf",
                    wanted,
                )


def _of_line(
    severity: Severity,
    entry: boot.Entry,
    line: boot.Assignment,
    what: str,
    hint: str,
    wanted: dirty.Limits,
    fixable: bool = False,
) -> Finding:
    file, text = entry["target"], shortened(line["text"])
    return finding(
        "IO202",
        severity,
        f"{file} line {line['line']} {what}: {text}",
        hint,
        file=file,
        line=line["line"],
        actual=text,
        wanted=wanted,
        fixable=fixable,
    )


def of_problems(facts: boot.Facts, refused: dict[str, Any] | None) -> Iterator[Finding]:
    """IO202: a file that could not be read may set anything; one that a plan would rely on is an error.

    ``refused`` is what :func:`.plan.refusal` returns.
    """
    for problem in facts["problems"]:
        stops = refused is not None and refused["unread"] == problem["file"]
        yield finding(
            "IO202",
            "error" if stops else "warning",
            f"{problem['file']} is not known: {problem['reason']}",
            "Nothing is written without it: make it readable and run again"
            if stops
            else "What it sets could not be taken into account: make it readable and run again",
            file=problem["file"],
            line=problem["line"],
        )


def of_tuned(
    facts: boot.Facts, wanted: dirty.Limits, state: dirty.State, deciders: dict[str, Any]
) -> Iterator[Finding]:
    """IO203: tuned sets the limits when it starts, after systemd-sysctl.

    ``state`` and ``deciders`` are those of :func:`.boot.conflicts`.
    """
    if not boot.tuned_starts(facts):
        return
    tuned, limits = facts["tuned"], dirty.in_force(state)
    for setting in tuned["settings"]:
        severity: Severity
        pair, value = dirty.pair_of(setting["key"]), shortened(setting["value"])
        where = f"{setting['file']} line {setting['line']} sets {setting['key']} to {value}"
        if "section" not in (deciders[pair] or {}):
            severity, effect = "warning", "sets a limit too, before tuned applies the sysctl files"
            hint = (
                "the profile's effect is not known before tuned has started: look at the limits after a reboot, and"
                " keep reapply_sysctl in /etc/tuned/tuned-main.conf switched on"
            )
        elif dirty.of_pair(limits, pair) == dirty.of_pair(wanted, pair):
            severity, effect = "note", "sets the limit as wanted"
            hint = "Keep the profile as it is"
        else:
            severity, effect = "error", "undoes the limits when it starts"
            hint = (
                f"make a profile of your own with `include={tuned['profile']}` that sets {setting['key']} in its"
                f" [{setting['section']}] section, or choose another profile with `tuned-adm profile`"
            )
        yield finding(
            "IO203",
            severity,
            f"tuned's profile {tuned['profile']} {effect}: {where}",
            hint,
            file=setting["file"],
            line=setting["line"],
            actual=value,
            wanted=wanted,
        )


def of_queues(facts: boot.Facts, wanted: dirty.Limits) -> Iterator[Finding]:
    """IO204: a limit above what a disk queues by itself does not help that disk. A short queue needs no help."""
    threshold = dirty.bytes_of(wanted, (facts["memory"] or {}).get("available"))["dirty"]
    if threshold is None:
        return
    short = [device for device in facts["devices"] if SHORT_BYTES < device["queue_bytes"] < threshold]
    if not short:
        return
    disks = ", ".join(f"{device['name']} ({amount(device['queue_bytes'])})" for device in short)
    yield finding(
        "IO204",
        "note",
        f"the limit of {amount(threshold)} is above what {disks} {'queues' if len(short) == 1 else 'queue'}, so it does"
        " little there",
        "measured: limits of 480/240 MB over a queue of 160 MB changed nothing, 32/16 MiB shortened the longest"
        " freeze from seconds to 206-387 ms; the guests' iothread and aio settings are the cure",
        actual={device["name"]: device["queue_bytes"] for device in short},
        wanted=threshold,
    )
