# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""Carries out a write-back plan, and nothing else.

:func:`prepare` checks everything, and refuses before the first byte is written. :func:`carry_out` writes the record
first and removes it last, so that the limits of before survive a killed run.
"""

from __future__ import annotations

import json
import os
from typing import Any

from .._host.tree import Tree
from .._model.records import Problem
from .._sysctl import dirty
from .._sysctl.assignments import comment_out
from .._sysctl.kernel import KERNEL, read_kernel
from . import paths
from .read import read_record


class Refused(Exception):
    """The plan does not fit the host; the message says what has changed and what to do."""


_Step = dict[str, Any]
_Taken = dict[str, dict[str, Any]]

_UNREADABLE = f"{KERNEL} cannot be read, so the kernel's values cannot be set"
_AGAIN = "run again to make a new plan"


class Work:
    """What is left to do for a plan: files as ``{path, before, after, like}``, kernel writes, notes."""

    def __init__(self) -> None:
        self.files: list[dict[str, Any]] = []
        self.kernel: dict[str, Any] | None = None
        self.left: list[str] = []

    @property
    def changed(self) -> bool:
        """Whether anything is left to do."""
        return bool(self.files or self.kernel)

    def put(self, path: str, before: bytes | None, after: bytes | None, like: str | None = None) -> None:
        """Note a file's change; None is a file that does not exist."""
        if before != after:
            self.files.append({"path": path, "before": before, "after": after, "like": like})


def prepare(plan: dict[str, Any], tree: Tree) -> Work:
    """What is left to do for ``plan``; reads only.

    Raises Refused where a file or the kernel is neither as the plan expects it nor as the plan leaves it, and OSError
    where something cannot be read.
    """
    check_plan(plan)
    work = Work()
    problems: list[Problem] = []
    saved = read_record(tree, problems)
    if problems:
        raise Refused(f"{problems[0]['file']}: {problems[0]['reason']}")
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
            raise Refused(f"{change['path']} {fault}: nothing was written; remove it, or put a file in its place")
    if plan["kernel"] is not None:
        _kernel(work, tree, plan["kernel"])
    record = plan["record"]
    before = tree.read(paths.RECORD)
    if record is None:
        work.put(paths.RECORD, before, None)
    elif work.changed:
        record = {**record, "taken": [taken[path] for path in sorted(taken)]}
        work.put(paths.RECORD, before, (json.dumps(record, indent=1, sort_keys=True) + "\n").encode("utf-8"))
        work.files.sort(key=lambda change: change["path"] != paths.RECORD)
    return work


def check_plan(plan: dict[str, Any]) -> None:
    """Raises Refused for a plan that names anything other than the limits and files below /etc."""
    for key in ("state", "files", "kernel", "record", "saved", "changes"):
        if key not in plan:
            raise Refused(f"the plan has no {key}: take it from the filter assess_writeback")
    if plan.get("refused"):
        raise Refused(plan["refused"])
    for step in plan["files"]:
        if step.get("op") not in ("write", "remove", "take_over", "restore"):
            raise Refused(f"the plan asks for {step.get('op')!r}; known are write, remove, take_over, restore")
        for key in ("path", "aside"):
            path = step.get(key)
            if path is not None and (not path.startswith("/etc/") or ".." in path.split("/")):
                raise Refused(f"the plan's {key} is {path}; only files below /etc are written")
    for write in (plan["kernel"] or {}).get("writes", []):
        if write["key"] not in dirty.KEYS:
            raise Refused(f"the plan sets vm.{write['key']}; known are {', '.join(dirty.KEYS)}")


def carry_out(work: Work, tree: Tree) -> None:
    """Write what :func:`prepare` returned, and read it back.

    Raises Refused where what is read back is not what was written, and OSError where something cannot be written.
    """
    for change in work.files:
        tree.remove_leftovers(change["path"])
    forgotten = [change for change in work.files if change["path"] == paths.RECORD and change["after"] is None]
    for change in work.files:
        if change not in forgotten:
            _carry_out_file(change, tree)
    if work.kernel is not None:
        _carry_out_kernel(work.kernel, tree)
    # Only now: the next run completes one that is killed before.
    for change in forgotten:
        _carry_out_file(change, tree)
        tree.remove_empty(os.path.dirname(paths.RECORD))


def _carry_out_file(change: dict[str, Any], tree: Tree) -> None:
    if change["after"] is None:
        tree.remove(change["path"])
    else:
        tree.replace(change["path"], change["after"], change["like"])
    if tree.read(change["path"]) != change["after"]:
        raise Refused(f"{change['path']} does not contain what was written: find out what else writes it")


