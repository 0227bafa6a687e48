# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The running guest after a cold start: QEMU really has what was asked for."""

from __future__ import annotations


def test_nothing_waits_any_more(section, first):
    assert section(first + 1, "PENDING") == {}
    assert section(first + 1)["scsihw"] == "virtio-scsi-single"


def test_qemu_has_an_iothread_and_threads(host, first):
    pid = host.file(f"/var/run/qemu-server/{first + 1}.pid").content_string.strip()
    words = host.check_output(f"tr '\\0' '\\n' < /proc/{pid}/cmdline").splitlines()
    assert any(word.startswith("iothread,id=") for word in words)
    assert any('"aio":"threads"' in word or "aio=threads" in word for word in words)
