# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What libvirt's guests cost: reading 1,000 definitions, and a second run on 200 compliant guests beside a ping.

python tests/benchmarks/libvirt_io.py [read] [second]
"""

from __future__ import annotations

import datetime
import json
import sys
import tempfile
import time
import uuid
from pathlib import Path

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import find
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.assess import assess
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.policy import parse

sys.path.insert(0, str(Path(__file__).parent))

from guest_io import playbook

PROJECT = Path(__file__).resolve().parents[2]
SAMPLE = PROJECT / "sample_fleet/hosts/kvm1/etc/libvirt/qemu"
DISKS = 4


def make(root: Path, count: int, hardened: bool) -> None:
    """A tree of so many guests of 4 disks on block devices, as virt-install makes them, or with all options set."""
    text = (SAMPLE / "db.xml").read_text()
    head, rest = text.split("    <disk ", 1)
    tail = rest.split("</disk>\n", 1)[1]
    own = " io='threads' iothread='{}'" if hardened else " io='native'"
    if hardened:
        head = head.replace("  <os>", f"  <iothreads>{DISKS}</iothreads>\n  <os>")
    disks = "".join(
        "    <disk type='block' device='disk'>\n"
        f"      <driver name='qemu' type='raw' cache='none'{own.format(number + 1)} discard='unmap'/>\n"
        f"      <source dev='/dev/vg0/NAME-{number}'/>\n"
        f"      <target dev='vd{'abcd'[number]}' bus='virtio'/>\n"
        f"      <address type='pci' domain='0x0000' bus='0x{number + 16:02x}' slot='0x00' function='0x0'/>\n"
        "    </disk>\n"
        for number in range(DISKS)
    )
    folder = root / "etc/libvirt/qemu"
    folder.mkdir(parents=True)
    (root / "etc/hostname").write_text("kvm1\n")
    for number in range(count):
        name = f"guest{number}"
        guest = (head + disks + tail).replace("NAME", name).replace(">db<", f">{name}<")
        at, end = guest.index("<uuid>") + 6, guest.index("</uuid>")
        (folder / f"{name}.xml").write_text(guest[:at] + str(uuid.UUID(int=number + 1)) + guest[end:])


def bench_read(folder: Path) -> bool:
    """Reading 1,000 definitions of 4 disks, and assessing them."""
    make(folder, 1000, hardened=False)
    start = time.process_time()
    reading = find.read(str(folder))
    middle = time.process_time()
    document = assess(
        {"guests": reading.guests, "nodes": reading.nodes, "problems": []}, parse({}), datetime.date(2026, 11, 23)
    )
    end = time.process_time()
    assert reading.problems == [] and len(document["plan"]) == 1000
    print(
        f"read: 1,000 definitions of {DISKS} disks: read {middle - start:.2f} s, assess {end - middle:.2f} s of CPU;"
        " wanted: read under 1.5 s"
    )
    return middle - start < 1.5


def bench_second(folder: Path) -> bool:
    """A second run on 200 compliant guests next to a single ping, both interleaved five times."""
    make(folder, 200, hardened=True)
    inventory, ping = folder / "inventory.yml", folder / "ping.yml"
    inventory.write_text(json.dumps({"hypervisors": {"hosts": {"kvm1": {
        "ansible_connection": "local", "ansible_python_interpreter": sys.executable,
        "harden_io_parts": ["guests"], "guest_io_root": str(folder)}}}}))  # fmt: skip
    ping.write_text("- hosts: hypervisors\n  gather_facts: false\n  tasks:\n    - ansible.builtin.ping:\n")
    playbook("playbooks/harden_io.yml", inventory)
    pairs = [(playbook("playbooks/harden_io.yml", inventory), playbook(str(ping), inventory)) for _run in range(5)]
    ratios = sorted(second / one for second, one in pairs)
    print(
        f"second: {', '.join(f'{second:.2f}/{one:.2f}' for second, one in pairs)} s of CPU: {ratios[2]:.2f} times a"
        " ping; wanted: under 3"
    )
    return ratios[2] < 3


BENCHMARKS = {"read": bench_read, "second": bench_second}


def main(names: list[str]) -> int:
    """Run those named, all without a name; 1 where one is not as wanted."""
    good = True
    for name in names or BENCHMARKS:
        with tempfile.TemporaryDirectory() as folder:
            good &= BENCHMARKS[name](Path(folder))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
