# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Filters: guest configs to records, and records to findings and a plan."""

from __future__ import annotations

import datetime
from typing import Any

from ansible.errors import AnsibleFilterError

from ..module_utils._pve import config as _config
from ..module_utils._pve import pending_config as _pending
from ..module_utils._pve import storage as _storage
from ..module_utils._pve.not_a_guest import is_container as _is_container
from ..module_utils._pve.not_a_guest import no_config as _no_config
from ..module_utils._pve.record import record as _record
from ..module_utils._text import builtin, visible
from ..plugin_utils._libraries import missing_libraries as _missing_libraries
from ..plugin_utils._policy import policy as _policy
from ..plugin_utils._policy import shapes as _shapes
from ..plugin_utils._policy.assess import assess as _assess
from ..plugin_utils._policy.errors import PolicyError
from ..plugin_utils._untrusted import untrusted as _untrusted


def from_qemu_server(text: Any, guest: str = "0", storage_cfg: str = "", node: str | None = None) -> dict[str, Any]:
    """The record of a guest config; see from_qemu_server.yml."""
    if not isinstance(text, str) or not isinstance(storage_cfg, str):
        raise AnsibleFilterError(
            "from_qemu_server takes the text of a guest config, and storage_cfg the text of a storage.cfg"
        )
    storages = {storage["id"]: storage for storage in _storage.parse(storage_cfg)[0]}
    printed = _pending.read(text)
    raw = _config.encode(printed.text if printed else text)
    parsed = _config.parse(_config.decode(raw))
    if _is_container(parsed):
        raise AnsibleFilterError(
            "from_qemu_server takes the config of a guest; this is the config of a container, which QEMU does not run"
        )
    if fault := _no_config(raw, parsed):
        raise AnsibleFilterError(f"from_qemu_server takes the text of a guest config; this one {fault[0]}")
    return _untrusted(_record(str(guest), raw, storages, node, parsed=parsed))


def assess(
    read: Any,
    policy: Any,
    date: Any = None,
    migrate_controllers: str | None = None,
    host: str | None = None,
    waivers: Any = None,
    apply_foreign_pending: bool = False,
) -> dict[str, Any]:
    """What guest_io_info returned, or a list of its records, against a policy; see assess.yml."""
    if missing := _missing_libraries():
        raise AnsibleFilterError(missing)
    reading = read if isinstance(read, dict) and "guests" in read else {"guests": read}
    guests = reading["guests"]
    if not isinstance(guests, list) or not all(isinstance(guest, dict) and "disks" in guest for guest in guests):
        raise AnsibleFilterError("assess takes what guest_io_info returned, or a list of its guest records")
    try:
        rules = _policy.parse(policy, waivers, None, migrate_controllers, apply_foreign_pending)
        day = datetime.date.today() if date is None else _shapes.date("date", date)
        records: Any = {key: builtin(reading.get(key) or []) for key in ("guests", "nodes", "problems")}
        return _untrusted(dict(_assess(records, rules, day, host)))
    except PolicyError as exc:
        raise AnsibleFilterError(visible(exc)) from exc


class FilterModule:
    """The collection's filters about guests."""

    def filters(self) -> dict[str, Any]:
        """Name to function."""
        return {"from_qemu_server": from_qemu_server, "assess": assess}