def _carry_out_kernel(change: dict[str, Any], tree: Tree) -> None:
    for write in change["writes"]:
        _set(tree, write["key"], write["value"])
    state = read_kernel(tree)
    if state is None or dirty.in_force(state) != change["after"]:
        now = "no limits" if state is None else dirty.spell(dirty.in_force(state))
        raise Refused(
            f"the kernel has {now} after {dirty.spell(change['after'])} was written: find out what else writes them"
        )


def diff(work: Work) -> list[dict[str, str]]:
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
                "before": "".join(f"vm.{key} = {value}\n" for key, value in before.items()),
                "after": "".join(f"vm.{key} = {value}\n" for key, value in after.items()),
            }
        )
    return shown


def _digest(raw: bytes | None) -> str | None:
    return None if raw is None else paths.digest(raw)


def _moved(path: str) -> Refused:
    return Refused(f"{path} has changed since the plan was made, nothing was written; {_AGAIN}")


def _same_record(one: dict[str, Any] | None, other: dict[str, Any] | None) -> bool:
    """Whether two records are of the same run, whatever that run had taken over when it was killed."""
    if one is None or other is None:
        return one is other
    return all(one[key] == other[key] for key in ("previous", "set"))


def _write(work: Work, tree: Tree, step: _Step, _taken: _Taken) -> None:
    before, after = tree.read(step["path"]), step["text"].encode("utf-8")
    if before != after and _digest(before) != step["before"]:
        raise _moved(step["path"])
    work.put(step["path"], before, after)


def _remove(work: Work, tree: Tree, step: _Step, _taken: _Taken) -> None:
    before = tree.read(step["path"])
    if before is not None and _digest(before) != step["before"]:
        raise _moved(step["path"])
    work.put(step["path"], before, None)


def _take_over(work: Work, tree: Tree, step: _Step, taken: _Taken) -> None:
    path, aside, known = step["path"], step["aside"], taken.get(step["path"])
    if known and known["aside"] is None:
        aside = None  # The file is our own masking copy: there is no original to keep.
    before, original = tree.read(path), tree.read(step["source"])
    if original is None or _digest(original) != step["before"]:
        if known and _digest(before) == known["left"]:
            return
        raise _moved(step["source"])
    kept = tree.read(aside) if aside else None
    # The original is still in place where a run was killed before it got here.
    again = known if known and _digest(kept) == known["original"] != _digest(original) else None
    after = None if step["remove"] and not again else comment_out(original, step["lines"], paths.REMARK)
    if aside and not again:
        if kept not in (None, original):
            raise Refused(f"{aside} exists already, and it is not the original of {path}: move it away")
        work.put(aside, kept, original, like=path)
    work.put(path, before, after, like=None if before is not None else step["source"])
    taken[path] = {
        "path": path,
        "aside": aside,
        "original": again["original"] if again else (_digest(original) if aside else None),
        "left": _digest(after),
    }


def _restore(work: Work, tree: Tree, step: _Step, _taken: _Taken) -> None:
    path, aside = step["path"], step["aside"]
    now = tree.read(path)
    kept = tree.read(aside) if aside else None
    if _digest(now) == step["original"] and kept is None:
        return
    if _digest(now) not in (step["left"], step["original"]):
        original = f"; the original is {aside}" if aside else ""
        work.left.append(f"{path} has been changed since it was taken over, and stays{original}")
        return
    if aside and _digest(kept) != step["original"]:
        work.left.append(f"{path} cannot be restored: {aside} is not the file that was set aside")
        return
    work.put(path, now, kept, like=aside)
    if aside:
        work.put(aside, kept, None)


def _kernel(work: Work, tree: Tree, change: dict[str, Any]) -> None:
    state = read_kernel(tree)
    if state is None:
        raise Refused(_UNREADABLE)
    if dirty.in_force(state) == change["after"]:
        return
    if state != change["before"]:
        raise Refused(
            f"the kernel has {dirty.spell(dirty.in_force(state))}, which has changed since the plan was made, nothing"
            f" was written; {_AGAIN}"
        )
    work.kernel = change


def _set(tree: Tree, key: str, value: int) -> None:
    """One write to the kernel; the ordinary files of a tree get what a kernel would have made of it."""
    if tree.live:
        with open(f"{KERNEL}/{key}", "w", encoding="ascii") as stream:
            stream.write(f"{value}\n")
        return
    tree.remove_leftovers(f"{KERNEL}/{key}")
    before = read_kernel(tree)
    if before is None:
        raise Refused(_UNREADABLE)
    after = dirty.write(before, key, value)
    for name in dirty.KEYS:
        if before[name] != after[name]:
            tree.replace(f"{KERNEL}/{name}", f"{after[name]}\n".encode("ascii"))
