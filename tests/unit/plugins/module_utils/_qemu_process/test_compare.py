# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""QEMU's version from its binary's text, and what differs between running and configured."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._qemu_process.compare import compare, differences
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


def values(aio="threads", cache="none", iothread=True):
    return {
        "driver": "file",
        "aio": aio,
        "cache": cache,
        "cache_direct": True,
        "cache_no_flush": False,
        "iothread": iothread,
    }


def test_only_what_differs_and_is_known_on_both_sides():
    assert differences(values(), values()) == []
    assert differences(values("native", "writeback", False), values()) == [
        {"option": "iothread", "runs": False, "configured": True},
        {"option": "aio", "runs": "native", "configured": "threads"},
        {"option": "cache", "runs": "writeback", "configured": "none"},
    ]
    assert differences(values(aio=None, iothread=None), values()) == []
    assert differences(None, values()) == differences(values(), None) == []


def test_against_the_config_and_against_the_next_start():
    disks = [
        {"key": "scsi0", "runs": values("io_uring"), "effective": values("io_uring"), "next": values()},
        {"key": "scsi1", "runs": values("io_uring"), "effective": values(), "next": None},
        {"key": "scsi2", "runs": None, "effective": None, "next": values()},
    ]
    other = {"option": "aio", "runs": "io_uring", "configured": "threads"}
    assert compare(disks) == [dict(other, key="scsi1")]
    assert compare(disks, against="next") == [dict(other, key="scsi0"), dict(other, key="scsi1")]
