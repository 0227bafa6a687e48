# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the tests of this scenario look at."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def calls(host):
    """Every call of qm, pvesh and pvesm on the host since it was made, in order."""
    return [json.loads(line) for line in host.file("/var/log/qm-calls.json").content_string.splitlines()]
