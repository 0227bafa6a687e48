# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Guests of Proxmox VE through its API, by a token: without a login on any node, from where the playbook runs."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any

from .._model.findings import ResultReason
from .._model.records import Guest, Storage
from .._pve import config as _config
from .._pve.answer import Answer
from .._pve.definition import Definition
from .._pve.json_config import JsonConfigError
from .._pve_api import permissions
from .._pve_api.connection import Connection
from .._pve_api.errors import NODE_SILENT, ApiError, NoAnswer, NotUsable
from .._pve_api.options import checked
from . import api_reading, live
from .api_cluster import Cluster, State
from .backend import Refused
from .layout import LayoutError
from .pve_guests import PveGuests
from .reading import Reading

#: What the API's words mean (recorded on Proxmox VE 9.2).
_REASONS: tuple[tuple[re.Pattern[str], ResultReason], ...] = (
    (re.compile(r"VM is locked \("), "locked"),
    (re.compile(r"checksum mismatch|detected modified configuration"), "digest_moved"),
    (re.compile(r"can't lock file .* got timeout"), "busy"),
    (re.compile(r"Configuration file '.*' does not exist"), "moved"),
    (re.compile(r"storage '.*' is (not (online|available)|disabled)"), "storage_offline"),
)

# With these nothing was stored.
_BEFORE_STORING = ("locked", "digest_moved", "moved", "busy")

#: A write that gave no answer is looked for after so many more seconds each time: Proxmox VE may wait for a storage.
_LOOKS = (0.5, 2, 5, 10)


def connected(given: Mapping[str, Any]) -> Cluster:
    """The cluster that a module's option ``api`` leads to. Raises LayoutError."""
    try:
        return Cluster(Connection(checked(given)))
    except NotUsable as exc:
        raise LayoutError(str(exc)) from exc


class Api(PveGuests):
    """The guests of a node, or of all, behind an API.

    ``writes`` are the ids of the guests that are to be written. Raises LayoutError where the token may not.
    """

    # A write is mostly waiting, and a node has three workers for all that is asked of it (pvedaemon).
    at_once = 4

    def __init__(
        self,
        cluster: Cluster,
        node: str | None = None,
        apply_foreign_pending: bool = False,
        writes: Collection[str] = (),
    ) -> None:
        super().__init__(node or "all")
        self._cluster = cluster
        self._apply_foreign_pending = apply_foreign_pending
        if writes:
            cluster.require(permissions.WRITE, {guest for guest in writes if guest.isdigit()})

    def read(self, only: Collection[str] | None = None) -> Reading:
        """See Backend."""
        try:
            return api_reading.read(self._cluster, self.node, only)
        except NotUsable as exc:
            raise LayoutError(str(exc)) from exc

    def alone(self, configs: Sequence[str]) -> AbstractContextManager[None]:
        """See Backend. Proxmox VE takes the guest's own lock, and compares the digest under it."""
        return contextlib.nullcontext()

    def load(self, guest: str, node: str | None, config: str) -> ApiDefinition:
        """See Backend. A guest that has moved is looked for once."""
        if node is None:
            raise Refused("refused", "its plan names no node, and the API knows each guest by its node")
        try:
            return self._load(guest, node)
        except ApiError as exc:
            if reason(exc) != "moved":
                raise refused(exc, node) from exc
        place = self._cluster.places().get(guest)
        if place is None:
            raise Refused("moved", f"its config {config} is gone; the guest was removed")
        try:
            return self._load(guest, place)
        except ApiError as exc:
            raise refused(exc, place) from exc

    def _load(self, guest: str, node: str) -> ApiDefinition:
        try:
            answer = self._cluster.config(node, guest)
        except JsonConfigError as exc:
            raise Refused("refused", f"the API's answer {exc}") from exc
        state = self._cluster.state(node, guest)
        return ApiDefinition(guest, node, answer, self._cluster.storages, state, self._cluster.options.write_unseen)

    def refuse(self, now: Definition, edited: Definition) -> None:
        """See Backend."""
        super().refuse(now, edited)
        if now.guest["held"]:
            raise Refused(now.guest["held"]["reason"], f"not written: {now.guest['held']['detail']}")
        for disk in now.guest["disks"]:
            if disk["key"] in edited.values and disk["needs_root"]:
                # Not its controller alone either: that is half a cure.
                raise Refused("needs_root", f"{disk['key']}: {disk['needs_root']}")
        # Without an answer the write itself finds out what is offline.
        with contextlib.suppress(ApiError):
            needed = live.storages(now, edited).values()
            live.refuse_offline(now, edited, self._cluster.unusable(str(now.node), needed))
        if not self._apply_foreign_pending:
            live.refuse_foreign_pending(now)

    def _size(self, edited: Definition) -> int:
        return super()._size(edited) + live.size(edited)

    def waits(self, now: Definition, edited: Definition, after: Definition | None = None) -> bool:
        """See Backend."""
        return live.waits(now, edited, after)

    def write(self, now: ApiDefinition, edited: ApiDefinition) -> ApiDefinition:
        """See Backend. One request with the digest; what it leaves in [PENDING] when it fails is taken back.

        Where it gives no answer, it is not repeated: the config is read until it is another one.
        """
        try:
            self._cluster.write(str(now.node), now.id, parameters(edited.values, now.digest))
        except ApiError as exc:
            if isinstance(exc, NoAnswer) or exc.status in NODE_SILENT:
                return self._look(now, edited, exc)
            failed = refused(exc, str(now.node))
            raise Refused(failed.reason, failed.detail + self._take_back(now, edited, failed)) from exc
        return self._reread(now)

    def _reread(self, now: ApiDefinition) -> ApiDefinition:
        try:
            return now.answered(self._cluster.config(str(now.node), now.id))
        except JsonConfigError as exc:
            raise Refused("not_proven", f"after the write the API's answer {exc}") from exc

    def _look(self, now: ApiDefinition, edited: ApiDefinition, silence: ApiError) -> ApiDefinition:
        """The config after a write without an answer. Raises Refused where it does not have what was written."""
        after = None
        for seconds in _LOOKS:
            time.sleep(seconds)
            with contextlib.suppress(ApiError, Refused):
                after = self._reread(now)
                if after.digest != now.digest and not self.lost(now, edited, after):
                    return after
        detail = f"{silence}; the write was not repeated"
        if after is None:
            raise Refused("busy", f"{detail}, and the guest cannot be read now: look at it, then run again")
        if after.digest == now.digest:
            raise Refused(
                "busy", f"{detail}, and nothing of it is stored by now: look at the guest's tasks, then run again"
            )
        raise Refused("busy", f"{detail}, and not all of it is stored by now" + self._take_back(now, edited, None))

    def _take_back(self, now: ApiDefinition, edited: ApiDefinition, failed: Refused | None) -> str:
        if failed and failed.reason in _BEFORE_STORING:
            return ""

        def reread() -> ApiDefinition | None:
            with contextlib.suppress(ApiError, Refused):
                return self._reread(now)
            return None

        def revert(keys: list[str], digest: str) -> None:
            with contextlib.suppress(ApiError):
                self._cluster.write(str(now.node), now.id, {"revert": ",".join(keys), "digest": digest})

        def runs() -> bool:
            try:
                return self._cluster.state(str(now.node), now.id).running
            except ApiError:
                return False

        return live.take_back(now, edited, failed is None, reread, runs, revert)


