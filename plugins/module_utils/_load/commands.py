# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Runs ``pvesh`` and ``pvesm``: argument lists, never a shell; and what their words mean.

Words and exit statuses were recorded on Proxmox VE 9.2; those about the cluster are of pve-cluster's Cluster.pm.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .._host.run import bounded, command, shortened, timed_out
from .._settings.seam import Refused, SettingReason
from .._text import one_line

#: Seconds for one command. It needs about half a second, and waits 10 s for the lock of a file of the cluster.
SECONDS = 120

# What it says → why, and what to do.
_KNOWN: tuple[tuple[re.Pattern[str], SettingReason, str], ...] = (
    (
        re.compile(r"ipcc_send_rec|pmxcfs|cluster filesystem not online"),
        "refused",
        "look at systemctl status pve-cluster",
    ),
    (re.compile(r"no quorum"), "refused", "look at pvecm status, and run again when the cluster has a quorum"),
    (re.compile(r"got lock request timeout"), "refused", "something else is writing; run again"),
    (re.compile(r"please run as root"), "refused", "run with become: true"),
    (re.compile(r"Permission check failed"), "refused", "it takes Sys.Modify on /, of a storage Datastore.Allocate"),
    (re.compile(r"detected modified configuration"), "changed_since", "run again"),
    (
        re.compile(r"^Unknown option: ", re.MULTILINE),
        "refused",
        "this version of Proxmox VE does not have it; leave it out",
    ),
    (re.compile(r"no such vzdump job|No such job|^.*storage '.*' does not exist", re.MULTILINE), "gone", "run again"),
)

# Lines that it says only for people at a terminal.
_USAGE = re.compile(r"^(?:pvesh|pvesm) (?:get|set) .*$|^400 Parameter verification failed\.$", re.MULTILINE)

# Warnings of SectionConfig, parse_config and pve-storage's Plugin.pm about what they leave out, and so leave out of the
# file that they write.
_DROPPED = re.compile(
    r"^(?:file \S+ line \d+|ignore config line: |parse error in |storage does not support ).*$", re.ASCII | re.MULTILINE
)


def warnings(path: str) -> str:
    """What ``pvesh get`` warns of: lines of a file that Proxmox VE would drop when it writes it. Raises Refused."""
    return _ask(path)[1]


def storage(name: str) -> tuple[dict[str, str], str]:
    """A storage as Proxmox VE has it, with the digest of storage.cfg, and the warnings of its lines. Raises Refused."""
    found, warned = _ask(f"/storage/{name}")
    if not isinstance(found, dict) or "digest" not in found:
        raise Refused(f"pvesh get /storage/{name} gave no storage with a digest")
    return {key: str(value) for key, value in found.items()}, warned


def _ask(path: str) -> tuple[Any, str]:
    out, words = _run("pvesh", "get", path, "--output-format", "json")
    try:
        return json.loads(out), "\n".join(_DROPPED.findall(words))
    except ValueError as exc:
        raise Refused(f"pvesh get {path} printed no JSON: {one_line(shortened(out))}") from exc


def set_values(path: str, values: Mapping[str, str | None]) -> None:
    """One ``pvesh set`` with all values, None to remove. Raises Refused."""
    _run("pvesh", "set", path, *_options(values))


def set_storage(storage: str, values: Mapping[str, str | None], digest: str) -> None:
    """One ``pvesm set`` that storage.cfg must have the digest for. Raises Refused."""
    _run("pvesm", "set", storage, *_options(values), "--digest", digest)


def _options(values: Mapping[str, str | None]) -> list[str]:
    given = [word for key, value in values.items() if value is not None for word in (f"--{key}", value)]
    removed = [key for key, value in values.items() if value is None]
    return given + (["--delete", ",".join(removed)] if removed else [])


def _run(*arguments: str) -> tuple[str, str]:
    """The two outputs of a command that succeeds. Raises Refused."""
    name = " ".join(arguments[:3])
    status, out, words = command(bounded(SECONDS, *arguments))
    if status == 0:
        return out, words
    if status == 127:
        raise Refused(f"there is no command {arguments[0]}; is this a Proxmox VE node?")
    if timed_out(status):
        raise Refused(f"{name} gave no answer within {SECONDS} s and was ended; look at what it left, then run again")
    said = one_line(_USAGE.sub("", shortened(words))) or f"exited with status {status} and printed nothing"
    for pattern, reason, cure in _KNOWN:
        if pattern.search(words):
            raise Refused(f"{name}: {said}; {cure}", reason)
    raise Refused(f"{name}: {said}")
