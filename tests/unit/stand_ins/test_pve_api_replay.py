# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The stand-in for the API answers every recorded exchange as pveproxy 9.2.11 did: status, reason, body, and the config
afterwards.

What differs from host to host and from call to call is compared as present: process ids, times, sizes of storages, digests
of storage.cfg, the order of lists and of a storage's content.
"""

from __future__ import annotations

import json
import re
import statistics
import urllib.parse

import pytest

from ansible_collections.hypervisor.io_hardening.tests.stand_ins.pve_api import ApiStandIn, Token
from ansible_collections.hypervisor.io_hardening.tests.stand_ins.pve_api.times import RECORDED
from ansible_collections.hypervisor.io_hardening.tests.unit.facts import api_answers
from ansible_collections.hypervisor.io_hardening.tests.unit.shared_data import requires_shared_pve, shared_pve
from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.api_client import Client

CONFIGS, EXCHANGES = api_answers()

#: What cannot be replayed, by the exchange's note, and why.
NOT_REPLAYED = {
    "cluster status (single node, no corosync)": "the recorded host had a Perl module too old for its pve-manager: no behaviour of Proxmox VE",
}

STORAGE_CFG = """\
dir: local
\tpath /var/lib/vz
\tcontent iso,vztmpl,backup,snippets,import,images

dir: dirq
\tpath /mnt/dirq
\tcontent images
\tpreallocation off

dir: dir2
\tpath /mnt/dir2
\tcontent images

dir: gone
\tpath /mnt/gone
\tcontent images
\tis_mountpoint yes

dir: mp
\tpath /mnt/mp
\tcontent images
\tis_mountpoint yes

lvmthin: local-lvm
\tthinpool data
\tvgname pve
\tcontent images,rootdir

nfs: nfsoff
\texport /srv/x
\tpath /mnt/pve/nfsoff
\tserver 192.0.2.77
\tcontent images

rbd: ceph
\tcontent images
\tkrbd 0
\tmonhost 192.0.2.78
\tpool rbd

zfspool: tank
\tpool tank/data
\tcontent images
\tsparse
"""
DECLARED = {
    "storages-offline": ["nfsoff", "ceph", "tank", "gone", "mp"],
    "volumes-missing": ["local:300/vm-300-disk-9.raw"],
}
#: Guests that were only written to, and whose config the recording does not show.
ONLY_WRITTEN = {113: "lock: backup\nname: locked\nmemory: 32\n", 118: "name: ha\nmemory: 32\nscsihw: virtio-scsi-pci\n"}
#: How many guests the node had.
GUESTS = 125

VOLATILE = {"pid", "uptime", "cpu", "netin", "netout", "starttime", "pstart", "upid", "ssl_fingerprint"}
SIZES = {"total", "used", "avail", "used_fraction"}
WITHOUT_DESCRIPTION = CONFIGS["300"].partition("\n")[2]

HARDEN = ["VM.Audit", "VM.Config.Disk", "VM.Config.HWType"]


def config_of(row):
    """A config that gives this row of a node's list, for the guests of which the recording shows no more."""
    lines = [f"memory: {row['maxmem'] // 1048576}", f"name: {row['name']}", f"cores: {row['cpus']}"]
    lines += [f"{key}: {row[key]}" for key in ("lock", "tags", "template") if key in row]
    if row["maxdisk"]:
        lines += [
            "boot: order=scsi0",
            f"scsi0: local:{row['vmid']}/vm-{row['vmid']}-disk-0.raw,size={row['maxdisk'] // 1048576}M",
        ]
    lines += ["serial0: socket"] if "serial" in row else []
    return "".join(f"{line}\n" for line in sorted(lines))


