# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The policy document ``io_load_policy``: validated as a whole before a host is judged by it.

It is about backups, and about the limits of restore, migration, clone and move. A value that is named is set; what is
not named is only reported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ...module_utils._load import asked, stored
from ...module_utils._load.property_string import OPERATIONS, FormatFault, storage_id
from ...module_utils._settings.seam import SettingsError
from ...module_utils._shown import shown
from .._policy import shapes
from .._policy.errors import PolicyError
from .._policy.waiver import Waiver
from . import units, waivers

UNLIMITED = "unlimited"
_KEYS = ("backup", "limits", "storages", "jobs", "waivers")
_BACKUP = ("max_workers", "bwlimit", "ionice", "fleecing")
_LIMITS = ("default", *OPERATIONS)
_KIB = 1 << 10


class BackupPolicy(NamedTuple):
    """What is wanted of backups; None: not named. ``bwlimit`` is in KiB/s, 0 for no limit. ``fleecing`` is the id of
    the storage, "" for no fleecing.
    """

    max_workers: int | None = None
    bwlimit: int | None = None
    ionice: int | None = None
    fleecing: str | None = None


class LoadPolicy(NamedTuple):
    """A validated ``io_load_policy``. ``limits`` and those of each storage are KiB/s by operation, 0 for no limit."""

    backup: BackupPolicy
    limits: dict[str, int]
    storages: dict[str, dict[str, int]]
    jobs: dict[str, BackupPolicy]
    waivers: tuple[Waiver, ...]

    def of_job(self, name: str) -> BackupPolicy:
        """What is wanted of a job: its own values, else those of all backups."""
        own = self.jobs.get(name, BackupPolicy())
        named = {key: value for key, value in own._asdict().items() if value is not None}
        return self.backup._replace(**named)


def parse(document: Any, place: str = "io_load_policy") -> LoadPolicy:
    """Validate the document; null is an empty one. Raises PolicyError with the place and what it allows."""
    raw = {} if document is None else document
    shapes.mapping(place, raw, _KEYS)
    return LoadPolicy(
        backup=_backup(f"{place}.backup", raw.get("backup")),
        limits=_limits(f"{place}.limits", raw.get("limits")),
        storages=_each(f"{place}.storages", raw.get("storages"), _STORAGE, _limits),
        jobs=_each(f"{place}.jobs", raw.get("jobs"), _JOB, _backup),
        waivers=waivers.parse([(f"{place}.waivers", raw.get("waivers"))]),
    )


def _each(
    place: str, value: Any, kind: tuple[str, str, Callable[[Any], bool]], check: Callable[[str, Any], Any]
) -> Any:
    """A mapping from names to values; one that names nothing for its name is a mistake. ``kind`` is what a name is,
    what is allowed in it, and what checks it.
    """
    words, allowed, name = kind
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise PolicyError(place, f"is {shown(value)}, it takes a mapping from {words} to its values")
    found = {}
    for key, raw in value.items():
        at = shapes.at(place, key)
        if not name(key):
            raise PolicyError(at, f"is not {words}: it takes {allowed}")
        if not raw:
            raise PolicyError(at, "names no value")
        found[str(key)] = check(at, raw)
    return found


def _job(name: Any) -> bool:
    """Whether it is an id that can be set."""
    try:
        return isinstance(name, str) and bool(asked.target(stored.job(name)))
    except SettingsError:
        return False


def _storage(name: Any) -> bool:
    try:
        storage_id(name)
    except (FormatFault, TypeError):
        return False
    return True


_STORAGE = (
    "a storage's id",
    "two letters or more, with digits, '-', '_' and '.' after the first, and a letter or digit at the end",
    _storage,
)
_JOB = ("a job's id", "text of 1 to 50 characters of ASCII, without blanks and '/'", _job)


def _backup(place: str, value: Any) -> BackupPolicy:
    raw = {} if value is None else value
    shapes.mapping(place, raw, _BACKUP)
    named = {key: raw[key] for key in _BACKUP if raw.get(key) is not None}
    found: dict[str, Any] = {}
    for key, least, most in (("max_workers", 1, 256), ("ionice", 0, 8)):
        if key in named:
            found[key] = shapes.number(f"{place}.{key}", named[key], least, most)
    if "bwlimit" in named:
        found["bwlimit"] = _rate(f"{place}.bwlimit", named["bwlimit"])
    if "fleecing" in named:
        found["fleecing"] = _fleecing(f"{place}.fleecing", named["fleecing"])
    return BackupPolicy(**found)


def _fleecing(place: str, value: Any) -> str:
    if value is False:
        return ""
    if not isinstance(value, str) or not _storage(value):
        raise PolicyError(place, f"is {shown(value)}, it takes the id of a storage such as local-lvm, or false")
    return str(value)


def _limits(place: str, value: Any) -> dict[str, int]:
    raw = {} if value is None else value
    if isinstance(raw, Mapping) and "backup" in raw:
        raise PolicyError(
            f"{place}.backup", "is no operation that Proxmox VE limits here; backup.bwlimit limits backups"
        )
    shapes.mapping(place, raw, _LIMITS)
    return {key: _rate(f"{place}.{key}", raw[key]) for key in _LIMITS if raw.get(key) is not None}


def _rate(place: str, value: Any) -> int:
    """KiB/s, in which Proxmox VE counts; 0 for no limit."""
    if value == UNLIMITED:
        return 0
    try:
        return units.rate(place, value, least=_KIB, whole=_KIB) // _KIB
    except PolicyError as exc:
        raise PolicyError(exc.place, f"{exc.reason}; or {UNLIMITED}") from None
