# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Apply: carries out a plan and nothing else, guest by guest, and proves by reading back.

Whatever speaks against writing a guest is found from its config as it is now, in check mode as well.
"""

from __future__ import annotations

import concurrent.futures
import os
from collections.abc import Callable
from typing import Any, NamedTuple

from .. import _whole_file
from .._model import refused_at_start, visible
from .._qemu_server import changes as _changes
from .._qemu_server import config as _config
from .._qemu_server import drive as _drive
from .._qemu_server import storage as _storage
from .._qemu_server.record import record
from . import layout, qm, reader
from .alone import alone
from .journal import Journal

#: Reasons that are in order for now; every other one fails the run.
LEFT_ALONE = ("locked", "foreign_pending", "unsafe_lines")


class Options(NamedTuple):
    """How to apply. ``run`` runs a command; without a journal none is kept.

    ``timeout`` is in seconds: for one call of qm, and for another run that writes the same tree.
    """

    run: qm.Run
    root: str = "/"
    check: bool = False
    max_parallel: int = 2
    apply_foreign_pending: bool = False
    timeout: int = 300
    journal: Journal | None = None


class Outcome(NamedTuple):
    """A guest's ``result`` (docs/data.md) and its ``diff`` (before, after: config lines; None when nothing changes)."""

    result: dict[str, Any]
    diff: dict[str, str] | None


class _Work(NamedTuple):
    """What is to be done to a guest: the plan's entry, the config as it is, each key's value to be (None: none), and the config with them."""

    entry: dict[str, Any]
    config: _config.Config
    values: dict[str, str | None]
    edited: str


class _Refused(Exception):
    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def apply(plan: list[dict[str, Any]], options: Options) -> list[Outcome]:
    """Carry out a plan; one outcome per guest, in the plan's order. One guest's trouble is that guest's."""
    if options.check or layout.is_live(options.root):
        return _apply_all(plan, options)
    configs = [layout.inside(options.root, entry["config"]) for entry in plan]
    directories = {os.path.dirname(config) for config in configs if layout.stays_inside(options.root, config)}
    # Two runs would both find a guest as their plans found it, and both write it.
    with alone(directories, options.timeout) as held_by_another:
        if held_by_another:
            detail = f"another run has been writing in {held_by_another} for {options.timeout} s; run again when it has ended"
            return [Outcome(_result(entry, "failed", reason="busy", detail=detail), None) for entry in plan]
        for directory in directories:
            _whole_file.remove_leftovers(directory)
        return _apply_all(plan, options)


def _apply_all(plan: list[dict[str, Any]], options: Options) -> list[Outcome]:
    with concurrent.futures.ThreadPoolExecutor(max_workers=options.max_parallel) as pool:
        return list(pool.map(lambda entry: _apply_safely(entry, options), plan))


def _apply_safely(entry: dict[str, Any], options: Options) -> Outcome:
    try:
        return _apply_guest(entry, options)
    except _Refused as refused:
        status = "left_alone" if refused.reason in LEFT_ALONE else "failed"
        return Outcome(_result(entry, status, reason=refused.reason, detail=refused.detail), None)
    except OSError as exc:
        return Outcome(_result(entry, "failed", reason="error", detail=layout.reason(exc)), None)


def _result(entry: dict[str, Any], status: str, **more: Any) -> dict[str, Any]:
    return {
        "guest": entry["guest"],
        "name": entry.get("name") or "",
        "node": entry.get("node"),
        "status": status,
        "changes": [],
        "restart_required": False,
        "reason": None,
        "detail": None,
        "digest": None,
        **more,
    }


def _apply_guest(entry: dict[str, Any], options: Options) -> Outcome:
    raw = _current(entry, options)
    config = _config.parse(_config.decode(raw))
    live = layout.is_live(options.root)
    running = reader.is_running(options.root, entry["guest"]) if live else None
    try:
        values = _changes.values(config, entry["changes"])
    except _drive.DriveError as exc:
        raise _Refused("refused", f"the plan does not fit the guest: {exc}") from exc
    if not values:
        return Outcome(_result(entry, "unchanged", digest=_config.digest(raw)), None)
    work = _Work(entry, config, values, _config.edit(config.text, values, _changes.pending_keys(config, values)))
    _refuse(work, raw, running, options)
    diff = _diff(config, values)
    done = {"changes": entry["changes"], "restart_required": _would_wait(work, running)}
    _refuse_without_journal(options, lambda journal: journal.check())
    if options.check:
        return Outcome(_result(entry, "changed", digest=_config.digest(raw), **done), diff)
    _refuse_without_journal(options, lambda journal: journal.intent(entry, entry["digest"], _changes.differing(config, entry["changes"])))
    try:
        after = _write(work, bool(running), options)
    except (_Refused, OSError) as exc:
        reason = exc.reason if isinstance(exc, _Refused) else "error"
        _note(entry, options, _was_written(entry, reason, options), _result(entry, "failed", reason=reason, detail=str(exc)))
        raise
    done["restart_required"] = _changes.waiting(_config.parse(_config.decode(after)), values)
    result = _result(entry, "changed", digest=_config.digest(after), **done)
    result["detail"] = _note(entry, options, True, result)
    return Outcome(result, diff)


