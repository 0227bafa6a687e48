# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The disk drivers of a Windows guest, from its guest agent's answer. No I/O.

The answer is the guest's: nothing of its text is kept but what has the form of a version.
"""

from __future__ import annotations

import re
from typing import Any

# Red Hat's vendor id, and the device ids of both forms of a virtio device (virtio 1.2, "PCI Device Discovery").
_VENDOR = 0x1AF4
_DRIVERS = {0x1001: "viostor", 0x1042: "viostor", 0x1004: "vioscsi", 0x1048: "vioscsi"}
# 100.94.104.24800: Windows' version, RHEL's release, 104 for Red Hat's own builds, and 100 times the build.
_VERSION = re.compile(r"\d{1,5}\.\d{1,5}\.104\.(\d{2,3})00", re.ASCII)


def from_answer(answer: Any) -> dict[str, str] | None:
    """``{vioscsi: 0.1.248}``: the release of virtio-win that each disk driver is of, the oldest of several.

    ``answer`` is what ``guest-get-devices`` returns (QEMU's qga/qapi-schema.json, GuestDeviceInfo). None where it is
    something else. A driver of somebody else's build is left out: its version does not tell what is in it.
    """
    if not isinstance(answer, list):
        return None
    found: dict[str, int] = {}
    for device in answer:
        name, build = _driver(device)
        if name is not None and build is not None:
            found[name] = min(build, found.get(name, build))
    return {name: f"0.1.{build}" for name, build in sorted(found.items())}


def _driver(device: Any) -> tuple[str | None, int | None]:
    ids = device.get("id") if isinstance(device, dict) else None
    if not isinstance(ids, dict) or ids.get("vendor-id") != _VENDOR or not isinstance(ids.get("device-id"), int):
        return None, None
    match = _VERSION.fullmatch(str(device.get("driver-version")))
    return _DRIVERS.get(ids["device-id"]), int(match[1]) if match else None
