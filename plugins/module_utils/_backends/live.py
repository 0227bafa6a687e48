# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What Proxmox VE does with a write, through qm and through its API alike.

On a running guest it waits in [PENDING], on a stopped one all that waits takes effect, and each option is stored on its
own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .._model.records import foreign_pending_detail
from .._pve import drive as _drive
from .._pve.definition import Definition
from .._pve.pending import foreign_pending
from .._pve.pending import waits as _waits
from .._pve.same import normal
from .._shown import some
from .backend import Refused


def refuse_foreign_pending(now: Definition) -> None:
    """Raise Refused where a write to the guest, which does not run, would apply what somebody else has left."""
    foreign = foreign_pending(now.config)
    if foreign and not now.running:
        raise Refused("foreign_pending", foreign_pending_detail(some(foreign)))


def storages(now: Definition, edited: Definition) -> dict[str, str]:
    """Key → the storage of each drive that was edited; those on paths are left out."""
    volumes = {
        key: _drive.parse(key, now.config.next(key) or "").volume for key in edited.values if _drive.parse_key(key)
    }
    return {key: volume.partition(":")[0] for key, volume in volumes.items() if not volume.startswith("/")}


def refuse_offline(now: Definition, edited: Definition, unusable: Mapping[str, str | None]) -> None:
    """Raise Refused for a drive on a storage that its node cannot use; ``unusable`` says why, None where it can."""
    for key, storage in storages(now, edited).items():
        why = unusable.get(storage, f"this node has no storage '{storage}'")
        if why:
            raise Refused("storage_offline", f"not written, because of {key}: {why}; run again when it is there")


def size(edited: Definition) -> int:
    """What an edited config adds to its own size: a drive that waits is there in addition to the one in force."""
    if not edited.running:
        return 0
    return sum(len(key) + len(value or "") + len("[PENDING]") for key, value in edited.values.items())


def waits(now: Definition, edited: Definition, after: Definition | None = None) -> bool:
    """See Backend."""
    if after is not None:
        return _waits(after.config, edited.values)
    # A key that is set to what the main section has is taken out of [PENDING].
    return bool(now.running) and any(
        not _same(key, now.config.main.get(key), value) for key, value in edited.values.items()
    )


def take_back(
    now: Definition,
    edited: Definition,
    may_go_on: bool,
    reread: Callable[[], Definition | None],
    runs: Callable[[], bool],
    revert: Callable[[list[str], str], object],
) -> str:
    """Revert what a refused write left in [PENDING]; the words for it, "" where it left nothing.

    Each option is stored in [PENDING] on its own (update_vm_api): when one fails, those before it stay there. Where
    nothing was stored nothing is reverted, so that nothing of somebody else is reverted or applied. ``may_go_on``: the
    write gave no answer, and may store still. ``revert`` takes the keys and the digest.
    """
    after = reread()
    left = _left(now, edited, after)
    if not left or after is None:
        return ""
    names = ", ".join(left)
    by_hand = f"; {names} had been stored by then and waits in [PENDING]"
    if any(now.config.pending and now.config.pending.get(key) is not None for key in left):
        return by_hand
    # On a stopped guest every write applies all that waits, and a worker that was not ended may store still.
    pending = after.config.pending
    others = set(pending.entries) - {"delete"} | set(after.config.pending_deletes) if pending else set()
    if may_go_on or (others - set(left) and not runs()):
        return f"{by_hand}; look at it with qm pending {now.id}"
    revert(left, after.digest)
    then = reread()
    if then is None or _left(now, edited, then):
        return f"{by_hand}: qm set {now.id} --revert {','.join(left)}"
    return f"; {names} had been stored by then and was taken back"


def _same(key: str, one: str | None, other: str | None) -> bool:
    return one is other if one is None or other is None else normal(key, one) == normal(key, other)


def _left(now: Definition, edited: Definition, after: Definition | None) -> list[str]:
    """The keys that wait in [PENDING] with their new value and did not before."""
    return (
        [] if after is None else [key for key, value in edited.values.items() if _left_behind(now, after, key, value)]
    )


def _left_behind(now: Definition, after: Definition, key: str, value: str | None) -> bool:
    if value is None:
        return key in after.config.pending_deletes and key not in now.config.pending_deletes
    before = now.config.pending.get(key) if now.config.pending else None
    found = after.config.pending.get(key) if after.config.pending else None
    return bool(found) and normal(key, found or "") == normal(key, value) and before != found