class Host:
    """The recorded host: its tree, its API, and the token of the moment."""

    def __init__(self, folder, api_options):
        self.root = folder / "root"
        self.configs = self.root / "etc/pve/nodes/pve1/qemu-server"
        self.configs.mkdir(parents=True)
        other = self.root / "etc/pve/nodes/pve2/qemu-server"
        other.mkdir(parents=True)
        (other / "283.conf").write_text("name: elsewhere\n")
        (self.root / "etc/pve/storage.cfg").write_text(STORAGE_CFG)
        (self.root / "etc/pve/ha").mkdir()
        (self.root / "etc/pve/ha/resources.cfg").write_text("vm: 118\n\tstate stopped\n")
        for name, entries in DECLARED.items():
            self.declare(name, *entries)
        rows = [row for exchange in EXCHANGES if exchange["path"].endswith("/qemu") for row in exchange["body"]["data"]]
        guests = {row["vmid"]: config_of(row) for row in rows}
        lists = [exchange["body"]["data"] or [] for exchange in EXCHANGES if exchange["path"] == "/cluster/resources"]
        ids = {row["vmid"] for rows_of_one in lists for row in rows_of_one if "vmid" in row}
        guests.update({vmid: "name: listed\nmemory: 32\n" for vmid in ids - set(guests)})
        guests.update({int(vmid): text for vmid, text in CONFIGS.items()} | ONLY_WRITTEN)
        guests.update({vmid: "name: more\nmemory: 32\n" for vmid in range(600, 600 + GUESTS - len(guests))})
        for vmid, text in guests.items():
            (self.configs / f"{vmid}.conf").write_bytes(text.encode())
        self.tokens = {"root@pam!full": Token("secret"), "ops@pve!harden": Token("secret", {})}
        self.api = ApiStandIn(
            self.root, self.tokens, folder=folder, members=["pve1"], offline=["pve2"], second=0.01, **api_options
        )
        self.qm = self.api.cluster.node("pve1")
        self.running = {str(row["vmid"]) for row in rows if row["status"] == "running"} | {"301"}
        for vmid in self.running:
            self.qm.spawn(vmid)
        self.upids = {}

    def declare(self, name, *entries):
        path = self.root / "var/lib/qm-stand-in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{entry}\n" for entry in entries))

    def prepare(self, exchange):
        """What the recording did between the exchanges: other privileges, and a guest as it was."""
        note = exchange["note"]
        privileges = re.fullmatch(r"privileges ([\w. ]*) \| ?([\w. ]*): .*", note)
        if privileges:
            vms, storages = (words.split() for words in privileges.groups())
            self.tokens["ops@pve!harden"].acl = {"/vms": vms, "/storage": storages}
        elif note.startswith("VM.Config.HWType without VM.Config.Disk"):
            self.tokens["ops@pve!harden"].acl = {"/vms": ["VM.Audit", "VM.Config.HWType"]}
            self.qm.kill("300")
        elif note.startswith("passthrough disk, token of a user"):
            self.tokens["ops@pve!harden"].acl = {"/vms": HARDEN}
        if privileges or note.startswith("VM.Config.HWType"):
            (self.configs / "300.conf").write_text(WITHOUT_DESCRIPTION)
        # In which order the options of a call are stored is chance.
        self.declare("order", *(["scsi0"] if note.startswith("VM.Config.HWType") else []))

    def call(self, exchange):
        """The answer to a recorded call, with the UPIDs of the recording."""
        token = exchange["token"] or "root@pam!full"
        secret = None if exchange["token"] is None else "wrong" if exchange["note"] == "wrong secret" else "secret"
        path = exchange["path"]
        for recorded, ours in self.upids.items():
            path = path.replace(urllib.parse.quote(recorded, safe=""), urllib.parse.quote(ours, safe=""))
        if exchange["note"] in ("task status, ended", "its task"):
            self.ended(urllib.parse.unquote(path).split("/")[4])
        answer = Client(self.api, token, secret).call(exchange["method"], path, exchange["params"])
        body = "" if answer.body is None else answer.body
        if answer.status == 200 and str(exchange["body"]["data"]).startswith("UPID:"):
            recorded, ours = exchange["body"]["data"], body["data"]
            # Of a UPID, the type, the guest and the user are facts.
            assert ours.split(":")[5:] == recorded.split(":")[5:]
            self.upids[recorded], body["data"] = ours, recorded
        return answer.status, answer.reason, body

    def ended(self, upid):
        assert self.api.api.tasks._tasks[upid].ended.wait(5)

    def close(self):
        self.api.close()
        for path in (self.root / "var/run/qemu-server").glob("*.pid"):
            self.qm.kill(path.stem)


