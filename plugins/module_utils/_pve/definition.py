# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""One guest's config as a definition: parsed once, edited as a plan asks, with the guest's record. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from .._model.findings import Value, Wanted
from .._model.records import Guest, Storage
from . import config as _config
from . import drive as _drive
from .pending import pending_keys
from .plan import CONTROLLER
from .record import record
from .same import without_ours


class Definition:
    """A guest config as it was read, or as ``edited`` would leave it.

    ``running`` is None where it is not known, as in a tree. ``values`` are the keys that were edited, with their whole
    new values; None removes the key. ``digest`` is that of the config where it is not that of ``raw``.
    """

    def __init__(
        self,
        guest: str,
        node: str | None,
        path: str,
        raw: bytes,
        storages: Mapping[str, Storage],
        running: bool | None = None,
        values: dict[str, str | None] | None = None,
        digest: str | None = None,
    ) -> None:
        self.id = guest
        self.node = node
        self.path = path
        self.raw = raw
        self.running = running
        self.values = values or {}
        self.config = _config.parse(_config.decode(raw))
        self._storages = storages
        self._digest = digest

    @cached_property
    def digest(self) -> str:
        """The SHA-1 of the whole config."""
        return self._digest or _config.digest(self.raw)

    @cached_property
    def guest(self) -> Guest:
        """The guest's record."""
        found = record(self.id, self.raw, self._storages, self.node, self.path, self.config)
        return {**found, "running": self.running, "digest": self.digest}

    def lines(self) -> dict[str, str]:
        """Each key with its value after the next cold start."""
        pending = self.config.pending.entries if self.config.pending else {}
        keys = [*self.config.main.entries, *(key for key in pending if key != "delete")]
        found = {**{key: self.config.next(key) for key in keys}, **self.values}
        return {key: _config.printable(value) for key, value in found.items() if value is not None}

    def value(self, key: str, option: str) -> Value:
        """An option as the config sets it for the next cold start, None where it is unset; ``key`` is a plan's.

        Raises DriveError where there is no such drive.
        """
        if key == "controller":
            return self.config.next(CONTROLLER)
        return _drive.parse(key, self._drive(key)).options.get(option)

    def edited(self, wanted: Wanted) -> Definition:
        """The config with these options set, every other byte as it is; this very object where nothing changes.

        A drive that waits in [PENDING] is edited as it waits there, because ``qm set`` replaces it whole: what somebody
        else has waiting on it must not be lost. Raises DriveError.
        """
        new = {
            CONTROLLER if key == "controller" else key: self._new_value(key, options) for key, options in wanted.items()
        }
        values = {key: value for key, value in new.items() if value != self.config.next(key)}
        if not values:
            return self
        text = _config.edit(self.config, values, pending_keys(self.config, values))
        return self.reread(_config.encode(text), values)

    def reread(self, raw: bytes, values: dict[str, str | None] | None = None) -> Definition:
        """The same guest with another config."""
        return Definition(self.id, self.node, self.path, raw, self._storages, self.running, values)

    def _new_value(self, key: str, options: Mapping[str, Value]) -> str | None:
        if key == "controller":
            controller = options["type"]
            return None if controller is None else str(controller)
        old = self._drive(key)
        _drive.parse(key, old)
        new = _drive.edit(old, options)
        if without_ours(key, old) != without_ours(key, new):
            raise _drive.DriveError(f"{key} would lose an option: {old!r} would become {new!r}")
        return new

    def _drive(self, key: str) -> str:
        found = self.config.next(key)
        if found is None:
            raise _drive.DriveError(f"the guest has no drive {key}")
        return found
