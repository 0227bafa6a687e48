# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Sets the limits of backups, restores, clones, moves and migrations: see Settings in _settings/seam.py.

vzdump.conf is a file of the node, and written as one. jobs.cfg, datacenter.cfg and storage.cfg are the cluster's: on a
live node Proxmox VE writes them, under its locks; in a tree of files they are written as files. When Proxmox VE writes
jobs.cfg or storage.cfg, their comments go, as they do at each change in its web interface.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from typing import Any

from .._host import whole_file
from .._host.lock import alone
from .._host.run import shortened
from .._host.tree import LARGEST, Tree
from .._model.findings import Change
from .._pve import storage as _storage_cfg
from .._settings.seam import Refused, SettingsError
from .._text import one_line
from . import asked, commands, edit, jobs_cfg, limits, stored, vzdump_conf
from .asked import Target
from .stored import DATACENTER, VZDUMP

_FILES = {
    VZDUMP: vzdump_conf.PATH,
    "job": "/etc/pve/jobs.cfg",
    DATACENTER: "/etc/pve/datacenter.cfg",
    "storage": "/etc/pve/storage.cfg",
}

#: Seconds that another run is waited for which writes the same files.
_BUSY = 60

#: The options of one object as they are stored, None where not set.
Values = Mapping[str, "str | None"]


class LoadSettings:
    """The settings of a live node (``tree`` is ``/``), or of a tree of files."""

    subject = "load"

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._spellings: dict[tuple[str, str], list[str]] = {}
        self._complete: set[str] = set()

    def check(self, change: Change) -> None:
        """See Settings. How its values are spelled is remembered for :meth:`now`."""
        asked.check(change)
        self._remember(change)

    def check_back(self, change: Change) -> None:
        """See Settings: any one line of text can have been there."""
        asked.check(change, back=True)
        self._remember(change)

    def _remember(self, change: Change) -> None:
        known = self._spellings.setdefault((change["key"], change["option"]), [])
        known += [value for value in (change["after"], change["before"]) if value is not None and value not in known]

    def now(self, keys: Collection[str]) -> dict[tuple[str, str], Any]:
        """See Settings. Reads files, runs nothing.

        Proxmox VE stores the property strings of a job in a spelling of its own (``1,storage=x`` for
        ``enabled=1,storage=x``), and people write a third: a value that means the same as one of a change that was
        checked is given as that change has it.
        """
        objects: dict[str, dict[str, Values]] = {}
        found: dict[tuple[str, str], Any] = {}
        for key in keys:
            try:
                kind, name = asked.target(key)
            except SettingsError:
                continue
            if kind not in objects:
                objects[kind] = _OBJECTS[kind](self._text(kind) or "")
            for option, value in objects[kind].get(name, {}).items():
                found[key, option] = self._as_known(key, option, value)
        return found

    def write(self, key: str, changes: list[Change]) -> None:
        """See Settings."""
        target = asked.target(key)
        kind, name = target
        if kind == VZDUMP or not self._tree.live:
            self._write_file(target, changes)
        elif kind == "job":
            self._refuse_dropped(kind, "/cluster/backup")
            self._refuse_moved(changes, self._values(key))
            commands.set_values(f"/cluster/backup/{name}", _wanted(changes))
        elif kind == DATACENTER:
            self._write_datacenter(changes)
        else:
            self._write_storage(name, changes)

    def _write_datacenter(self, changes: list[Change]) -> None:
        """Proxmox VE takes no digest here: what somebody wrote after it shows when it is read back. What somebody wrote
        in the half second before it, after the value was compared, is overwritten; so it is with a job.
        """
        self._refuse_dropped(DATACENTER, "/cluster/options")
        self._refuse_moved(changes, self._values(DATACENTER))
        commands.set_values("/cluster/options", _wanted(changes))
        now = self._values(DATACENTER)
        for change in changes:
            if now.get(change["option"]) != change["after"]:
                raise Refused(
                    f"{_FILES[DATACENTER]}: {change['option']} was written, and is {_told(now.get(change['option']))}"
                    " now: somebody else wrote it in the same moment; see which value is right, then run again",
                    "changed_since",
                )

    def _write_storage(self, name: str, changes: list[Change]) -> None:
        found, dropped = commands.storage(name)
        _refuse_lines("storage", dropped)
        key = stored.storage(name)
        self._refuse_moved(
            changes, {option: self._as_known(key, option, found.get(option)) for option in asked.OPTIONS["storage"]}
        )
        commands.set_storage(name, _wanted(changes), found["digest"])

    def _write_file(self, target: Target, changes: list[Change]) -> None:
        """Edit the file in place: whole or not at all, and only where it is still as it was read."""
        path = _FILES[target.kind]
        fault = self._tree.why_not_ours(path)
        if fault:
            raise Refused(f"{path} {fault}, so it was not written; set this by hand, or put a file in its place")
        real = self._tree.real(path)
        os.makedirs(os.path.dirname(real), exist_ok=True)
        with alone([os.path.dirname(real)], _BUSY) as busy:
            if busy:
                raise Refused(f"another run still writes in {busy} after {_BUSY} s; run again when it has ended")
            self._tree.remove_leftovers(path)
            text = self._text(target.kind)
            self._refuse_moved(changes, self._values(changes[0]["key"], text))
            edited = text or ""
            for change in changes:
                edited = _edited(target, edited, change)
            if edited == (text or ""):
                return

            def unless() -> None:
                if self._text(target.kind) != text:
                    raise Refused(f"{path} changed while it was being written; nothing was written", "changed_since")

            try:
                whole_file.replace(real, edited.encode("utf-8", "surrogateescape"), unless=unless)
            except OSError as exc:
                # It names the temporary file.
                raise Refused(f"{path} cannot be written: {exc.strerror or exc}; nothing was changed", "error") from exc

    def _refuse_moved(self, changes: list[Change], now: Values) -> None:
        """Refuse where somebody changed or removed something since the plan was made."""
        for change in changes:
            if change["option"] not in now:
                raise Refused(f"{change['key']} is gone", "gone")
            value = now[change["option"]]
            if value not in (change["before"], change["after"]):
                raise Refused(
                    f"{change['option']} is {_told(value)} and was {_told(change['before'])} when it was read; nothing"
                    " was written, run again",
                    "changed_since",
                )

    def _refuse_dropped(self, kind: str, path: str) -> None:
        """Refuse where Proxmox VE would drop lines when it writes the file; it is asked once a run."""
        if kind not in self._complete:
            _refuse_lines(kind, commands.warnings(path))
            self._complete.add(kind)

    def _text(self, kind: str) -> str | None:
        raw = self._tree.read(_FILES[kind], LARGEST)
        return None if raw is None else raw.decode("utf-8", "surrogateescape")

    def _values(self, key: str, text: str | None = None) -> Values:
        """The options of one object; none where it is gone."""
        kind, name = asked.target(key)
        found = _OBJECTS[kind]((self._text(kind) if text is None else text) or "").get(name, {})
        return {option: self._as_known(key, option, value) for option, value in found.items()}

    def _as_known(self, key: str, option: str, value: str | None) -> str | None:
        known = self._spellings.get((key, option), [])
        if value is None or value in known:
            return value
        said = asked.meaning(option, value)
        return next((one for one in known if asked.meaning(option, one) == said), value)