def alike(value, key=""):
    """A body without what differs from host to host and from call to call."""
    if isinstance(value, dict):
        return {name: alike(item, name) for name, item in sorted(value.items())}
    if isinstance(value, list):
        return sorted((alike(item) for item in value), key=json.dumps)
    if key in VOLATILE or (key == "digest" and value):
        return "there"
    if key in SIZES:
        return bool(value)
    return sorted(value.split(",")) if key == "content" else value


def compare(exchange, answer):
    status, reason, body = answer
    assert (status, reason) == (exchange["status"], exchange["reason"])
    wanted = exchange["body"]
    if "rows" not in exchange:
        assert digests(body) == digests(wanted)
        assert alike(body) == alike(wanted)
        return
    if exchange["rows"] is not None:
        assert len(body["data"]) == exchange["rows"]
    ours = {row["vmid"]: alike(row) for row in body["data"]}
    for row in wanted["data"]:
        assert ours[row["vmid"]] == alike(row)


def digests(body):
    """Those of a guest's config, which are facts: a config is the same text to the byte."""
    data = body["data"] if isinstance(body, dict) else None
    if isinstance(data, list):
        return sorted(row["value"] for row in data if row.get("key") == "digest")
    return data.get("digest") if isinstance(data, dict) and "type" not in data else None


def test_every_exchange_as_recorded(tmp_path):
    """One test of all: each exchange meets what those before it left behind."""
    host = Host(tmp_path, {"task_seconds": 0.1})
    missed = set(NOT_REPLAYED)
    with host.api:
        for number, exchange in enumerate(EXCHANGES):
            if exchange["note"] in NOT_REPLAYED:
                missed.remove(exchange["note"])
                continue
            host.prepare(exchange)
            compare_at(number, exchange, host)
        host.close()
    assert not missed


def compare_at(number, exchange, host):
    try:
        compare(exchange, host.call(exchange))
        following = EXCHANGES[number + 1]["note"] if number + 1 < len(EXCHANGES) else ""
        if exchange["method"] == "POST" and exchange["status"] == 200 and following != "task status":
            host.ended(host.upids[exchange["body"]["data"]])
        if "config_after" in exchange:
            vmid = (
                exchange["path"].split("/")[4]
                if "/qemu/" in exchange["path"]
                else re.search(r"%3A(\d+)%3A", exchange["path"])[1]
            )
            assert (host.configs / f"{vmid}.conf").read_bytes() == exchange["config_after"].encode()
    except AssertionError as error:
        raise AssertionError(f"exchange {number}: {exchange['note']}: {error}") from error


def test_all_exchanges_are_there():
    assert len(EXCHANGES) == 221 and len(NOT_REPLAYED) == 1


@pytest.mark.parametrize(("pattern", "seconds"), RECORDED)
def test_the_times_are_the_recorded_ones(pattern, seconds):
    took = [
        exchange["seconds"]
        for exchange in EXCHANGES
        if re.match(pattern, f"{exchange['method']} {exchange['path']}")
        and exchange["status"] == 200
        and (exchange["method"] != "PUT" or {"scsihw", "scsi1"} <= exchange["params"].keys())
    ]
    assert statistics.median(took) == pytest.approx(seconds, abs=0.001)


@requires_shared_pve
def test_the_fixture_is_the_recording():
    recording = json.loads((shared_pve() / "api-transcripts.json").read_text(encoding="utf-8"))
    for exchange, recorded in zip(EXCHANGES, recording, strict=True):
        if "rows" in exchange:
            recorded["body"]["data"] = recorded["body"]["data"][:4]
            recorded.setdefault("rows", None)
        recorded.pop("trimmed", None)
        assert exchange == recorded
