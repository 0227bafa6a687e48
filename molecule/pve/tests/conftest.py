# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the tests of this scenario look at."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="session")
def first():
    """The first of the scenario's ids."""
    return int(os.environ.get("PVE_FIRST_VMID") or 9900)


@pytest.fixture
def section(host):
    """Read a section of a guest's config, ``""`` is the main one; a drive without its volume and size."""

    def read(guest: int, name: str = "") -> dict[str, str]:
        current, found = "", {}
        for line in host.file(f"/etc/pve/qemu-server/{guest}.conf").content_string.splitlines():
            if line.startswith("["):
                current = line.strip("[] ").upper()
            elif current == name and ": " in line:
                key, value = line.split(": ", 1)
                if key == "scsi0":
                    value = ",".join(sorted(part for part in value.split(",")[1:] if not part.startswith("size=")))
                found[key] = value
        return found

    return read
