# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""Carrying out a write-back plan, and nothing else.

:func:`prepare` looks at everything and refuses before the first byte is written; :func:`carry_out`
writes the record first and removes it last, so that what was in force before survives a killed run.
"""

from __future__ import annotations

import json
import os

from .._sysctl import dirty
from .._sysctl.assignments import comment_out
from . import paths
from .read import KERNEL, read_kernel, read_record


class Refused(Exception):
    """The plan does not fit the host: says what moved and what to do."""


_AGAIN = "run again: a new plan is made from what is there now"


class Work:
    """What is left to do for a plan: files as ``{path, before, after, like}``, kernel writes, notes."""

    def __init__(self):
        self.files = []
        self.kernel = None
        self.left = []

    @property
    def changed(self):
        return bool(self.files or self.kernel)

    def put(self, path, before, after, like=None):
        """Note a file's change; bytes, or ``None`` for a file that is not there."""
        if before != after:
            self.files.append({"path": path, "before": before, "after": after, "like": like})


def prepare(plan, tree):
    """What is still to do for ``plan``; reads only.

    :raises Refused: where a file or the kernel is neither as the plan found it nor as it leaves it
    :raises OSError: where something cannot be read
    """
    check_plan(plan)
    work, problems = Work(), []
    saved = read_record(tree, problems)
    if problems:
        raise Refused("{}: {}".format(problems[0]["file"], problems[0]["reason"]))
    if not any(_same_record(saved, one) for one in (plan["saved"], plan["record"])):
        raise _moved(paths.RECORD)
    taken = {entry["path"]: entry for entry in (saved or {}).get("taken", [])}
    for step in plan["files"]:
        {"write": _write, "remove": _remove, "take_over": _take_over, "restore": _restore}[step["op"]](
            work, tree, step, taken
        )
    for change in work.files:
        fault = tree.why_not_ours(change["path"])
        if fault:
            raise Refused(
                "{} {}: nothing was written; remove it, or put a file in its place".format(change["path"], fault)
            )
    if plan["kernel"] is not None:
        _kernel(work, tree, plan["kernel"])
    record = plan["record"]
    before = tree.read(paths.RECORD)
    if record is None:
        work.put(paths.RECORD, before, None)
    elif work.changed:
        record = dict(record, taken=[taken[path] for path in sorted(taken)])
        work.put(paths.RECORD, before, (json.dumps(record, indent=1, sort_keys=True) + "\n").encode("utf-8"))
        work.files.sort(key=lambda change: change["path"] != paths.RECORD)
    return work


def check_plan(plan):
    """Refuse a plan that names anything but the limits and files below /etc."""
    for key in ("state", "files", "kernel", "record", "saved", "changes"):
        if key not in plan:
            raise Refused(f"the plan has no {key}: take it from the filter assess_writeback")
    if plan.get("refused"):
        raise Refused(plan["refused"])
    for step in plan["files"]:
        if step.get("op") not in ("write", "remove", "take_over", "restore"):
            raise Refused("the plan asks for {!r}; known are write, remove, take_over, restore".format(step.get("op")))
        for key in ("path", "aside"):
            path = step.get(key)
            if path is not None and (not path.startswith("/etc/") or ".." in path.split("/")):
                raise Refused(f"the plan's {key} is {path}; only files below /etc are written")
    for write in (plan["kernel"] or {}).get("writes", []):
        if write["key"] not in dirty.KEYS:
            raise Refused("the plan sets vm.{}; known are {}".format(write["key"], ", ".join(dirty.KEYS)))


def carry_out(work, tree):
    """Write what :func:`prepare` found, read it back and prove it.

    :raises Refused: where what is read back is not what was written
    :raises OSError: where something cannot be written
    """
    for change in work.files:
        tree.remove_leftovers(change["path"])
    forgotten = [change for change in work.files if change["path"] == paths.RECORD and change["after"] is None]
    for change in work.files:
        if change not in forgotten:
            _carry_out_file(change, tree)
    if work.kernel is not None:
        _carry_out_kernel(work.kernel, tree)
    # only now: a run that is killed before is taken up by the next one
    for change in forgotten:
        _carry_out_file(change, tree)
        tree.remove_empty(os.path.dirname(paths.RECORD))


def _carry_out_file(change, tree):
    if change["after"] is None:
        tree.remove(change["path"])
    else:
        tree.replace(change["path"], change["after"], change["like"])
    if tree.read(change["path"]) != change["after"]:
        raise Refused("{} does not hold what was written: look who else writes it".format(change["path"]))


