# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What has to be changed for a value to hold now and after a boot. Pure."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ...module_utils._model.findings import Change, change

#: Where a boot sets something: ``{value, file, line}``.
Setting = Mapping[str, Any]


class Boot(NamedTuple):
    """Where a boot sets an option: our file's ``key``, ``path`` and own value, and all ``settings``, the last wins."""

    key: str
    path: str
    option: str
    own: str | None
    settings: Sequence[Setting]

    def change(self, wanted: str) -> tuple[list[Change], Setting | None]:
        """What our file needs for ``wanted``, and what somebody else's file sets after it, which cannot be outrun."""
        last = self.settings[-1] if self.settings else None
        if last is not None and last["value"] == wanted:
            return [], None
        if last is not None and last["file"] != self.path and _name(last["file"]) > _name(self.path):
            return [], last
        return [change(self.key, self.option, self.own, wanted)], None


def _name(path: str) -> bytes:
    return os.path.basename(path).encode("utf-8", "surrogateescape")