def _would_wait(work: _Work, running: bool | None) -> bool:
    """Whether one of the values will wait for a cold start once they are written, as a run that is none of check mode finds it."""
    if running is None:
        return _changes.waiting(_config.parse(work.edited), work.values)
    # qm takes a key out of [PENDING] that is set to what the main section has.
    return running and any(not _same(key, work.config.main.get(key), value) for key, value in work.values.items())


def _same(key: str, one: str | None, other: str | None) -> bool:
    return one is other if one is None or other is None else _changes.normal(key, one) == _changes.normal(key, other)


def _write(work: _Work, running: bool, options: Options) -> bytes:
    """Write a guest and prove it; its config afterwards."""
    live = layout.is_live(options.root)
    write: Callable[..., bytes] = _write_live if live else _write_tree
    after = write(work, options)
    faults = _changes.lost(work.config, _config.parse(_config.decode(after)), work.values, running=running or not live)
    if faults:
        raise _Refused("not_proven", "after the write " + "; ".join(faults))
    return after


def _refuse_without_journal(options: Options, use: Callable[[Journal], None]) -> None:
    """A guest is not written where the journal cannot be: nobody could roll it back."""
    if options.journal is None:
        return
    try:
        use(options.journal)
    except OSError as exc:
        raise _Refused("journal", f"not written, because the journal {options.journal.path} cannot be: {layout.reason(exc)}") from exc


def _note(entry: dict[str, Any], options: Options, written: bool | None, result: dict[str, Any]) -> str | None:
    """Put the outcome into the journal; a sentence where it cannot be, for by now the guest is as it is."""
    if options.journal is None:
        return None
    try:
        options.journal.outcome(entry["guest"], written, result)
    except OSError as exc:
        return f"written; that it was could not be noted in the journal {options.journal.path}: {layout.reason(exc)}"
    return None


def _was_written(entry: dict[str, Any], reason: str, options: Options) -> bool | None:
    """Whether a write that failed changed the config all the same; None where that cannot be known.

    A qm that gave no answer was ended, and the worker it had started may write still.
    """
    if reason in ("digest_moved", "locked", "moved"):
        return False
    try:
        changed = _config.digest(layout.read(options.root, entry["config"])) != entry["digest"]
    except OSError:
        return None
    return None if reason == "busy" and not changed else changed


def _current(entry: dict[str, Any], options: Options) -> bytes:
    if entry["config"].endswith(".json"):
        raise _Refused("refused", "its config is JSON, a copy that can be judged but not written")
    try:
        raw = layout.read_config(options.root, entry["config"])
    except FileNotFoundError as exc:
        raise _Refused("moved", _where(entry, options)) from exc
    if _config.digest(raw) != entry["digest"]:
        raise _Refused("digest_moved", "its config changed after it was read; read it again")
    return raw


def _where(entry: dict[str, Any], options: Options) -> str:
    for node in layout.node_names(options.root):
        path = f"/etc/pve/nodes/{node}/qemu-server/{entry['guest']}.conf"
        if os.path.exists(layout.inside(options.root, path)):
            return f"it moved from node {entry['node']} to node {node}; run this for {node}"
    return f"its config {entry['config']} is gone; the guest was removed or is on its way to another node"


