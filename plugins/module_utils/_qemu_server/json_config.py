# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Guest configs as JSON, the way ``pvesh get …/config --output-format json`` and the API print them."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

# Sections that some versions hand out beside the settings; no disk of the guest is in them.
_SECTIONS = ("pending", "snapshots", "special-sections")
_KEY = re.compile(r"^[a-z][a-z0-9_\-]*$", re.ASCII)
_NAMED = re.compile(r'"([a-z][a-z0-9_\-]*)"\s*:', re.ASCII)


class JsonConfigError(ValueError):
    """The text is no guest config in JSON; the message says why."""


def to_text(raw: str) -> str:
    """The config text of a guest config in JSON; raises JsonConfigError.

    ``digest`` is left out: it is the digest of another text. Only the settings after
    the next cold start are in such a file; what waits for it cannot be told.
    """
    try:
        document = json.loads(raw, object_pairs_hook=_once)
    except JsonConfigError:
        raise
    except (ValueError, RecursionError) as exc:
        raise JsonConfigError(f"is no JSON: {exc}") from exc
    if isinstance(document, dict) and isinstance(document.get("data"), dict):
        beside = sorted(key for key in document if key != "data")
        if beside:
            raise JsonConfigError(f"has {beside[0]!r} beside 'data': an answer of the API has the guest's settings in 'data' alone")
        document = document["data"]
    if not isinstance(document, dict):
        raise JsonConfigError("is no guest config: it takes an object of the guest's settings")
    lines = []
    for key, value in sorted(document.items()):
        if key == "digest" or (key in _SECTIONS and isinstance(value, dict)):
            continue
        if not _KEY.match(key):
            raise JsonConfigError(f"has the key {key!r}, which no guest config has")
        if isinstance(value, (dict, list)) or value is None:
            raise JsonConfigError(f"has no plain value for '{key}'")
        text = str(int(value)) if isinstance(value, bool) else str(value)
        if key == "description":
            lines = [f"#{quote(line.encode('utf-8', 'surrogatepass'))}" for line in text.split("\n")] + lines
            continue
        if "\n" in text:
            raise JsonConfigError(f"has a line break in the value of '{key}'")
        lines.append(f"{key}: {text}")
    return "\n".join(lines) + "\n"


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object whose keys stand once: which of two would count is anybody's guess."""
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise JsonConfigError(f"has the key {key!r} twice")
        found[key] = value
    return found


def key_lines(raw: str) -> dict[str, int]:
    """The line of each key in the JSON text, for findings to point at."""
    lines: dict[str, int] = {}
    for number, line in enumerate(raw.split("\n"), 1):
        for match in _NAMED.finditer(line):
            lines.setdefault(match[1], number)
    return lines
