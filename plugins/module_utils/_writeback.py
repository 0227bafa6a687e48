# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""Host write-back limits: facts and settings in; findings and a plan out. Pure, no I/O.

Facts are what ``host_writeback_info`` returns, findings have the shape of docs/data.md; the plan is
what ``host_writeback`` carries out (docs/data.md, "Host write-back").
"""

from __future__ import annotations

import hashlib

from . import _tuned
from ._sysctl import dirty
from ._sysctl.assignments import is_glob

FILE = "/etc/sysctl.d/99-hypervisor-io-hardening.conf"
"""The file we write. Its place in the order is fixed: a later file that wins is reported, never outrun."""

RECORD = "/var/lib/hypervisor-io-hardening/host_writeback.json"
"""What was in force before, and which files were taken over."""

ASIDE = ".before-io-hardening"
"""Ending of a file that was taken over, as it was. Not .conf, so systemd does not read it."""

REMARK = "taken over by hypervisor.io_hardening.host_writeback, the original is kept beside this file:"

MODES = ("auto", "ratio", "bytes")
STATES = ("present", "absent")

SMALLEST_BYTES = 2 * 65536
"""Two pages of the largest page size; the kernel refuses dirty_bytes below two pages."""

_MIB = 1024 * 1024
_REASON = "how much written data may wait in memory decides how long a flush keeps the storage busy"


class SettingsError(ValueError):
    """A setting that cannot be meant: says which, what it is and what is allowed."""


def check_settings(settings):
    """The settings, checked as a whole.

    :param settings: ``{mode, state, take_over, ratio, background_ratio, limit_bytes, background_limit_bytes}``
    :raises SettingsError: with the variable's name, its value and what is allowed
    """
    for name, allowed in (("mode", MODES), ("state", STATES)):
        if settings[name] not in allowed:
            raise SettingsError("{} is {!r}; allowed are {}".format(name, settings[name], ", ".join(allowed)))
    for upper, lower, least, most, unit in (
        ("ratio", "background_ratio", 1, 100, "percent"),
        ("limit_bytes", "background_limit_bytes", SMALLEST_BYTES, 2**43, "bytes"),
    ):
        for name in (upper, lower):
            value = settings[name]
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise SettingsError("%s is %r; allowed are whole %s from %d to %d" % (name, value, unit, least, most))
        if settings[lower] >= settings[upper]:
            raise SettingsError(
                "%s (%d) is not below %s (%d); the kernel would halve it by itself: choose a smaller %s"
                % (lower, settings[lower], upper, settings[upper], lower)
            )
    return settings


def wanted_limits(settings, total):
    """The limits the settings ask for on a host, and why.

    ``auto`` decides by the *installed* memory, not by the available memory the kernel takes its
    percentages of: available memory moves with every guest that starts, and a decision that moves with
    it would rewrite the host on every second run.

    :param total: MemTotal in bytes, ``None`` where unknown; then ``auto`` takes the ratios
    :returns: ``(limits, reason)``
    """
    ratios = {"dirty_ratio": settings["ratio"], "dirty_background_ratio": settings["background_ratio"]}
    amounts = {"dirty_bytes": settings["limit_bytes"], "dirty_background_bytes": settings["background_limit_bytes"]}
    if settings["mode"] == "ratio":
        return ratios, "mode ratio"
    if settings["mode"] == "bytes":
        return amounts, "mode bytes"
    if total is None:
        return ratios, "mode auto: the installed memory is not known, so the ratios are taken"
    for ratio, limit in (("dirty_ratio", "dirty_bytes"), ("dirty_background_ratio", "dirty_background_bytes")):
        if total * ratios[ratio] // 100 > amounts[limit]:
            return amounts, "mode auto: %d %% of %s is more than %s" % (
                ratios[ratio],
                amount(total),
                amount(amounts[limit]),
            )
    return ratios, "mode auto: %d %% of %s is within %s" % (
        ratios["dirty_ratio"],
        amount(total),
        amount(amounts["dirty_bytes"]),
    )


def file_text(limits):
    """The text of :data:`FILE`."""
    return (
        "# Written by the hypervisor.io_hardening collection (role host_writeback); edits are overwritten.\n"
        "# How much written data may wait in memory: fewer and shorter storms on the guests' storage.\n"
        + "".join("vm.%s = %d\n" % item for item in limits.items())
    )


def digest(text):
    """SHA-256 of a text or of bytes, as the facts and plans carry it."""
    return hashlib.sha256(text if isinstance(text, bytes) else text.encode("utf-8")).hexdigest()


def amount(number):
    """A number of bytes for a person."""
    if number >= 1024 * _MIB:
        return "%.1f GiB" % (number / (1024.0 * _MIB))
    return "%d MiB" % (number // _MIB) if number >= _MIB else "%d bytes" % number


def spell(limits):
    """Limits for a person: ``vm.dirty_ratio 2, vm.dirty_background_ratio 1``."""
    return ", ".join("vm.%s %d" % item for item in limits.items())


def assess(facts, settings, host=None):
    """Hold a host's facts against the settings.

    :param facts: what ``host_writeback_info`` returns
    :param settings: as :func:`check_settings` takes them
    :param host: the inventory's name for the host, for the findings
    :returns: ``{findings, plan, wanted, status, detail}``; plan is ``None`` where nothing is to do,
        status is compliant, to_change or overruled (nothing left to write, and still another file or
        manager has the last word)
    """
    check_settings(settings)
    if settings["state"] == "absent":
        plan, detail = _removal(facts)
        return {
            "findings": [],
            "plan": plan,
            "wanted": None,
            "status": "to_change" if plan else "compliant",
            "detail": detail,
        }
    wanted, reason = wanted_limits(settings, (facts["memory"] or {}).get("total"))
    text = file_text(wanted)
    must_write = _must_write(facts, wanted, text)
    conflicts, state, deciders = _conflicts(facts, wanted, text if must_write else None)
    finding = _Findings(host)
    _judge_kernel(finding, facts, wanted)
    _judge_files(finding, facts, wanted, must_write, conflicts, settings["take_over"])
    _judge_problems(finding, facts)
    overruled_by_tuned = _judge_tuned(finding, facts, wanted, state, deciders)
    _judge_queues(finding, facts, wanted)
    taken = [one for one in conflicts if _can_take(one)] if settings["take_over"] else []
    plan = _change(facts, wanted, text if must_write else None, taken)
    overruled = len(taken) < len(conflicts) or overruled_by_tuned
    status = "to_change" if plan else ("overruled" if overruled else "compliant")
    detail = f"{spell(wanted)} ({reason})"
    if overruled:
        detail += "; not after a reboot: " + "; ".join(
            one["message"]
            for one in finding.found
            if one["rule"] in ("IO202", "IO203") and not one["fixable"] and one["severity"] == "error"
        )
    return {"findings": finding.found, "plan": plan, "wanted": wanted, "status": status, "detail": detail}


# ---- what the files come to, and tuned after them


def _files(facts, text=None):
    """The files in systemd's order; with ``text``, as if :data:`FILE` held it."""
    files = list(facts["files"])
    if text is not None:
        own = {"path": FILE, "target": FILE, "assignments": dirty.parse_relevant(text), "others": 0, "digest": None}
        files = [entry for entry in files if entry["path"] != FILE]
        files.append({**own, "read_at_boot": True, "read_by_tuned": True})
        files.sort(key=_name)
    return files


