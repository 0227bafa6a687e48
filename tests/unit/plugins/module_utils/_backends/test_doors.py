# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The same odd config is judged alike on a live node, in a tree, in a directory, and as JSON; and ends none of them."""

from __future__ import annotations

import datetime
import json

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import find
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._policy.fleet import assess
from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.qm_host import QmHost

DAY = datetime.date(2026, 11, 23)
DISK = "scsi0: local:100/d.raw,iothread=1,aio=threads\nscsihw: virtio-scsi-single\n"
HUGE = "9" * 5000
ODD = {
    "machine": f"machine: pc-q35-{HUGE}.{HUGE}\n" + DISK,
    "meta": f"meta: creation-qemu={HUGE}.1,ctime={HUGE}\n" + DISK,
    "a proof": "meta: creation-qemu=10.1.2\n" + DISK.replace("aio=threads", "aio=native"),
    "no storage": DISK.replace("local:", "gone:"),
    "no storage, nothing set": "scsi0: gone:100/d.raw\nscsihw: virtio-scsi-pci\n",
    "a long storage": DISK.replace("local:", "x" * 5000 + ":"),
    "a cached directory": DISK.replace("iothread=1", "iothread=1,cache=writeback"),
    "a cached path": DISK.replace("local:100/d.raw", "/mnt/" + "x/" * 2000 + "d.raw,cache=unsafe"),
    "a path upwards": DISK.replace("local:100/d.raw", "/mnt/../../../../etc/passwd,cache=writeback"),
    "a volume upwards": DISK.replace("local:100/d.raw", "local:100/..,cache=writeback"),
    "an odd name": "name: a\n" + DISK.replace("d.raw", "\u202ed\u00e9.raw"),
}


def told(root, guests=None):
    reading = find.read(str(root), only=guests)
    document = assess(reading.guests, {}, DAY, reading.nodes, reading.problems)
    assert len(document["guests"]) == 1
    return sorted(
        (finding["rule"], finding["severity"], finding["disk"], finding["message"])
        for finding in document["findings"]
        if finding["guest"]
    )


@pytest.mark.parametrize("name", ODD)
def test_an_odd_config_is_judged_alike_through_each_door(tmp_path, monkeypatch, name):
    text = ODD[name]
    flat, as_json, tree = tmp_path / "flat", tmp_path / "json", tmp_path / "tree"
    host = QmHost(tmp_path / "live")
    for folder in (flat, as_json, tree / "etc/pve/nodes/pve1/qemu-server"):
        folder.mkdir(parents=True)
    for folder in (flat, as_json, tree / "etc/pve"):
        (folder / "storage.cfg").write_text("dir: local\n\tpath /var/lib/vz\n")
    (flat / "100.conf").write_text(text)
    (as_json / "100.json").write_text(json.dumps(dict(line.split(": ", 1) for line in text.splitlines())))
    (tree / "etc/pve/nodes/pve1/qemu-server/100.conf").write_text(text)
    found = [told(root) for root in (flat, as_json, tree)]
    assert found[0] == found[1] == found[2]
    (host.root / "etc/pve/local").symlink_to("nodes/pve1")
    host.config(100).write_text(text)
    monkeypatch.setattr(find, "is_this_host", lambda root: str(root) == str(host.root))
    try:
        live = told(host.root, ["100"])
    finally:
        host.close()
    assert [rule for rule, _severity, _disk, _message in live if rule != "IO103"] == [
        rule for rule, *_rest in found[0] if rule != "IO103"
    ]
