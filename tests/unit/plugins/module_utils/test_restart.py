# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a restart brings into force, of a guest's record."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._model.records import storage
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve.record import record
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._restart import other_pending, waiting

DISK = "local:1/vm-1-disk-0.raw"


@pytest.mark.parametrize(
    ("pending", "waits", "others"),
    [
        (f"scsi0: {DISK},aio=threads", ["scsi0 aio io_uring → threads"], []),
        (f"scsi0: {DISK},discard=on", [], ["scsi0"]),
        (
            f"scsi0: {DISK},discard=on\nscsihw: virtio-scsi-single\ncores: 4",
            ["controller virtio-scsi-pci → virtio-scsi-single"],
            ["cores", "scsi0"],
        ),
    ],
)
def test_a_pending_setting_is_named_once(pending, waits, others):
    text = f"scsihw: virtio-scsi-pci\nscsi0: {DISK}\n\n[PENDING]\n{pending}\n"
    storages = {"local": storage(id="local", type="dir", content=["images"])}
    guest = record("100", text.encode(), storages)
    assert (waiting(guest), other_pending(guest)) == (waits, others)