def _name(entry):
    return entry["path"].rpartition("/")[2].encode("utf-8", "surrogateescape")


def _read_at_boot(files, gone=()):
    """What systemd-sysctl makes of the files at boot: ``(state, deciders)``, each decider with its ``file``.

    :param gone: assignments that are taken as gone
    """
    return dirty.replay(
        [one for entry in files if entry["read_at_boot"] for one in _without(entry, gone)["assignments"]]
    )


def _after_start(facts, files, gone=(), gone_for_tuned=()):
    """The same when tuned has started as well, where it does."""
    state, deciders = _read_at_boot(files, gone)
    if not _tuned_starts(facts):
        return state, deciders
    applied = sorted((one for one in files if one["read_by_tuned"] and one["path"] != _tuned.SYSCTL_CONF), key=_name)
    applied += [one for one in files if one["target"] == _tuned.SYSCTL_CONF][:1]
    state, changed = _tuned.replay(state, facts["tuned"], [_without(entry, gone_for_tuned) for entry in applied])
    return state, {**deciders, **changed}


def _without(entry, gone):
    """A file without assignments; those that are left know their file."""
    gone = {_place(one) for one in gone}
    left = [dict(one, file=entry) for one in entry["assignments"]]
    return dict(entry, assignments=[one for one in left if _place(one) not in gone])


