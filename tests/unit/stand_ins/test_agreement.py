# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""What the stand-in would drop on a write, the collection's own reading knows as a line that is not safe."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve.record import record
from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.qm_host import QmHost

GUEST = "memory: 512\nname: till07\nscsi0: local:700/vm-700-disk-0.qcow2,size=8G\n"

LINES = [
    "cores:2",
    "cores: 02",
    "onboot: Yes",
    "numa: FALSE",
    "scsi1: local:700/vm-700-disk-1.qcow2,iothread=TRUE",
    "scsi1: volume=local:700/vm-700-disk-1.qcow2,size=1.5G",
    "scsi1: size=1G,file=local:700/vm-700-disk-1.qcow2",
    "sata5: /dev/disk/by-id/ata-X_1,wwn=0x5000c5000a0b0c0d",
    "cdrom: none,media=cdrom",
    "args: -name a,b=c: {{ d }}",
    "# 100%25 {{ x }}",
    "description: one line",
    "unused255: local:700/vm-700-disk-9.qcow2",
    "startdate: now",
    "no colon here",
    "  cores: 2",
    "Cores: 2",
    "cores:",
    "colour: teal",
    "delete: scsi1",
    "scsi31: local:700/vm-700-disk-1.qcow2",
    "ide4: local:700/vm-700-disk-1.qcow2",
    "sata0: local:700/vm-700-disk-1.qcow2,iothread=1",
    "virtio0: local:700/vm-700-disk-1.qcow2,ssd=1",
    "scsi1: local:700/vm-700-disk-1.qcow2,turbo=1",
    "scsi1: local:700/vm-700-disk-1.qcow2,aio=threads,aio=native",
    "scsi1: local:700/vm-700-disk-1.qcow2,aio=fast",
    "scsi1: local:700/vm-700-disk-1.qcow2,cache=",
    "scsi1: local:700/vm-700-disk-1.qcow2,queues=1",
    "scsi1: local:700/vm-700-disk-1.qcow2,iothread=2",
    "scsi1: aio=threads",
    "scsi1: local:700/vm-700-disk-1.qcow2,size=big",
    "efidisk0: local:700/vm-700-disk-1.qcow2,cache=none",
    "[strange section]",
    "[x]",
    "cores: two",
    "onboot: maybe",
    "tags: {{ 7*7 }}",
    "cpulimit: 1,5",
]


@pytest.mark.parametrize("line", LINES)
def test_lines_that_would_be_dropped(tmp_path, line):
    host = QmHost(tmp_path)
    text = f"{GUEST}{line}\n"
    host.config(700).write_text(text)
    dropped = host.run("qm", "config", "700").stderr
    guest = record("700", text.encode(), {})
    if dropped:
        assert guest["unsafe_lines"] or guest["unknown_keys"], dropped
    else:
        assert guest["unsafe_lines"] == []