class ApiDefinition(Definition):
    """A guest config as the API tells it; ``raw`` is the file where the answer is whole."""

    def __init__(
        self,
        guest: str,
        node: str,
        answer: Answer,
        storages: Mapping[str, Storage],
        state: State,
        write_unseen: bool,
        values: dict[str, str | None] | None = None,
    ) -> None:
        path = api_reading.path_of(node, guest)
        super().__init__(guest, node, path, answer.raw, storages, state.running, values, answer.digest)
        self._answer = answer
        self._state = state
        self._write_unseen = write_unseen

    @cached_property
    def guest(self) -> Guest:
        """The guest's record."""
        return api_reading.completed(super().guest, self._answer, self._state, self._write_unseen)

    def reread(self, raw: bytes, values: dict[str, str | None] | None = None) -> ApiDefinition:
        """The same guest with another config."""
        return self._with(Answer(raw, _config.digest(raw), True), values)

    def answered(self, answer: Answer) -> ApiDefinition:
        """The same guest as the API tells it now."""
        return self._with(answer, None)

    def _with(self, answer: Answer, values: dict[str, str | None] | None) -> ApiDefinition:
        return ApiDefinition(self.id, str(self.node), answer, self._storages, self._state, self._write_unseen, values)


def parameters(values: Mapping[str, str | None], digest: str) -> dict[str, str]:
    """What sets a guest's settings in one request, each whole; None removes one."""
    removed = [key for key, value in values.items() if value is None]
    found = {key: value for key, value in values.items() if value is not None}
    return {**found, **({"delete": ",".join(removed)} if removed else {}), "digest": digest}


def reason(exc: ApiError) -> ResultReason:
    """What an error of the API means: a reason of docs/data.md."""
    if isinstance(exc, NoAnswer) or exc.status in NODE_SILENT:
        return "busy"
    return next((found for pattern, found in _REASONS if pattern.search(exc.words)), "refused")


def refused(exc: ApiError, node: str) -> Refused:
    """An error of the API as the refusal of a guest."""
    if isinstance(exc, NotUsable):
        return Refused("error", str(exc))
    if exc.status in NODE_SILENT:
        return Refused("busy", f"node {node} does not answer: {exc}; run again when it does")
    return Refused(reason(exc), exc.words)
