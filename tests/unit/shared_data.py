# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Where the tests find real Proxmox VE data, which is not part of this project.

The data lies in a folder ``shared/pve`` beside the checkout or above it; the environment
variable IO_HARDENING_SHARED names the ``shared`` folder where it is elsewhere.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def shared_pve() -> Path | None:
    """The folder of real Proxmox VE data, None where there is none."""
    named = os.environ.get("IO_HARDENING_SHARED")
    if named:
        candidates = [Path(named)]
    else:
        candidates = [parent / "shared" for parent in Path(__file__).resolve().parents]
    return next((shared / "pve" for shared in candidates if (shared / "pve").is_dir()), None)


requires_shared_pve = pytest.mark.skipif(
    shared_pve() is None,
    reason="real Proxmox VE data is absent: no shared/pve beside the checkout or above it"
    " (IO_HARDENING_SHARED can name the shared folder)",
)
