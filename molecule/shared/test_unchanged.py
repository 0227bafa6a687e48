# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""After check mode the host is as it was, to the last byte and time stamp."""

from __future__ import annotations


def test_nothing_changed(host):
    now = host.check_output("python3 /root/fingerprint.py")
    before = host.file("/root/fingerprint.before").content_string
    changes = set(now.split("\n")) ^ set(before.rstrip("\n").split("\n"))
    assert not changes