def _place(assignment):
    return assignment["file"]["target"], assignment["line"]


def _tuned_starts(facts):
    return bool(facts["tuned"]) and bool(facts["tuned"]["running"] or facts["tuned"]["enabled"])


def _must_write(facts, wanted, text):
    """Whether our file has to be written: it is there and not as it should be, or it is needed.

    It can be needed for tuned alone, which applies the files in /etc after its profile, and none in /usr.
    """
    own = [entry for entry in facts["files"] if entry["path"] == FILE]
    if own:
        return own[0]["digest"] != digest(text)
    state, _unused = _read_at_boot(_files(facts))
    if dirty.in_force(state) != wanted:
        return True
    _conflicting, without, _unused = _conflicts(facts, wanted, None)
    _conflicting, having, _unused = _conflicts(facts, wanted, text)
    return dirty.in_force(without) not in (wanted, dirty.in_force(having))


def _conflicts(facts, wanted, text):
    """The assignments that would have to go for ``wanted`` to be in force after a reboot.

    Found by taking away the deciding one again and again; ends at one that cannot be taken away (ours, a
    setting of tuned's profile, or the kernel's default).

    :returns: ``(conflicts, state, deciders)``, the latter two as a start without the conflicts leaves them; each
        conflict has its ``file`` and ``by_tuned``, true where the boot has it right and tuned then applies the line
    """
    files, at_boot, by_tuned = _files(facts, text), [], []
    while True:
        state, deciders = _read_at_boot(files, at_boot)
        wrong = _wrong(state, deciders, wanted)
        if not wrong and dirty.in_force(state) != wanted:
            # an exclusion after our file takes our assignment out of systemd's list
            wrong = [
                one
                for entry in files
                if entry["read_at_boot"] and entry["path"] != FILE
                for one in _without(entry, at_boot)["assignments"]
                if one["value"] is None and one["key"].partition("/")[2] in wanted
            ]
        if not wrong:
            break
        at_boot.append(dict(wrong[0], by_tuned=False))
    while True:
        # what masks a file of /run for systemd does not mask it for tuned
        gone_for_tuned = [one for one in at_boot if not _volatile(one["file"])] + by_tuned
        state, deciders = _after_start(facts, files, at_boot + by_tuned, gone_for_tuned)
        wrong = _wrong(state, deciders, wanted)
        if not wrong:
            return at_boot + by_tuned, state, deciders
        by_tuned.append(dict(wrong[0], by_tuned=True))


def _wrong(state, deciders, wanted):
    """The assignments of others' files that decide otherwise than ``wanted``."""
    return [
        one
        for pair, one in deciders.items()
        if one is not None and _of_pair(dirty.in_force(state), pair) != _of_pair(wanted, pair)
        if "plugin" not in one and one["file"]["path"] != FILE
    ]


def _of_pair(limits, pair):
    return {key: value for key, value in limits.items() if dirty.pair_of(key) == pair}


def _volatile(entry):
    return entry["path"].startswith("/run/")


def _can_take(assignment):
    """Whether the line can go without touching other keys, or a file that is not the administrator's."""
    entry = assignment["file"]
    leads_out = entry["path"].startswith("/etc/") and not entry["target"].startswith("/etc/")
    return not is_glob(assignment["key"]) and not leads_out and not (assignment["by_tuned"] and _volatile(entry))


# ---- findings


class _Findings:
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


