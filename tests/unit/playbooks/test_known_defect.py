# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The playbook on a tree whose guests prove different versions of QEMU."""

from __future__ import annotations

import json
import sys

from ansible_collections.hypervisor.io_hardening.tests.playbooks import run_playbook

GUEST = (
    "meta: creation-qemu={qemu},ctime=1\nname: vm{id}\nscsi0: local:{id}/vm-{id}-disk-0.raw,size=8G\nscsihw:"
    " virtio-scsi-pci\n"
)
THREADS = "scsi0: local:{id}/vm-{id}-disk-0.raw,size=8G,aio=threads\nscsihw: virtio-scsi-pci\n"
WHOLE = "scsi0: local:{id}/vm-{id}-disk-0.raw,size=8G,iothread=1,aio=threads\nscsihw: virtio-scsi-single\n"


def harden(folder):
    host = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "guest_io_root": str(folder),
        "host_writeback_root": str(folder),
    }
    inventory = {"hypervisors": {"hosts": {"pve1": host}}}
    (folder / "inventory.yml").write_text(json.dumps(inventory))
    return run_playbook("harden_io", "-i", folder / "inventory.yml")


def test_an_old_qemu_gets_threads_and_a_word_and_a_newer_one_the_whole_cure(tmp_path):
    configs = tmp_path / "etc/pve/nodes/pve1/qemu-server"
    configs.mkdir(parents=True)
    (tmp_path / "etc/sysctl.d").mkdir()
    (tmp_path / "etc/pve/storage.cfg").write_text("dir: local\n\tpath /var/lib/vz\n\tcontent images\n")
    for guest, qemu in ((100, "7.2.0"), (101, "8.0.2")):
        (configs / f"{guest}.conf").write_text(GUEST.format(id=guest, qemu=qemu))

    def ends(guest, text):
        return (configs / f"{guest}.conf").read_text().endswith(text.format(id=guest))

    first = harden(tmp_path)
    assert first.status == 0, first.output
    assert ends(100, THREADS) and ends(101, WHOLE)
    assert (
        "this version of QEMU has a known defect" in first.output
        and "accept_defects: [virtio-scsi-reset]" in first.output
    )
