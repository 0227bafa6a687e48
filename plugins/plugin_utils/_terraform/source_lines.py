# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Where a resource of a plan is written: the file and line of its ``resource`` line, in the root module or a local one.

A plan has neither. A module's directory is in ``.terraform/modules/modules.json``, which ``terraform init`` writes.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator

from ...module_utils._host import whole_file

_RESOURCE = re.compile(r'^[ \t]*resource[ \t]+"([^"\n]+)"[ \t]+"([^"\n]+)"', re.MULTILINE)
_STEP = re.compile(r'module\.([^.\[]+)(?:\[(?:\d+|"(?:[^"\\]|\\.)*")\])?(?:\.|\Z)')
_MAX_BYTES = 1 << 24

#: A file and a line of it.
Line = tuple[str, int]


class SourceLines:
    """The resource lines below a directory; None: there is none to look in."""

    def __init__(self, directory: str | None) -> None:
        self._directory = directory
        self._folders: dict[str, str] | None = None
        self._of_folder: dict[str, dict[tuple[str, str], Line]] = {}

    def find(self, module: str | None, type: str, name: str) -> Line | None:
        """The file and line of a resource by the module's address; None where it is not found."""
        folder = self._folder(module)
        return None if folder is None else self._lines(folder).get((type, name))

    def _folder(self, module: str | None) -> str | None:
        if self._directory is None:
            return None
        if module is None:
            return self._directory
        if self._folders is None:
            self._folders = _folders(self._directory)
        relative = self._folders.get(".".join(_STEP.findall(module)))
        return None if relative is None else os.path.normpath(os.path.join(self._directory, relative))

    def _lines(self, folder: str) -> dict[tuple[str, str], Line]:
        if folder not in self._of_folder:
            self._of_folder[folder] = {
                (match[1], match[2]): (path, text.count("\n", 0, match.start()) + 1)
                for path, text in _texts(folder)
                for match in _RESOURCE.finditer(text)
            }
        return self._of_folder[folder]


def _folders(directory: str) -> dict[str, str]:
    """Module's key, such as ``vms.disk``, to its directory; empty where they are not known."""
    try:
        raw = whole_file.read(os.path.join(directory, ".terraform", "modules", "modules.json"), _MAX_BYTES)
        return {str(one["Key"]): str(one["Dir"]) for one in json.loads(raw)["Modules"]}
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return {}


def _texts(folder: str) -> Iterator[tuple[str, str]]:
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith((".tf", ".tofu")))
    except OSError:
        return
    for name in names:
        path = os.path.normpath(os.path.join(folder, name))
        try:
            yield path, whole_file.read(path, _MAX_BYTES).decode("utf-8", "replace")
        except OSError:
            continue
