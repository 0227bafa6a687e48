# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Write: puts the values into one guest's config, with qm on a live node, with one rename in a tree, and proves it by
reading back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .._host import whole_file as _whole_file
from .._pve import changes as _changes
from .._pve import config as _config
from . import layout, qm, reader
from .refuse import where
from .work import Options, Refused, Work

# qm refuses for these before it stores anything: what waits is of another run, or of a person.
_BEFORE_STORING = ("locked", "digest_moved", "moved")


def write(work: Work, running: bool, options: Options) -> bytes:
    """Write a guest and prove it; its config afterwards."""
    live = layout.is_live(options.root)
    way: Callable[[Work, Options], bytes] = _write_live if live else _write_tree
    after = way(work, options)
    faults = _changes.lost(
        work.config, _config.parse(_config.decode(after)), work.values, running=running if live else None
    )
    if faults:
        raise Refused("not_proven", "after the write " + "; ".join(faults))
    return after


def _write_live(work: Work, options: Options) -> bytes:
    entry = work.entry
    refusal = qm.set_values(options.run, entry["guest"], work.values, entry["digest"], options.timeout)
    if refusal:
        detail = where(entry, options) if refusal.reason == "moved" else refusal.detail
        raise Refused(refusal.reason, detail + _take_back(entry, work.config, work.values, refusal, options))
    return layout.read(options.root, entry["config"])


def _write_tree(work: Work, options: Options) -> bytes:
    edited = _config.parse(work.edited)
    left = [key for key, value in work.values.items() if value is None and _changes.current(edited, key) is not None]
    if left:
        raise Refused(
            "refused", f"{left[0]} waits in [PENDING] and stands in the main section as well; remove it by hand"
        )
    path = work.entry["config"]

    def as_it_was_read() -> None:
        _refuse_other_config(work, options)

    _whole_file.replace(layout.inside(options.root, path), _config.encode(work.edited), unless=as_it_was_read)
    return layout.read(options.root, path)


def _refuse_other_config(work: Work, options: Options) -> None:
    """Raise Refused where the config is not the one that was edited any more: an editor knows nothing of our lock."""
    try:
        raw = layout.read_config(options.root, work.entry["config"])
    except FileNotFoundError as exc:
        raise Refused("moved", where(work.entry, options)) from exc
    if _config.digest(raw) != work.entry["digest"]:
        raise Refused(
            "digest_moved", "its config changed while it was being written; nothing was written, read it again"
        )


def _take_back(
    entry: dict[str, Any], before: _config.Config, values: dict[str, str | None], refusal: qm.Refusal, options: Options
) -> str:
    """Revert what a refused qm set left in [PENDING]; says so, "" where it left nothing.

    qm stores each option in [PENDING] on its own (update_vm_api): when one fails, those before it stay there. Nothing
    is called where nothing was stored, and nothing of somebody else is reverted or applied.
    """
    if refusal.reason in _BEFORE_STORING or (refusal.reason == "busy" and not refusal.ended):
        return ""
    raw = _read(entry, options)
    left = _left(before, values, raw)
    if not left:
        return ""
    names = ", ".join(left)
    by_hand = f"; {names} had been stored by then and waits in [PENDING]"
    after = _config.parse(_config.decode(raw))
    if any(before.pending and before.pending.get(key) is not None for key in left):
        return by_hand
    # On a stopped guest every qm set applies all that waits, and a worker that was not ended may store still.
    others = set(after.pending.entries) - {"delete"} | set(after.pending_deletes) if after.pending else set()
    if refusal.ended or (others - set(left) and not reader.is_running(options.root, entry["guest"])):
        return f"{by_hand}; look at it with qm pending {entry['guest']}"
    qm.revert(options.run, entry["guest"], left, _config.digest(raw), options.timeout)
    now = _read(entry, options)
    if now is None or _left(before, values, now):
        return f"{by_hand}: qm set {entry['guest']} --revert {','.join(left)}"
    return f"; {names} had been stored by then and was taken back"


def _read(entry: dict[str, Any], options: Options) -> bytes | None:
    try:
        return layout.read(options.root, entry["config"])
    except OSError:
        return None


def _left(before: _config.Config, values: dict[str, str | None], raw: bytes | None) -> list[str]:
    """The keys whose new value waits in [PENDING] and did not before."""
    if raw is None:
        return []
    after = _config.parse(_config.decode(raw))
    return [key for key, value in values.items() if _left_behind(before, after, key, value)]


def _left_behind(before: _config.Config, after: _config.Config, key: str, value: str | None) -> bool:
    if value is None:
        return key in after.pending_deletes and key not in before.pending_deletes
    now = after.pending and after.pending.get(key)
    return (
        bool(now)
        and _changes.normal(key, now) == _changes.normal(key, value)
        and not (before.pending and before.pending.get(key) == now)
    )
