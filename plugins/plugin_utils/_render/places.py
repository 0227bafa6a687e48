# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Where a finding is, as a Git checkout names it, and what it is known by from run to run."""

from __future__ import annotations

import functools
import hashlib
import posixpath
from collections.abc import Iterable

from .._fleet.document import Item
from .._host_policy.waivers import object_of


# A guest's findings follow one another.
@functools.lru_cache(maxsize=64)
def in_checkout(file: str, base: str, here: str = "") -> tuple[str, bool]:
    """(path, whether it is below ``base``) of a file. The path is relative to ``base`` where it is below it.

    base: the top folder of the checkout; "" where it is not known. Then every relative name counts as below it.
    here: the folder that relative names start from; ``base`` where it is not given.
    """
    path = posixpath.normpath(posixpath.join(here or base, file))
    if not path.startswith("/"):
        return path, not path.startswith("../")
    path = "/" + path.lstrip("/")
    folder = posixpath.normpath(base).rstrip("/") + "/" if base else None
    if folder and path.startswith(folder):
        return path[len(folder) :], True
    return path, False


def fingerprints(findings: Iterable[Item]) -> list[str]:
    """What each finding is known by: the same on every run, made from its place and rule, and of its words only what of
    a host it is about. Not from its line.

    No two are the same: a second finding of a rule in one place has its own.
    """
    seen: dict[str, int] = {}
    return [_fingerprint(finding, seen) for finding in findings]


def _fingerprint(finding: Item, seen: dict[str, int]) -> str:
    file = posixpath.normpath(str(finding["file"])) if finding.get("file") else finding.get("file")
    key = "\0".join(
        str(part) for part in (*(finding.get(name) for name in ("host", "guest", "disk")), file, finding.get("rule"))
    )
    # Jobs and storages have a file in common.
    about = object_of(finding) if finding.get("guest") is None else None
    key += f"\0{about}" if about else ""
    seen[key] = seen.get(key, 0) + 1
    return f"{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}:{seen[key]}"