def _jobs(text: str) -> dict[str, Values]:
    return {job["id"]: job["stored"] for job in jobs_cfg.parse(text, _FILES["job"])[0]}


def _storages(text: str) -> dict[str, Values]:
    found, _problems = _storage_cfg.sections(text, _FILES["storage"])
    return {name: {"bwlimit": section.properties.get("bwlimit")} for name, section in found.items()}


#: Kind → the objects in the text of its file, each with its options.
_OBJECTS: Mapping[str, Callable[[str], "dict[str, Values]"]] = {
    VZDUMP: lambda text: {"": vzdump_conf.parse(text)["stored"]},
    "job": _jobs,
    DATACENTER: lambda text: {"": {"bwlimit": limits.parse_datacenter(text, _FILES[DATACENTER])["stored"]}},
    "storage": _storages,
}


def _edited(target: Target, text: str, change: Change) -> str:
    option, value = change["option"], change["after"]
    if target.kind in (VZDUMP, DATACENTER):
        return edit.set_pair(text, option, value)
    header = _header(target, text)
    if not header:
        raise Refused(f"{_FILES[target.kind]} has no section of {target.kind} {target.id}; add it by hand", "gone")
    return edit.set_property(text, header, option, value)


def _header(target: Target, text: str) -> int:
    """The line on which the section of a job or a storage begins; 0 for the storage ``local`` of a file without it."""
    if target.kind == "job":
        return next(job["line"] for job in jobs_cfg.parse(text, "")[0] if job["id"] == target.id)
    return _storage_cfg.sections(text)[0][target.id].line


def _wanted(changes: list[Change]) -> dict[str, str | None]:
    return {change["option"]: change["after"] for change in changes}


def _refuse_lines(kind: str, dropped: str) -> None:
    if dropped:
        raise Refused(
            f"not written, because Proxmox VE would drop lines of {_FILES[kind]}:"
            f" {one_line(shortened(dropped))}; mend or remove them, then run again"
        )


def _told(value: str | None) -> str:
    return "not set" if value is None else value
