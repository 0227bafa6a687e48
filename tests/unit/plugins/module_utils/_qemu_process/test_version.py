# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""QEMU's version from its binary's text."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._qemu_process.version import (
    parse_version,
    version_tuple,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\nCopyright", "7.2.22"),
        ("QEMU emulator version 10.1.2 (pve-qemu-kvm_10.1.2-1)\n", "10.1.2-1"),
        ("QEMU emulator version 9.0.0\n", "9.0.0"),
        ("QEMU emulator version %s\n", None),
        ("bash, version 5.2", None),
        ("", None),
    ],
)
def test_version_text(text, expected):
    assert parse_version(text) == expected


@pytest.mark.parametrize(("text", "expected"), [("10.1.2-1", (10, 1)), ("7.2.22", (7, 2)), ("x", None), (None, None)])
def test_version_numbers(text, expected):
    assert version_tuple(text) == expected