def _judge_kernel(finding, facts, wanted):
    """IO201: what is in force now."""
    if facts["kernel"] is None:
        return
    limits = dirty.in_force(facts["kernel"])
    if limits == wanted:
        return
    message = f"{spell(limits)} in force, wanted {spell(wanted)}"
    start, _unused = _after_start(facts, _files(facts))
    if dirty.in_force(start) != limits:
        message += "; the sysctl files say {}: something else set it, or they changed since boot".format(
            spell(dirty.in_force(start))
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


def _judge_files(finding, facts, wanted, must_write, conflicts, take_over):
    """IO202: what is in force after a reboot."""
    if must_write:
        start, _unused = _after_start(facts, _files(facts))
        limits = dirty.in_force(start)
        finding.add(
            "IO202",
            "warning",
            f"after a reboot {spell(limits)} would be in force, wanted {spell(wanted)}",
            f"the role host_writeback writes {FILE}",
            file=FILE,
            actual=limits,
            wanted=wanted,
            fixable=True,
        )
    for one in conflicts:
        where = one["file"]["target"]
        if not _can_take(one):
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
            % (where, one["line"], "when tuned applies it after its profile" if one["by_tuned"] else "at boot", one["text"]),
            hint,
            file=where,
            line=one["line"],
            actual=one["text"],
            wanted=wanted,
            fixable=take_over and _can_take(one),
        )
    for entry in facts["files"]:
        if entry["read_at_boot"]:
            continue
        for one in _without(entry, conflicts)["assignments"]:
            finding.add(
                "IO202",
                "note",
                "%s line %d is not read at boot on this system: %s" % (entry["target"], one["line"], one["text"]),
                "take the line out: tuned applies it where it is active, and `sysctl -p` what is in /etc/sysctl.conf",
                file=entry["target"],
                line=one["line"],
                actual=one["text"],
                wanted=wanted,
            )


def _judge_problems(finding, facts):
    """IO202: what could not be read may set anything."""
    for problem in facts["problems"]:
        finding.add(
            "IO202",
            "warning",
            "{} is not known: {}".format(problem["file"], problem["reason"]),
            "what it sets could not be taken into account: make it readable and run again",
            file=problem["file"],
            line=problem["line"],
        )


def _judge_tuned(finding, facts, wanted, state, deciders):
    """IO203: tuned writes the limits when it starts, after systemd-sysctl. True where it has the last word.

    :param state: and ``deciders``, of :func:`_conflicts`: what conflicting files do is theirs
    """
    if not _tuned_starts(facts):
        return False
    tuned, limits = facts["tuned"], dirty.in_force(state)
    undone = {
        pair
        for pair, one in deciders.items()
        if one is not None and "plugin" in one and _of_pair(limits, pair) != _of_pair(wanted, pair)
    }
    for number, setting in enumerate(tuned["settings"]):
        where = "%s line %d sets %s to %s" % (setting["file"], setting["line"], setting["key"], setting["value"])
        if dirty.pair_of(setting["key"]) in undone:
            severity = "error"
            message = "tuned's profile {} undoes the limits when it starts: {}".format(tuned["profile"], where)
            hint = (
                "make a profile of your own with `include={}` that sets {} in its [{}] section, or choose another"
                " profile with `tuned-adm profile`".format(tuned["profile"], setting["key"], setting["plugin"])
            )
        elif number < (tuned["reapply_after"] or 0):
            severity = "note"
            message = "tuned's profile {} writes the limits too, and the sysctl files have the last word: {}".format(
                tuned["profile"], where
            )
            hint = "keep reapply_sysctl in /etc/tuned/tuned-main.conf switched on"
        else:
            severity = "note"
            message = "tuned's profile {} writes the limits too, as they are wanted: {}".format(tuned["profile"], where)
            hint = "keep the profile as it is"
        finding.add(
            "IO203",
            severity,
            message,
            hint,
            file=setting["file"],
            line=setting["line"],
            actual=setting["value"],
            wanted=wanted,
        )
    return bool(undone)


def _judge_queues(finding, facts, wanted):
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


# ---- plans


def _change(facts, wanted, text, taken):
    """The plan that puts ``wanted`` in force now and at boot, or ``None``."""
    kernel = _kernel_change(facts["kernel"], wanted)
    files, changes = [], []
    if text is not None:
        before = [entry["digest"] for entry in facts["files"] if entry["path"] == FILE]
        files.append({"op": "write", "path": FILE, "before": before[0] if before else None, "text": text})
        changes.append({"key": FILE, "option": None, "before": "other" if before else None, "after": spell(wanted)})
    by_target = {}
    for one in taken:
        by_target.setdefault(one["file"]["target"], []).append(one)
    for lines in by_target.values():
        files.append(_take_over(lines[0]["file"], lines))
        changes.extend(
            {"key": one["file"]["target"], "option": "line %d" % one["line"], "before": one["text"], "after": None}
            for one in lines
        )
    if kernel is None and not files:
        return None
    changes.extend(_kernel_changes(kernel))
    saved = facts["saved"] or {}
    previous = saved.get("previous")
    if previous is None and facts["kernel"] is not None:
        previous = dirty.in_force(facts["kernel"])
    record = {
        "schema": 1,
        "previous": previous,
        "set": wanted if facts["kernel"] is not None else None,
        "taken": saved.get("taken", []),
    }
    return {"state": "present", "files": files, "kernel": kernel, "record": record, "changes": changes}


