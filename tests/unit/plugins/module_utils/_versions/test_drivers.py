# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The release of virtio-win, from what the agent of a Windows guest says."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._versions import drivers

SCSI, BLK, NET = 0x1048, 0x1042, 0x1041


def device(version, number=SCSI, vendor=0x1AF4, **more):
    """As guest-get-devices returns it, see the guest agent's qapi-schema.json."""
    name = "Red Hat VirtIO SCSI pass-through controller"
    ids = {"type": "pci", "vendor-id": vendor, "device-id": number}
    return {"driver-date": 1729468800000000000, "driver-name": name, "driver-version": version, "id": ids, **more}


@pytest.mark.parametrize(
    ("version", "release"),
    [
        ("100.85.104.20800", "0.1.208"),
        ("100.90.104.21500", "0.1.215"),
        ("100.94.104.24800", "0.1.248"),
        ("100.100.104.26600", "0.1.266"),
        ("62.65.104.9800", "0.1.98"),
    ],
)
def test_a_version_of_red_hats_builds_names_the_release(version, release):
    assert drivers.from_answer([device(version)]) == {"vioscsi": release}


@pytest.mark.parametrize("number", [0x1004, 0x1048])
def test_both_forms_of_a_device_are_known(number):
    assert drivers.from_answer([device("100.85.104.20800", number)]) == {"vioscsi": "0.1.208"}


def test_each_driver_has_its_own_and_the_oldest_counts():
    found = drivers.from_answer(
        [
            device("100.94.104.24800"),
            device("100.85.104.20800"),
            device("100.90.104.21500"),
            device("100.100.104.26600", BLK),
            device("100.90.104.21500", NET),
        ]
    )
    assert found == {"vioscsi": "0.1.208", "viostor": "0.1.266"}


@pytest.mark.parametrize(
    "odd",
    [
        device("101.58000.101.58000"),
        device("100.94.105.24800"),
        device("100.94.104.24850"),
        device("100.94.104.24800\n"),
        device("9" * 5000),
        device(None),
        device(["100.94.104.24800"]),
        device("100.94.104.24800", vendor=0x8086),
        device("100.94.104.24800", number="1048"),
        device("100.94.104.24800", number=[SCSI]),
        device("100.94.104.24800", id=None),
        device("100.94.104.24800", id=[SCSI]),
        {},
        None,
        7,
    ],
)
def test_what_has_another_form_is_left_out(odd):
    assert drivers.from_answer([odd]) == {}
    assert drivers.from_answer([odd, device("100.85.104.20800", BLK)]) == {"viostor": "0.1.208"}


@pytest.mark.parametrize("answer", [None, {}, "text", 7, {"return": []}])
def test_what_is_no_list_is_no_answer(answer):
    assert drivers.from_answer(answer) is None
