# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Where a disk's image is on its host, for plain directories and bare paths."""

from __future__ import annotations

import re

from .._model.records import Storage

_IN_DIRECTORY = re.compile(r"(?:^|/)(\d{1,9})/([^/]+)\Z", re.ASCII)


def image_path(volume: str | None, storage: Storage | None) -> str | None:
    """The absolute path of a volume's image; None for a device, and where the storage is not a plain directory.

    ``STORAGE:VMID/NAME``, of a linked clone ``STORAGE:VMID/BASE/VMID/NAME``, is the file ``VMID/NAME`` in the storage's
    directory of images (pve-storage Plugin.pm, ``parse_volname`` and ``filesystem_path``).
    """
    if volume is None:
        return None
    if storage is None:
        return volume if volume.startswith("/") and not volume.startswith("/dev/") else None
    match = _IN_DIRECTORY.search(volume.partition(":")[2])
    if not storage.get("images") or not match or match[2] in (".", ".."):
        return None
    return f"{storage['images']}/{match[1]}/{match[2]}"