def _take_over(entry, lines):
    """How one file loses lines: in place where /etc holds it, else masked by a copy in /etc."""
    numbers = sorted({one["line"] for one in lines})
    in_etc = entry["target"].startswith("/etc/")
    target = entry["target"] if in_etc else "/etc/sysctl.d/" + entry["path"].rpartition("/")[2]
    empty = not entry["others"] and len(entry["assignments"]) == len(numbers)
    return {
        "op": "take_over",
        "source": entry["target"],
        "path": target,
        "before": entry["digest"],
        "lines": numbers,
        "aside": target + ASIDE if in_etc else None,
        "remove": empty and in_etc and entry["path"] == entry["target"],
    }


def _kernel_change(state, limits):
    if state is None or dirty.in_force(state) == limits:
        return None
    return {
        "before": state,
        "writes": [{"key": key, "value": value} for key, value in dirty.steps(state, limits)],
        "after": limits,
    }


def _kernel_changes(kernel):
    if kernel is None:
        return []
    before = {dirty.pair_of(key): "%s = %d" % (key, value) for key, value in dirty.in_force(kernel["before"]).items()}
    return [
        {
            "key": "vm." + dirty.pair_of(key),
            "option": None,
            "before": before[dirty.pair_of(key)],
            "after": "%s = %d" % (key, value),
        }
        for key, value in kernel["after"].items()
        if before[dirty.pair_of(key)] != "%s = %d" % (key, value)
    ]


def _removal(facts):
    """The plan that takes back what was set, and a sentence about what stays."""
    saved, files, changes, notes = facts["saved"], [], [], []
    own = [entry["digest"] for entry in facts["files"] if entry["path"] == FILE]
    if own:
        files.append({"op": "remove", "path": FILE, "before": own[0]})
        changes.append({"key": FILE, "option": None, "before": "present", "after": None})
    kernel = None
    if saved is None:
        if own:
            notes.append("what was in force before is not recorded, so the kernel's values stay")
        if not files:
            return None, "nothing was set by this role"
    else:
        for taken in saved["taken"]:
            files.append(dict(taken, op="restore"))
            changes.append({"key": taken["path"], "option": None, "before": "taken over", "after": "as before"})
        if facts["kernel"] is not None and saved["previous"]:
            back, moved = _back(dirty.in_force(facts["kernel"]), saved)
            kernel = _kernel_change(facts["kernel"], {**back, **moved})
            changes.extend(_kernel_changes(kernel))
            if back:
                notes.append(f"{spell(back)} is in force again")
            if moved:
                notes.append(f"somebody set {spell(moved)} since, so that stays")
    plan = {"state": "absent", "files": files, "kernel": kernel, "record": None, "changes": changes}
    return plan, "; ".join(notes) or "what the role had set is taken back"


def _back(now, saved):
    """``(back, moved)``: the limits of before of each pair that is as it was set, or back already; the others as they are.

    Pair by pair, for a run can be killed between the two.
    """
    back, moved = {}, {}
    for pair in dirty.PAIRS:
        previous = _of_pair(saved["previous"], pair)
        if _of_pair(now, pair) in (previous, _of_pair(saved["set"] or {}, pair)):
            back.update(previous)
        else:
            moved.update(_of_pair(now, pair))
    return back, moved


def report(assessment, result=None, check_mode=False):
    """What a run came to, for the table at the end.

    :param assessment: of :func:`assess`
    :param result: what ``host_writeback`` returned, ``None`` or a skipped result where it did not run
    :returns: ``{findings, changed, plan, status, detail}``; status is compliant, to_change (check mode),
        changed, overruled
    """
    ran = bool(result) and not result.get("skipped", False)
    changed = bool(ran and result.get("changed", False))
    status, detail = assessment["status"], assessment["detail"]
    if ran and not check_mode:
        status = "changed" if changed else "compliant"
        if result.get("left"):
            detail += "; " + "; ".join(result["left"])
    return {
        "findings": assessment["findings"],
        "changed": changed,
        "plan": assessment["plan"],
        "status": status,
        "detail": detail,
    }
