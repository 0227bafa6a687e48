# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The findings about a host's write-back limits, IO201 to IO204 (docs/data.md). Pure, no I/O."""

from __future__ import annotations

from .._sysctl import dirty
from . import boot, paths
from .settings import amount, shortened

_REASON = "how much written data may wait in memory decides how long a flush keeps the storage busy"


class Findings:
    """Collects findings about one host in the shape of docs/data.md."""

    def __init__(self, host):
        self.host = host
        self.found = []

    def add(self, rule, severity, message, hint, **more):
        self.found.append(
            {
                "rule": rule,
                "severity": severity,
                "host": self.host,
                "guest": None,
                "name": None,
                "node": None,
                "disk": None,
                "file": more.get("file"),
                "line": more.get("line"),
                "message": message,
                "hint": hint,
                "actual": more.get("actual"),
                "wanted": more.get("wanted"),
                "fixable": more.get("fixable", False),
                "waived": None,
            }
        )


def judge_kernel(finding, facts, wanted):
    """IO201: what is in force now."""
    if facts["kernel"] is None:
        return
    limits = dirty.in_force(facts["kernel"])
    if limits == wanted:
        return
    message = f"{dirty.spell(limits)} in force, wanted {dirty.spell(wanted)}"
    expected, _unused = boot.after_boot(facts, boot.files_with(facts))
    if dirty.in_force(expected) != limits:
        message += "; the sysctl files say {}: something else set it, or they changed since boot".format(
            dirty.spell(dirty.in_force(expected))
        )
    finding.add(
        "IO201",
        "warning",
        message,
        f"the role host_writeback sets them; {_REASON}",
        actual=limits,
        wanted=wanted,
        fixable=True,
    )


def judge_files(finding, facts, wanted, must_write, conflicts, take_over):
    """IO202: what is in force after a reboot."""
    if must_write:
        expected, _unused = boot.after_boot(facts, boot.files_with(facts))
        limits = dirty.in_force(expected)
        finding.add(
            "IO202",
            "warning",
            f"after a reboot {dirty.spell(limits)} would be in force, wanted {dirty.spell(wanted)}",
            f"the role host_writeback writes {paths.FILE}",
            file=paths.FILE,
            actual=limits,
            wanted=wanted,
            fixable=True,
        )
    for one in conflicts:
        where = one["file"]["target"]
        if not one["can_take"]:
            hint = (
                "change it by hand: host_writeback_take_over leaves alone a pattern, which sets other keys too,"
                " a link out of /etc, and for tuned a file in /run"
            )
        elif take_over:
            hint = "the role host_writeback takes the line out and keeps the original beside the file"
        else:
            hint = "take the line out, or set host_writeback_take_over: true"
        finding.add(
            "IO202",
            "error",
            "%s line %d wins %s: %s"
            % (
                where,
                one["line"],
                "when tuned applies it after its profile" if one["by_tuned"] else "at boot",
                shortened(one["text"]),
            ),
            hint,
            file=where,
            line=one["line"],
            actual=shortened(one["text"]),
            wanted=wanted,
            fixable=take_over and one["can_take"],
        )
    for entry in facts["files"]:
        if entry["read_at_boot"]:
            continue
        for one in boot.without(entry, conflicts)["assignments"]:
            finding.add(
                "IO202",
                "note",
                "%s line %d is not read at boot on this system: %s"
                % (entry["target"], one["line"], shortened(one["text"])),
                "take the line out: tuned applies it where it is active, and `sysctl -p` what is in /etc/sysctl.conf",
                file=entry["target"],
                line=one["line"],
                actual=shortened(one["text"]),
                wanted=wanted,
            )


def judge_problems(finding, facts, refused):
    """IO202: what could not be read may set anything; what a plan would rely on is an error.

    :param refused: of :func:`.plan.refusal`
    """
    for problem in facts["problems"]:
        stops = bool(refused) and refused["unread"] == problem["file"]
        finding.add(
            "IO202",
            "error" if stops else "warning",
            "{} is not known: {}".format(problem["file"], problem["reason"]),
            "nothing is written without it: make it readable and run again"
            if stops
            else "what it sets could not be taken into account: make it readable and run again",
            file=problem["file"],
            line=problem["line"],
        )


def judge_tuned(finding, facts, wanted, state, deciders):
    """IO203: tuned writes the limits when it starts, after systemd-sysctl.

    ``state`` and ``deciders`` are those of :func:`.boot.conflicts`.
    """
    if not boot.tuned_starts(facts):
        return
    tuned, limits = facts["tuned"], dirty.in_force(state)
    for setting in tuned["settings"]:
        pair = dirty.pair_of(setting["key"])
        decides = "section" in (deciders[pair] or {})
        where = f"{setting['file']} line {setting['line']} sets {setting['key']} to {shortened(setting['value'])}"
        if not decides:
            severity = "warning"
            message = (
                f"tuned's profile {tuned['profile']} sets a limit too, before it applies the sysctl files: {where}"
            )
            hint = (
                "the profile's effect is not known before tuned has started: look at the limits after a reboot, and"
                " keep reapply_sysctl in /etc/tuned/tuned-main.conf switched on"
            )
        elif dirty.of_pair(limits, pair) == dirty.of_pair(wanted, pair):
            severity = "note"
            message = f"tuned's profile {tuned['profile']} sets the limit as wanted: {where}"
            hint = "keep the profile as it is"
        else:
            severity = "error"
            message = f"tuned's profile {tuned['profile']} undoes the limits when it starts: {where}"
            hint = (
                f"make a profile of your own with `include={tuned['profile']}` that sets {setting['key']} in its"
                f" [{setting['section']}] section, or choose another profile with `tuned-adm profile`"
            )
        finding.add(
            "IO203",
            severity,
            message,
            hint,
            file=setting["file"],
            line=setting["line"],
            actual=shortened(setting["value"]),
            wanted=wanted,
        )


def judge_queues(finding, facts, wanted):
    """IO204: limits above what a disk queues by itself do not help that disk."""
    threshold = dirty.bytes_of(wanted, (facts["memory"] or {}).get("available"))["dirty"]
    if threshold is None:
        return
    short = [device for device in facts["devices"] if device["queue_bytes"] < threshold]
    if not short:
        return
    finding.add(
        "IO204",
        "note",
        "the limit of {} is above what {} queue{}, so it does little there".format(
            amount(threshold),
            ", ".join("{} ({})".format(device["name"], amount(device["queue_bytes"])) for device in short),
            "s" if len(short) == 1 else "",
        ),
        "measured: limits of 480/240 MB over a queue of 160 MB changed nothing, 32/16 MiB shortened the longest"
        " freeze from seconds to 206-387 ms; the guests' iothread and aio settings are the cure",
        actual={device["name"]: device["queue_bytes"] for device in short},
        wanted=threshold,
    )
