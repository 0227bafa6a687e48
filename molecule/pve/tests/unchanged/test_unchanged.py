# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""After check mode the guests' configs are as they were."""

from __future__ import annotations

import os
import pathlib


def test_nothing_changed(host, first):
    before = (pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "configs.before").read_text(encoding="utf-8")
    names = " ".join(f"{guest}.conf" for guest in range(first, first + 5))
    assert host.check_output(f"cd /etc/pve/qemu-server && sha1sum {names}") == before.strip()