def _carry_out_kernel(change, tree):
    for write in change["writes"]:
        _set(tree, write["key"], write["value"])
    state = read_kernel(tree)
    if state is None or dirty.in_force(state) != change["after"]:
        raise Refused(
            "the kernel has {} after {} was written: look who else writes it".format(
                state and dirty.spell(dirty.in_force(state)), dirty.spell(change["after"])
            )
        )


def diff(work):
    """The changes as Ansible shows them."""
    shown = [
        {
            "before_header": change["path"],
            "after_header": change["path"],
            "before": (change["before"] or b"").decode("utf-8", "replace"),
            "after": (change["after"] or b"").decode("utf-8", "replace"),
        }
        for change in work.files
    ]
    if work.kernel is not None:
        before, after = dirty.in_force(work.kernel["before"]), work.kernel["after"]
        shown.append(
            {
                "before_header": KERNEL,
                "after_header": KERNEL,
                "before": "".join("vm.%s = %d\n" % item for item in before.items()),
                "after": "".join("vm.%s = %d\n" % item for item in after.items()),
            }
        )
    return shown


def _digest(raw):
    return None if raw is None else paths.digest(raw)


def _moved(path):
    return Refused(f"{path} has changed since the plan was made, nothing was written; {_AGAIN}")


def _same_record(one, other):
    """Whether two records are of one run, whatever that run had taken over when it was killed."""
    if one is None or other is None:
        return one is other
    return all(one[key] == other[key] for key in ("previous", "set"))


def _write(work, tree, step, _taken):
    before, after = tree.read(step["path"]), step["text"].encode("utf-8")
    if before != after and _digest(before) != step["before"]:
        raise _moved(step["path"])
    work.put(step["path"], before, after)


def _remove(work, tree, step, _taken):
    before = tree.read(step["path"])
    if before is not None and _digest(before) != step["before"]:
        raise _moved(step["path"])
    work.put(step["path"], before, None)


def _take_over(work, tree, step, taken):
    path, aside, known = step["path"], step["aside"], taken.get(step["path"])
    if known and known["aside"] is None:
        aside = None  # the file is our own masking copy: there is no original to keep
    before, original = tree.read(path), tree.read(step["source"])
    if _digest(original) != step["before"]:
        if known and _digest(before) == known["left"]:
            return
        raise _moved(step["source"])
    kept = tree.read(aside) if aside else None
    # an original that still stands is a run that was killed before it got here
    again = known is not None and _digest(kept) == known["original"] != _digest(original)
    after = None if step["remove"] and not again else comment_out(original, step["lines"], paths.REMARK)
    if aside and not again:
        if kept not in (None, original):
            raise Refused(f"{aside} is there already: move it away, it holds somebody's file")
        work.put(aside, kept, original, like=path)
    work.put(path, before, after, like=None if before is not None else step["source"])
    taken[path] = {
        "path": path,
        "aside": aside,
        "original": known["original"] if again else (_digest(original) if aside else None),
        "left": _digest(after),
    }


def _restore(work, tree, step, _taken):
    path, aside = step["path"], step["aside"]
    now = tree.read(path)
    kept = tree.read(aside) if aside else None
    if _digest(now) == step["original"] and kept is None:
        return
    if _digest(now) not in (step["left"], step["original"]):
        work.left.append(
            "{} has been changed since it was taken over and stays{}".format(
                path, f"; the original is {aside}" if aside else ""
            )
        )
        return
    if aside and _digest(kept) != step["original"]:
        work.left.append(f"{path} cannot be put back: {aside} is not the file that was set aside")
        return
    work.put(path, now, kept, like=aside)
    if aside:
        work.put(aside, kept, None)


def _kernel(work, tree, change):
    state = read_kernel(tree)
    if state is None:
        raise Refused(f"{KERNEL} cannot be read, so the kernel's values cannot be set")
    if dirty.in_force(state) == change["after"]:
        return
    if state != change["before"]:
        raise Refused(
            f"the kernel has {dirty.spell(dirty.in_force(state))}, not what the plan was made from,"
            f" nothing was written; {_AGAIN}"
        )
    work.kernel = change


def _set(tree, key, value):
    """One write to the kernel; a tree's ordinary files get what a kernel would have made of it."""
    if tree.live:
        with open(f"{KERNEL}/{key}", "w", encoding="ascii") as stream:
            stream.write("%d\n" % value)
        return
    tree.remove_leftovers(f"{KERNEL}/{key}")
    before = read_kernel(tree)
    after = dirty.write(before, key, value)
    for name in dirty.KEYS:
        if before[name] != after[name]:
            tree.replace(f"{KERNEL}/{name}", b"%d\n" % after[name])
