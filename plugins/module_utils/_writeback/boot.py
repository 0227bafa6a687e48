# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""What a start of the host makes of its sysctl files: systemd-sysctl first, then tuned. Pure, no I/O."""

from __future__ import annotations

from .. import _tuned
from .._sysctl import dirty
from .._sysctl.assignments import is_glob
from . import paths


def files_with(facts, text=None):
    """The files in systemd's order; with ``text``, as if :data:`.paths.FILE` held it."""
    files = list(facts["files"])
    if text is not None:
        own = {
            "path": paths.FILE,
            "target": paths.FILE,
            "assignments": dirty.parse_relevant(text),
            "others": 0,
            "digest": None,
        }
        files = [entry for entry in files if entry["path"] != paths.FILE]
        files.append({**own, "read_at_boot": True, "read_by_tuned": True})
        files.sort(key=_name)
    return files


def _read_at_boot(files, gone=()):
    """What systemd-sysctl makes of the files at boot: ``(state, deciders)``, each decider with its ``file``.

    :param gone: assignments that are taken as gone
    """
    return dirty.replay(
        [one for entry in files if entry["read_at_boot"] for one in without(entry, gone)["assignments"]]
    )


def after_start(facts, files, gone=(), gone_for_tuned=()):
    """The same when tuned has started as well, where it does."""
    state, deciders = _read_at_boot(files, gone)
    if not tuned_starts(facts):
        return state, deciders
    applied = sorted((one for one in files if one["read_by_tuned"] and one["path"] != _tuned.SYSCTL_CONF), key=_name)
    applied += [one for one in files if one["target"] == _tuned.SYSCTL_CONF][:1]
    state, changed = _tuned.replay(state, facts["tuned"], [without(entry, gone_for_tuned) for entry in applied])
    return state, {**deciders, **changed}


def must_write(facts, wanted, text):
    """Whether our file has to be written: it is there and not as it should be, or it is needed.

    It can be needed for tuned alone, which applies the files in /etc after its profile, and none in /usr.
    """
    own = [entry for entry in facts["files"] if entry["path"] == paths.FILE]
    if own:
        return own[0]["digest"] != paths.digest(text)
    state, _unused = _read_at_boot(files_with(facts))
    if dirty.in_force(state) != wanted:
        return True
    _conflicting, as_it_is, _unused = conflicts(facts, wanted, None)
    _conflicting, with_ours, _unused = conflicts(facts, wanted, text)
    return dirty.in_force(as_it_is) not in (wanted, dirty.in_force(with_ours))


def conflicts(facts, wanted, text):
    """The assignments that would have to go for ``wanted`` to be in force after a reboot.

    Found by taking away the deciding one again and again; ends at one that cannot be taken away (ours, a
    setting of tuned's profile, or the kernel's default).

    :returns: ``(conflicts, state, deciders)``, the latter two as a start without the conflicts leaves them; each
        conflict has its ``file`` and ``by_tuned``, true where the boot has it right and tuned then applies the line
    """
    files, at_boot, by_tuned = files_with(facts, text), [], []
    while True:
        state, deciders = _read_at_boot(files, at_boot)
        wrong = _wrong(state, deciders, wanted)
        if not wrong and dirty.in_force(state) != wanted:
            # an exclusion after our file takes our assignment out of systemd's list
            wrong = [
                one
                for entry in files
                if entry["read_at_boot"] and entry["path"] != paths.FILE
                for one in without(entry, at_boot)["assignments"]
                if one["value"] is None and one["key"].partition("/")[2] in wanted
            ]
        if not wrong:
            break
        at_boot.append(dict(wrong[0], by_tuned=False))
    while True:
        # what masks a file of /run for systemd does not mask it for tuned
        gone_for_tuned = [one for one in at_boot if not _volatile(one["file"])] + by_tuned
        state, deciders = after_start(facts, files, at_boot + by_tuned, gone_for_tuned)
        wrong = _wrong(state, deciders, wanted)
        if not wrong:
            return at_boot + by_tuned, state, deciders
        by_tuned.append(dict(wrong[0], by_tuned=True))


def can_take(assignment):
    """Whether the line can go without touching other keys, or a file that is not the administrator's."""
    entry = assignment["file"]
    leads_out = entry["path"].startswith("/etc/") and not entry["target"].startswith("/etc/")
    return not is_glob(assignment["key"]) and not leads_out and not (assignment["by_tuned"] and _volatile(entry))


def _wrong(state, deciders, wanted):
    """The assignments of others' files that decide otherwise than ``wanted``."""
    return [
        one
        for pair, one in deciders.items()
        if one is not None and dirty.of_pair(dirty.in_force(state), pair) != dirty.of_pair(wanted, pair)
        if "plugin" not in one and one["file"]["path"] != paths.FILE
    ]


def without(entry, gone):
    """A file without assignments; those that are left know their file."""
    gone = {_place(one) for one in gone}
    left = [dict(one, file=entry) for one in entry["assignments"]]
    return dict(entry, assignments=[one for one in left if _place(one) not in gone])


def _place(assignment):
    return assignment["file"]["target"], assignment["line"]


def _name(entry):
    return entry["path"].rpartition("/")[2].encode("utf-8", "surrogateescape")


def tuned_starts(facts):
    """Whether tuned is active now or after a reboot."""
    return bool(facts["tuned"]) and bool(facts["tuned"]["running"] or facts["tuned"]["enabled"])


def _volatile(entry):
    return entry["path"].startswith("/run/")
