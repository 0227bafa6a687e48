# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""One domain's XML as a definition: parsed once, edited as a plan asks, with the guest's record. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import cached_property

from .._model import findings
from .._model.findings import Change, Value, Wanted
from .._model.records import Guest
from . import devices, edit
from .lost import differences, is_ours
from .splice import EditError
from .xml import Element, parse


class Definition:
    """A domain's persistent definition as it was read, or as ``edited`` would leave it.

    ``record`` makes the guest's record of a definition's bytes. ``digest`` is that of the definition where it is not
    that of ``raw``, which may have passwords in it. ``also`` is what an edit changed besides what it was asked for.
    Raises XmlError.
    """

    def __init__(
        self,
        guest: str,
        node: str | None,
        path: str,
        raw: bytes,
        record: Callable[[bytes], Guest],
        digest: str | None = None,
        also: Sequence[Change] = (),
    ) -> None:
        self.id = guest
        self.node = node
        self.path = path
        self.raw = raw
        self.also = list(also)
        self.domain: Element = parse(raw)
        self._record = record
        self._digest = digest

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the whole definition."""
        return self._digest or hashlib.sha256(self.raw).hexdigest()

    @cached_property
    def guest(self) -> Guest:
        """The guest's record."""
        return {**self._record(self.raw), "digest": self.digest}

    def lines(self) -> dict[str, str]:
        """The driver of each disk and SCSI controller, and the iothreads: all that an edit may change."""
        named = {devices.key(disk): disk for disk in devices.disks(self.domain)}
        controllers = devices.scsi_controllers(self.domain)
        named.update({f"SCSI controller {index}": each for index, each in controllers.items()})
        drivers = {name: device.child("driver") for name, device in named.items()}
        found = {name: self._start_tag(driver) for name, driver in drivers.items() if driver is not None}
        for name in ("iothreads", "iothreadids"):
            element = self.domain.child(name)
            if element is not None:
                ids = ", ".join(each.attributes.get("id", "") for each in element.children)
                found[name] = ids or element.text.strip()
        return found

    def value(self, key: str, option: str) -> Value:
        """An option as the definition sets it, None where it does not; ``key`` is a plan's.

        Raises EditError where there is no such disk.
        """
        return edit.value(self.domain, key, option)

    def edited(self, wanted: Wanted) -> Definition:
        """The definition with these options set, every other byte as it is; this very object where nothing changes.

        Raises EditError.
        """
        raw = edit.edited(self.raw, self.domain, wanted)
        if raw == self.raw:
            return self
        found = self.reread(raw)
        for difference in differences(self.domain, found.domain):
            if not is_ours(difference):
                raise EditError(
                    f"{'/'.join(difference.place) or 'the definition'} would change, which nobody asked for"
                )
        before, after = edit.values(self.domain), edit.values(found.domain)
        asked = {(key, option): new for key, options in wanted.items() for option, new in options.items()}
        for place, new in asked.items():
            if (after[place] or None) != (new or None):
                raise EditError(f"{' '.join(place)} cannot be set to {new}")
        found.also = [
            findings.change(*place, before[place], after[place])
            for place in before
            if place not in asked and before[place] != after[place]
        ]
        return found

    def reread(self, raw: bytes, digest: str | None = None) -> Definition:
        """The same guest with another definition."""
        return Definition(self.id, self.node, self.path, raw, self._record, digest)

    def _start_tag(self, element: Element) -> str:
        return self.raw[element.start : element.open_end].decode()
