# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Guest configs as JSON, the way ``pvesh get …/config`` and ``…/pending`` and the API print them."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping

from . import written
from .drive_options import shown

# Sections that some versions print with the settings; they hold no disks of the guest.
_SECTIONS = ("pending", "snapshots", "special-sections")
_KEY = re.compile(r"^[a-z][a-z0-9_\-]*$", re.ASCII)
#: What an item of …/pending says of its key: ``delete`` alone is a removal of what is not set.
_SIDES = {"value", "pending", "delete"}
# The key of an object, or the name that an item of …/pending has as its key.
_NAMED = re.compile(r'"key"\s*:\s*"([a-z][a-z0-9_\-]*)"|"([a-z][a-z0-9_\-]*)"\s*:', re.ASCII)


class JsonConfigError(ValueError):
    """The text is not a guest config in JSON; the message says why."""


def to_text(raw: str) -> str:
    """The config text of a guest config in JSON; raises JsonConfigError.

    An object is the answer of ``…/config``: the settings after the next cold start, which does not say what is pending.
    A list is the answer of ``…/pending``: what is pending goes into [PENDING]. ``digest`` is left out: it is that of
    another text.
    """
    try:
        # Numbers stay text: Python refuses those of more than 4,300 digits, and Proxmox VE's own check comes later.
        document = json.loads(raw, object_pairs_hook=_once, parse_int=str, parse_float=str, parse_constant=str)
    except JsonConfigError:
        raise
    except (ValueError, RecursionError) as exc:
        raise JsonConfigError(f"is not JSON: {exc}") from exc
    if isinstance(document, dict) and isinstance(document.get("data"), (dict, list)):
        others = sorted(key for key in document if key != "data")
        if others:
            raise JsonConfigError(
                f"has {shown(others[0])!r} next to 'data': an answer of the API has all settings in 'data'"
            )
        document = document["data"]
    if isinstance(document, list):
        return of_pending(document)
    if not isinstance(document, dict):
        raise JsonConfigError(
            "is not a guest config: it takes an object of the guest's settings, or the list that …/pending gives"
        )
    settings = {key: value for key, value in document.items() if not (key in _SECTIONS and isinstance(value, dict))}
    return written.config(_plain(settings))


def of_pending(
    items: list[object], specials: Collection[str] = (), snapshots: Mapping[str, Mapping[str, object]] | None = None
) -> str:
    """The config text of the list that ``…/pending`` gives; raises JsonConfigError.

    ``specials`` are names of special sections that the config has and that are empty, ``snapshots`` the answers of
    ``…/snapshot/NAME/config`` by name.
    """
    main: dict[str, object] = {}
    waiting: dict[str, object] = {}
    deletes: list[str] = []
    for item in items:
        if not isinstance(item, dict) or not isinstance(item.get("key"), str) or not _SIDES & set(item):
            raise JsonConfigError(
                "is not a guest config: a list takes objects with 'key' and 'value', 'pending' or 'delete', as"
                " …/pending gives"
            )
        key = item["key"]
        if key in main or key in waiting:
            raise JsonConfigError(f"has duplicate key {shown(key)!r}")
        if "value" in item:
            main[key] = item["value"]
        if "pending" in item:
            waiting[key] = item["pending"]
        if item.get("delete") not in (None, "0", 0):
            # 2 removes by force, which the file has as a "!".
            deletes.append(f"!{key}" if str(item["delete"]) == "2" else key)
    sections = {name: _plain(settings) for name, settings in (snapshots or {}).items()}
    return written.config(_plain(main), _plain(waiting), deletes, specials, sections)


def _plain(settings: Mapping[str, object]) -> dict[str, str]:
    """The settings as text, without the digest."""
    found = {}
    for key, value in settings.items():
        if key == "digest":
            continue
        if not _KEY.match(key):
            raise JsonConfigError(f"has the key {shown(key)!r}, which no guest config has")
        found[key] = _value(key, value)
        if "\n" in found[key] and key != "description":
            raise JsonConfigError(f"has a line break in the value of '{shown(key)}'")
    return found


def _value(key: str, value: object) -> str:
    if isinstance(value, (dict, list)) or value is None:
        raise JsonConfigError(f"has no plain value for '{shown(key)}'")
    return str(int(value)) if isinstance(value, bool) else str(value)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object without duplicate keys: which of two counts cannot be known."""
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise JsonConfigError(f"has duplicate key {shown(key)!r}")
        found[key] = value
    return found


def key_lines(raw: str) -> dict[str, int]:
    """The line of each key in the JSON text, for findings to point at."""
    lines: dict[str, int] = {}
    for number, line in enumerate(raw.split("\n"), 1):
        for match in _NAMED.finditer(line):
            lines.setdefault(match[1] or match[2], number)
    return lines
