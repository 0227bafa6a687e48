# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A live node, for the tests of what reaches one."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import find
from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.qm_host import QmHost


@pytest.fixture
def host(tmp_path, monkeypatch):
    host = QmHost(tmp_path)
    (tmp_path / "etc/pve/local").symlink_to("nodes/pve1")
    monkeypatch.setattr(find, "is_this_host", lambda root: True)
    yield host
    host.close()
