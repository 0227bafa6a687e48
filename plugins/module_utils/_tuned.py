# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""What tuned does to the write-back limits when it starts: profile texts in, writes out, no I/O.

Source: tuned 2.20 (Debian 12) and 2.25 (Debian 13): profiles/loader.py, locator.py, merger.py, units/manager.py,
plugins/plugin_sysctl.py and, for the dirty_* options that came after 2.20, plugins/plugin_vm.py. What later
releases do otherwise is said where it is.
"""

from __future__ import annotations

import fnmatch
import re

from ._sysctl import dirty
from ._sysctl.assignments import is_glob, normalize_key

PROFILE_DIRECTORIES = ("/etc/tuned/profiles", "/etc/tuned", "/usr/lib/tuned/profiles", "/usr/lib/tuned")
"""Where tuned looks for PROFILE/tuned.conf, first hit first."""

REAPPLIED_DIRECTORIES = ("/run/sysctl.d", "/etc/sysctl.d")
"""The directories of sysctl files that tuned applies: two only, and unlike for systemd /run is before /etc."""

SYSCTL_CONF = "/etc/sysctl.conf"
"""What tuned applies after all of them, whether or not the boot reads it."""

# Profiles that include one another deeper than this are taken as not found.
_DEEPEST = 32

_SECTION = re.compile(r"\[([^]]+)\]")
_INLINE_COMMENT = re.compile(r"(?:^|\s)#.*")


def parse(text):
    """The options of a tuned profile.

    :returns: a list of ``{section, option, value, line}``, in the order of the file
    """
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


def load(names, find):
    """The active profiles and what they include, in the order in which tuned merges them.

    :param names: the active profile's line, names separated by blanks
    :param find: ``find(name, done)`` gives ``(path, text)`` of the first file for the profile that is not
        in the set ``done`` of paths, or ``None``
    :returns: ``(profiles, missing)``: ``[{name, path, options}]`` and the names that were not found
    """
    profiles, missing, done = [], [], set()

    def _load(wanted, depth):
        for name in wanted:
            found = find(name.lstrip("-"), done) if depth else None
            if found is None:
                if not name.startswith("-"):
                    missing.append(name)
                continue
            path, text = found
            done.add(path)
            options = parse(text)
            for option in options:
                if (option["section"], option["option"]) == ("main", "include"):
                    _load(listed(option["value"]), depth - 1)
            profiles.append({"name": name, "path": path, "options": options})

    _load(names.split(), _DEEPEST)
    return profiles, missing


def listed(text):
    """The words of an option's value, separated by commas or semicolons."""
    return [part for part in map(str.strip, re.split("[,;]", text)) if part]


def settings(profiles):
    """What the merged profiles write to the limits.

    :param profiles: of :func:`load`
    :returns: ``(settings, reapply_after)``: a list of ``{plugin, key, value, file, line}`` in the order tuned writes
        them; plugin is sysctl or vm, key one of :data:`._sysctl.dirty.KEYS`, value the text as it stands in the
        profile. The sysctl plugin applies the host's own files when it is done: ``reapply_after`` is how many of the
        settings come before that, ``None`` where the profiles have nothing for that plugin.
    """
    found, reapply_after = [], None
    for section, unit in _merged(profiles).items():
        plugin = unit.get("type", {"value": section})["value"]
        if plugin not in ("sysctl", "vm") or _is_false(unit.get("enabled")):
            continue
        for name, option in unit.items():
            key = name if plugin == "vm" else normalize_key(name).partition("vm/")[2]
            if key in dirty.KEYS:
                found.append(
                    {
                        "plugin": plugin,
                        "key": key,
                        "value": option["value"].strip("\"'"),
                        "file": option["file"],
                        "line": option["line"],
                    }
                )
        # a section for other machines does not count
        if plugin == "sysctl" and not {"uname_regex", "cpuinfo_regex"} & set(unit):
            reapply_after = len(found)
    return found, reapply_after


def _merged(profiles):
    """The sections of the profiles, later ones over earlier ones, each in its first place."""
    units = {}
    for profile in profiles:
        by_section = {}
        for option in profile["options"]:
            by_section.setdefault(option["section"], {})[option["option"]] = option
        for section, options in by_section.items():
            unit = units.setdefault(section, {})
            if _is_true(options.get("replace")):
                unit.clear()
            # these two are taken from the later profile even where it does not say them
            for dropped in ("type", "enabled", *listed(options.get("drop", {"value": ""})["value"])):
                unit.pop(dropped, None)
            for name, option in options.items():
                unit[name] = dict(option, file=profile["path"])
    return units


def reapplied_paths(names_by_directory):
    """The sysctl files that tuned applies after its sysctl section (``reapply_sysctl``), in its order.

    :param names_by_directory: ``{directory: [file names]}``; a leading dot hides nothing from tuned
    """
    chosen = {}
    for directory in REAPPLIED_DIRECTORIES:
        for name in names_by_directory.get(directory, ()):
            if name.endswith(".conf"):
                chosen.setdefault(name, f"{directory}/{name}")
    return [chosen[name] for name in sorted(chosen)] + [SYSCTL_CONF]


def replay(state, tuned, files):
    """What tuned makes of the limits when it starts.

    :param state: before, as :mod:`._sysctl.dirty` has it
    :param tuned: ``{settings, reapply_after, reapply_exclude}`` of the facts (docs/data.md, "Host write-back")
    :param files: the sysctl files it applies, in its order, each ``{assignments}``
    :returns: ``(state, deciders)``; deciders has, per pair, the setting or assignment that wrote last what is in force,
        and no entry where that is not tuned's doing
    """
    writes = list(tuned["settings"])
    if tuned["reapply_after"] is not None:
        again = [one for entry in files for one in _applied(entry, tuned["reapply_exclude"])]
        writes[tuned["reapply_after"] : tuned["reapply_after"]] = again
    state, deciders = dirty.write_all(state, [(*_write(one), one) for one in writes])
    return state, {pair: one for pair, one in deciders.items() if one is not None}


def _applied(entry, exclude):
    """The assignments of a file that tuned applies: no patterns, and none that a dash in front makes optional.

    It writes one after the other; 2.28 writes each key once, in its first place. A key with slashes counts, though
    releases from 2.22 on do not find it: ``sysctl -p`` does.
    """
    for one in entry["assignments"]:
        name = one["text"].partition("=")[0].strip()
        skipped = any(fnmatch.fnmatch(name, pattern) for pattern in exclude)
        if one["value"] is not None and not name.startswith("-") and not is_glob(one["key"]) and not skipped:
            yield one


def _write(one):
    """``(key, text)`` as tuned writes it."""
    key, value = one["key"].rpartition("/")[2], one["value"]
    if "plugin" in one and value.endswith("%"):
        return dirty.pair_of(key) + "_ratio", value[:-1]
    return key, value


def _is_true(option):
    return option is not None and option["value"].lower() in ("1", "true", "yes", "on", "y", "t")


def _is_false(option):
    return option is not None and option["value"].lower() in ("0", "false", "no", "off", "n", "f")
