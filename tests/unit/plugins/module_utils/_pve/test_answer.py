# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The file is made again from what the API answers, and its digest says whether it is the file."""

from __future__ import annotations

import hashlib
import json

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve import answer, storage
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve.json_config import JsonConfigError
from ansible_collections.hypervisor.io_hardening.tests.unit.facts import facts
from ansible_collections.hypervisor.io_hardening.tests.unit.shared_data import requires_shared_pve, shared_pve


def sha1(text):
    return hashlib.sha1(text.encode("utf-8", "surrogateescape")).hexdigest()


def items(digest, *pairs, **settings):
    found = [{"key": "digest", "value": digest}, *pairs]
    return found + [{"key": key, "value": value} for key, value in settings.items()]


def recorded():
    exchanges = json.loads((shared_pve() / "api-transcripts.json").read_text()) if shared_pve() else []
    return [
        pytest.param(each["body"]["data"], id=each["note"])
        for each in exchanges
        if each["path"].endswith("/pending") and each["status"] == 200
    ]


@pytest.mark.parametrize("said", [one["data"] for one in facts("pending_answers")])
def test_each_recorded_answer_gives_its_file_byte_for_byte(said):
    found = answer.config(said)
    assert found.whole and hashlib.sha1(found.raw).hexdigest() == found.digest


@requires_shared_pve
@pytest.mark.parametrize("said", recorded())
def test_each_recorded_exchange_gives_its_file_byte_for_byte(said):
    assert answer.config(said).whole


SNAPSHOT = {"name": "web", "scsi0": "local:1/a,size=1G", "description": "before: 50%\n\nüpgrade", "snaptime": 12}
FILE = """\
#50%25 caf%C3%A9
#
#{{ x }}%3A y
cores: 2
name: web
parent: s1
scsi0: local:1/a,size=1G

[PENDING]
balloon: 0
delete: cores,!net0
scsi0: local:1/a,aio=threads,size=1G

[s1]
#before%3A 50%25
#
#%C3%BCpgrade
name: web
scsi0: local:1/a,size=1G
snaptime: 12
"""
WAITS = (
    {"key": "cores", "value": 2, "delete": 1},
    {"key": "net0", "delete": 2},
    {"key": "balloon", "pending": "0"},
    {"key": "scsi0", "value": "local:1/a,size=1G", "pending": "local:1/a,aio=threads,size=1G"},
    {"key": "description", "value": "50% café\n\n{{ x }}: y\n"},
)


def test_snapshots_descriptions_and_what_waits_are_written_as_proxmox_ve_writes_them():
    said = items(sha1(FILE), *WAITS, name="web", parent="s1")
    assert answer.config(said, {"s1": SNAPSHOT}) == (FILE.encode(), sha1(FILE), True)
    assert not answer.config(said).whole


@pytest.mark.parametrize("section", ["", "\n[special:cloudinit]\n"])
def test_a_cloudinit_section_without_lines_hides_nothing(section):
    text = f"name: web\nscsi2: local:cloudinit,media=cdrom\n{section}"
    assert answer.config(items(sha1(text), name="web", scsi2="local:cloudinit,media=cdrom")).raw == text.encode()


@pytest.mark.parametrize(
    "text",
    [
        "name: web\nfuturekey: 1\n",
        "name: web\nscsi0: local:1/a,turbo=1\n",
        "name: web\n\n[special:cloudinit]\nname: old\n",
        "cipassword: $5$real\nname: web\n",
        "memory: 32\nname: web\n\n",
    ],
)
def test_what_the_api_does_not_show_is_known_to_be_there(text):
    said = items(sha1(text), name="web", **({"cipassword": "**********"} if "cipassword" in text else {}))
    found = answer.config(said)
    assert not found.whole and found.digest == sha1(text) and found.has("cipassword") == ("cipassword" in text)


@pytest.mark.parametrize("said", [None, {}, [1], [{"key": "name", "value": "a"}], items(1), items("x", {"key": "a"})])
def test_what_is_no_answer_is_refused(said):
    with pytest.raises(JsonConfigError):
        answer.config(said)


def test_storages_are_read_as_from_storage_cfg():
    said = [
        {"storage": "local", "type": "dir", "path": "/var/lib/vz", "content": "iso,images", "digest": "x"},
        {"storage": "ceph", "type": "rbd", "krbd": 0, "shared": True, "pool": "rbd", "monhost": "192.0.2.78"},
        {
            "storage": "nfs1",
            "type": "nfs",
            "server": "192.0.2.7",
            "export": "/x",
            "path": "/mnt/pve/nfs1",
            "disable": 1,
        },
        {"storage": "zz", "type": "zfspool", "pool": "tank", "nodes": "pve1,pve2", "prune-backups": {"keep-last": 1}},
    ]
    found, problems = storage.parse(answer.storage_cfg(said))
    assert problems == [] and [one["id"] for one in found] == ["local", "ceph", "nfs1", "zz"]
    assert found[1]["servers"] == ["192.0.2.78"] and not found[1]["krbd"]
    assert found[2]["disabled"] and found[3]["nodes"] == ["pve1", "pve2"] and found[0]["images"] == "/var/lib/vz/images"


@requires_shared_pve
def test_the_recorded_storages_are_those_of_storage_cfg():
    exchanges = json.loads((shared_pve() / "api-transcripts.json").read_text())
    said = next(each["body"]["data"] for each in exchanges if each["note"] == "storage definitions")
    found, problems = storage.parse(answer.storage_cfg(said))
    types = {one["id"]: one["type"] for one in found}
    assert problems == [] and types["tank"] == "zfspool" and types["nfsoff"] == "nfs" and len(types) == 9
