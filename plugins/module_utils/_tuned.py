# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What tuned's profiles say about the write-back limits: texts in, values out, no I/O.

tuned's merge of profiles is not replayed: conditions, `replace`, `drop` and the order of its plugins differ between
releases. What an active profile and its includes name is reported, and whether the sysctl files follow it.

Source: tuned 2.20 (Debian 12) and 2.25 (Debian 13), profiles/loader.py, locator.py, plugins/plugin_sysctl.py,
plugin_vm.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ._sysctl import dirty
from ._sysctl.assignments import is_glob, normalize_key

PROFILE_DIRECTORIES = ("/etc/tuned/profiles", "/etc/tuned", "/usr/lib/tuned/profiles", "/usr/lib/tuned")
"""Where tuned looks for PROFILE/tuned.conf; the first file found counts."""

REAPPLIED_DIRECTORIES = ("/run/sysctl.d", "/etc/sysctl.d")
"""The directories of sysctl files that tuned applies: only two, and unlike systemd it prefers /run to /etc."""

SYSCTL_CONF = "/etc/sysctl.conf"
"""The file that tuned applies after all of those, whether or not the boot reads it."""

# Profiles that include one another deeper than this count as not found.
_DEEPEST = 32

_SECTION = re.compile(r"\[([^]]+)\]")
_INLINE_COMMENT = re.compile(r"(?:^|\s)#.*")

Option = dict[str, Any]


def parse(text: str) -> list[Option]:
    """The options of a profile as ``{section, option, value, line}``, in the order of the file."""
    section, found = None, []
    for number, raw in enumerate(text.split("\n"), start=1):
        line = _INLINE_COMMENT.sub("", raw).strip()
        if not line or line[0] == ";":
            continue
        header = _SECTION.match(line)
        if header:
            section = header.group(1)
            continue
        option, assigned, value = line.partition("=")
        if assigned and section is not None:
            found.append({"section": section, "option": option.strip(), "value": value.strip(), "line": number})
    return found


def load(names: str, find: Callable[[str, set[str]], tuple[str, str] | None]) -> tuple[list[Option], list[str]]:
    """The options of the active profiles and of all they include: ``(options, missing)``.

    ``names`` is the line of the active profile, names separated by blanks. ``find(name, done)`` gives ``(path, text)``
    of the profile's first file that is not in ``done``, or None. Each option has its ``file``, and those of an included
    profile come before its includer's. ``missing`` has the names of profiles that were not found.
    """
    options: list[Option] = []
    missing: list[str] = []
    done: set[str] = set()

    def visit(wanted: Iterable[str], depth: int) -> None:
        for name in wanted:
            found = find(name.lstrip("-"), done) if depth else None
            if found is None:
                if not name.startswith("-"):
                    missing.append(name)
                continue
            path, text = found
            done.add(path)
            own = [{**option, "file": path} for option in parse(text)]
            for option in own:
                if (option["section"], option["option"]) == ("main", "include"):
                    visit(filter(None, map(str.strip, re.split("[,;]", option["value"]))), depth - 1)
            options.extend(own)

    visit(names.split(), _DEEPEST)
    return options, missing


def settings(options: Iterable[Option]) -> list[Option]:
    """What the profiles name of the limits, as ``{section, key, value, file, line}``; key is one of ``dirty.KEYS``.

    Of a key that is named again only the last one, value as the profile spells it. A key counts in whatever section it
    is: tuned reads it in one of the plugin vm (``dirty_ratio``) or sysctl (``vm.dirty_ratio``).
    """
    found = {}
    for option in options:
        name = normalize_key(option["option"])
        key = name.rpartition("/")[2]
        if key in dirty.KEYS and name in (key, dirty.PREFIX + key):
            found[key] = {
                "section": option["section"],
                "key": key,
                "value": option["value"].strip("\"'"),
                "file": option["file"],
                "line": option["line"],
            }
    return list(found.values())


def reapplies(options: Iterable[Option], main: str) -> bool:
    """Whether tuned applies the host's sysctl files after its profile (``reapply_sysctl``).

    ``main`` is the text of tuned-main.conf. The plugin sysctl does it, so a profile needs a section of it.
    """
    asked = {option["option"]: option["value"] for option in parse(f"[main]\n{main}")}.get("reapply_sysctl", "1")
    return asked.lower() in ("1", "true", "yes", "on") and any(option["section"] == "sysctl" for option in options)


def reapplied_paths(names_by_directory: Mapping[str, list[str]]) -> list[str]:
    """The sysctl files that tuned applies, in its order, from ``{directory: [file names]}``.

    A leading dot hides nothing from tuned.
    """
    chosen: dict[str, str] = {}
    for directory in REAPPLIED_DIRECTORIES:
        for name in names_by_directory.get(directory, ()):
            if name.endswith(".conf"):
                chosen.setdefault(name, f"{directory}/{name}")
    return [chosen[name] for name in sorted(chosen)] + [SYSCTL_CONF]


def writes(tuned: Mapping[str, Any], files: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, Any]]:
    """What tuned writes when it starts, as :func:`._sysctl.dirty.write_all` takes it.

    ``tuned`` is ``{settings, reapplies}``, ``files`` are the sysctl files in tuned's order, each ``{assignments}``. The
    settings come first: for those of the plugin vm that is a guess.
    """
    lines = [one for entry in files for one in entry["assignments"] if _is_plain(one)] if tuned["reapplies"] else []
    return [(*_as_written(one), one) for one in tuned["settings"]] + [
        (one["key"].rpartition("/")[2], one["value"], one) for one in lines
    ]


def _is_plain(assignment: Mapping[str, Any]) -> bool:
    """Whether tuned applies an assignment: it takes neither a pattern nor a key with a dash in front."""
    return assignment["value"] is not None and not assignment["text"].startswith("-") and not is_glob(assignment["key"])


def _as_written(setting: Mapping[str, Any]) -> tuple[str, str]:
    """``(key, text)``: a percentage is the ratio, whatever the key."""
    key, value = setting["key"], setting["value"]
    return (f"{dirty.pair_of(key)}_ratio", value[:-1]) if value.endswith("%") else (key, value)