def _refuse(work: _Work, raw: bytes, running: bool | None, options: Options) -> None:
    """Raise _Refused where this guest must not be written now."""
    entry, config = work.entry, work.config
    lock = config.main.get("lock")
    if lock:
        raise _Refused("locked", f"locked ({lock}); run again when that has ended")
    facts = record(entry["guest"], raw, {})
    if facts["unsafe_lines"]:
        line = facts["unsafe_lines"][0]
        raise _Refused("unsafe_lines", f"Proxmox VE would drop line {line['line']} on a write: {line['reason']}")
    _refuse_unstartable(work, options)
    size = len(_config.encode(work.edited))
    if running:
        # A drive that goes to [PENDING] stands there beside the one in force.
        size += sum(len(key) + len(value or "") + len("[PENDING]") for key, value in work.values.items())
    if size > layout.MAX_CONFIG_BYTES:
        raise _Refused("refused", "its config would be larger than 1 MiB, which Proxmox VE does not store; shorten its description")
    if running is None:
        return
    own = layout.own_node(options.root)
    if entry["node"] != own:
        raise _Refused("moved", f"it is on node {entry['node']}, and qm writes only the guests of its own node, {own}; run this there")
    if facts["unknown_keys"]:
        dropped = qm.dropped_lines(options.run, entry["guest"], options.timeout)
        if dropped:
            raise _Refused("unsafe_lines", f"Proxmox VE would drop lines on a write: {dropped}")
    foreign = _changes.foreign_pending(config)
    if foreign and not running and not options.apply_foreign_pending:
        raise _Refused(
            "foreign_pending",
            f"stopped, with somebody else's pending changes ({', '.join(foreign)}), which qm set would apply; "
            "start or revert them, or allow it: guest_io_apply_foreign_pending: true",
        )


def _refuse_unstartable(work: _Work, options: Options) -> None:
    storages: dict[str, Any] = {}
    text = reader.optional_text(options.root, "/etc/pve/storage.cfg")
    if text is not None:
        storages = {storage["id"]: storage for storage in _storage.parse(text)[0]}
    guest = record("0", _config.encode(work.edited), storages)
    for disk in guest["disks"]:
        fault = refused_at_start(disk["key"], disk["next"] or disk["effective"])
        if disk["key"] in work.values and fault:
            raise _Refused("would_not_start", fault)


def _write_live(work: _Work, options: Options) -> bytes:
    entry = work.entry
    accepted = {key: value and _drive.without_ignored(value) for key, value in work.values.items()}
    refusal = qm.set_values(options.run, entry["guest"], accepted, entry["digest"], options.timeout)
    if refusal:
        detail = _where(entry, options) if refusal.reason == "moved" else refusal.detail
        raise _Refused(refusal.reason, detail + _take_back(entry, work.config, accepted, options))
    return layout.read(options.root, entry["config"])


def _take_back(entry: dict[str, Any], before: _config.Config, values: dict[str, str | None], options: Options) -> str:
    """Revert what a refused qm set left in [PENDING]; says so, "" where it left nothing.

    qm stores each option in [PENDING] on its own (update_vm_api): when one fails, those before it stay there.
    """
    try:
        after = _config.parse(_config.decode(layout.read(options.root, entry["config"])))
    except OSError:
        return ""
    left = [key for key, value in values.items() if _left_behind(before, after, key, value)]
    if not left:
        return ""
    if any(before.pending and before.pending.get(key) is not None for key in left):
        return f"; {', '.join(left)} had been stored by then and waits in [PENDING]"
    if qm.revert(options.run, entry["guest"], left, options.timeout):
        return f"; {', '.join(left)} had been stored by then and was taken back"
    return f"; {', '.join(left)} had been stored by then and waits in [PENDING]: qm set {entry['guest']} --revert {','.join(left)}"


def _left_behind(before: _config.Config, after: _config.Config, key: str, value: str | None) -> bool:
    if value is None:
        return key in after.pending_deletes and key not in before.pending_deletes
    now = after.pending and after.pending.get(key)
    return bool(now) and _changes.normal(key, now) == _changes.normal(key, value) and not (before.pending and before.pending.get(key) == now)


def _write_tree(work: _Work, options: Options) -> bytes:
    edited = _config.parse(work.edited)
    left = [key for key, value in work.values.items() if value is None and _changes.current(edited, key) is not None]
    if left:
        raise _Refused("refused", f"{left[0]} waits in [PENDING] and stands in the main section as well; remove it by hand")
    path = work.entry["config"]
    _whole_file.replace(layout.inside(options.root, path), _config.encode(work.edited))
    return layout.read(options.root, path)


def _diff(config: _config.Config, values: dict[str, str | None]) -> dict[str, str]:
    before = {key: _changes.current(config, key) for key in values}
    return {
        "before": "".join(f"{key}: {visible(_config.printable(old))}\n" for key, old in sorted(before.items()) if old is not None),
        "after": "".join(f"{key}: {visible(_config.printable(new))}\n" for key, new in sorted(values.items()) if new is not None),
    }
