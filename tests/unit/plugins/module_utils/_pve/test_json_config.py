# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Guest configs as ``qm config`` and ``pvesh get …/config`` print them: the same guest comes out."""

from __future__ import annotations

import json

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import find
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve import pending_config, storage
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve.config import decode
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve.json_config import (
    JsonConfigError,
    key_lines,
    to_text,
)
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve.record import record
from ansible_collections.hypervisor.io_hardening.tests.unit.facts import facts, qm_answers

FILE = """\
#a description%3A with a colon
#and a second line
cores: 2
lock: backup
memory: 2048
name: web01
ostype: l26
scsi0: local:100/vm-100-disk-0.qcow2,aio=threads,discard=on,iothread=1,size=32G
scsi1: local:100/vm-100-disk-1.qcow2,size=1G
scsihw: virtio-scsi-single
"""
# How `qm config` prints that file: sorted, the description encoded in one line, no digest.
PRINTED = "cores: 2\ndescription: a description%3A with a colon%0Aand a second line%0A\n" + FILE.split("\n", 3)[3]
API = {
    "digest": "0123456789abcdef0123456789abcdef01234567",
    "description": "a description: with a colon\nand a second line\n",
    "cores": 2,
    "memory": "2048",
    "lock": "backup",
    "name": "web01",
    "ostype": "l26",
    "scsihw": "virtio-scsi-single",
    "scsi1": "local:100/vm-100-disk-1.qcow2,size=1G",
    "scsi0": "local:100/vm-100-disk-0.qcow2,aio=threads,discard=on,iothread=1,size=32G",
}


def guest(text):
    """The record without what depends on the text's form: its digest and line numbers."""
    found = record("100", text.encode(), {"local": storage.parse("")[0][0]})
    found["controller"]["line"] = found["digest"] = None
    for disk in found["disks"]:
        disk["line"] = None
    return found


def test_both_prints_are_the_file():
    assert (
        guest(PRINTED)
        == guest(FILE)
        == guest(to_text(json.dumps(API)))
        == guest(to_text(json.dumps({"data": API}, indent=2)))
    )
    assert guest(FILE)["unsafe_lines"] == [] and len(guest(FILE)["disks"]) == 2


def test_numbers_and_booleans_are_settings():
    assert to_text('{"template": true, "kvm": 0, "cores": 2}') == "cores: 2\nkvm: 0\ntemplate: 1\n"


def test_sections_that_some_versions_print_hold_no_setting():
    assert (
        to_text('{"name": "a", "special-sections": {"cloudinit": {}}, "snapshots": {}, "pending": {}}') == "name: a\n"
    )


@pytest.mark.parametrize(
    "raw",
    [
        *("", "null", "[1]", "[" * 100000),
        *('[{"key": "a"}]', '[{"value": "a"}]', '[{"key": "A b", "value": 1}]', '[{"key": "a", "pending": [1]}]'),
        '[{"key": "a", "value": 1}, {"key": "a", "value": 2}]',
        *('{"scsi0": {"a": 1}}', '{"A b": 1}', '{"name": "a\\nscsi0: b"}', '{"scsi0": "a:b", "scsi0": "c:d"}'),
    ],
)
def test_what_is_not_a_config_is_refused(raw):
    with pytest.raises(JsonConfigError):
        to_text(raw)


def test_settings_next_to_those_of_an_answer_are_refused():
    with pytest.raises(JsonConfigError, match="has 'scsi1' next to 'data'"):
        to_text('{"data": {"name": "a"}, "scsi1": "local:x"}')


def test_half_a_character_in_a_description_is_read():
    assert to_text('{"description": "\\ud83d", "name": "a"}') == "#%ED%A0%BD\nname: a\n"


PENDING = [
    {"key": "digest", "value": "25ec5c4d9fbe7b361eb173ace5f226387fd83451"},
    {
        "key": "scsi0",
        "value": "local:1/d.raw,discard=on,size=1G",
        "pending": "local:1/d.raw,aio=threads,discard=on,iothread=1,size=1G",
    },
    {"key": "scsi1", "value": "local:1/e.raw", "delete": 1},
    {"key": "scsi2", "value": "local:1/f.raw", "delete": 0},
    {"key": "scsi3", "pending": "local:1/g.raw"},
    {"key": "scsihw", "value": "virtio-scsi-pci", "pending": "virtio-scsi-single"},
    {"key": "description", "value": "caf\u00e9 {{ x }}", "pending": "other"},
    {"key": "memory", "value": "32"},
    {"key": "kvm", "value": 0},
]
PENDING_TEXT = """\
cur description: caf%C3%A9 {{ x }}
cur kvm: 0
cur memory: 32
cur scsi0: local:1/d.raw,discard=on,size=1G
new scsi0: local:1/d.raw,aio=threads,discard=on,iothread=1,size=1G
del scsi1: local:1/e.raw
cur scsi2: local:1/f.raw
new scsi3: local:1/g.raw
cur scsihw: virtio-scsi-pci
new scsihw: virtio-scsi-single
"""
PENDING_FILE = """\
#caf%C3%A9 {{ x }}
kvm: 0
memory: 32
scsi0: local:1/d.raw,discard=on,size=1G
scsi1: local:1/e.raw
scsi2: local:1/f.raw
scsihw: virtio-scsi-pci

[PENDING]
delete: scsi1
scsi0: local:1/d.raw,aio=threads,discard=on,iothread=1,size=1G
scsi3: local:1/g.raw
scsihw: virtio-scsi-single
"""


def test_what_waits_is_read_as_what_waits():
    expected = guest(PENDING_FILE)
    assert expected["unsafe_lines"] == [] and expected["pending"] == ["scsi0", "scsi3", "scsihw", "delete:scsi1"]
    assert guest(to_text(json.dumps(PENDING))) == guest(to_text(json.dumps({"data": PENDING}))) == expected
    assert guest(pending_config.read(PENDING_TEXT).text) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("100.json", json.dumps(PENDING, indent=1)),
        ("100.json", json.dumps({"data": PENDING}, indent=1)),
        ("100.conf", PENDING_TEXT),
    ],
    ids=["json", "answer", "text"],
)
def test_what_waits_is_read_from_a_file_with_its_lines(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    found = find.read(str(tmp_path)).guests[0]
    lines = text.splitlines()
    assert [disk["key"] for disk in found["disks"]] == ["scsi0", "scsi1", "scsi2", "scsi3"]
    assert all(
        f'"{disk["key"]}"' in lines[disk["line"] - 1] or f" {disk['key']}:" in lines[disk["line"] - 1]
        for disk in found["disks"]
    )
    assert (
        found["disks"][0]["next"]["iothread"]
        and not found["disks"][0]["effective"]["iothread"]
        and found["disks"][1]["pending_delete"]
    )


@pytest.mark.parametrize("text", ["", "cur a: b\nc: d\n", "cpu: host\n", "cur scsi0\n", "curious: 1\n"])
def test_another_text_is_not_what_qm_pending_prints(text):
    assert pending_config.read(text) is None


def test_what_the_api_answered_is_read():
    answers = facts("pending_answers")
    assert len(answers) == 5
    for answer in answers:
        found = guest(to_text(json.dumps(answer)))
        assert found["unsafe_lines"] == [] and set(found["pending"]) == {
            item["key"] for item in answer["data"] if "pending" in item
        }


@pytest.mark.parametrize("digits", ["1" * 5000, "-" + "1" * 5000, "1" * 5000 + ".5", "1e999", "NaN"])
def test_a_number_of_any_length_is_its_guests_own_trouble(tmp_path, digits):
    (tmp_path / "100.json").write_text(
        '{"name": "a", "cores": %s, "scsi%s": "local:x", "template": %s}' % (digits, "1" * 5000, digits)
    )
    (tmp_path / "101.json").write_text('[{"key": "cores", "value": %s}, {"key": "name", "value": "b"}]' % digits)
    found = find.read(str(tmp_path))
    assert [(one["id"], one["template"]) for one in found.guests] == [("100", False), ("101", False)]


def test_findings_point_at_the_line_of_the_key(tmp_path):
    (tmp_path / "storage.cfg").write_text("dir: local\n\tpath /x\n")
    (tmp_path / "100.json").write_text(json.dumps({**API, "vmgenid": "\ud800", "name": "a b"}, indent=2))
    found = find.read(str(tmp_path)).guests[0]
    lines = (tmp_path / "100.json").read_text().splitlines()
    assert '"scsihw"' in lines[found["controller"]["line"] - 1]
    assert [disk["key"] in lines[disk["line"] - 1] for disk in found["disks"]] == [True, True]
    assert ['"name"' in lines[unsafe["line"] - 1] for unsafe in found["unsafe_lines"]] == [True]
    assert key_lines('{"a": 1, "b": 2}') == {"a": 1, "b": 1}


def printed_by_qm():
    """(config on disk, what `qm config` printed of it) of the recorded runs."""
    pairs = []
    for scenario in qm_answers():
        text = scenario["config"]
        for step in scenario["steps"]:
            if step["command"][:2] == ["qm", "config"] and len(step["command"]) == 3:
                pairs.append(pytest.param(text, step["stdout"], id=scenario["name"]))
            text = text if step["config_after"] == "unchanged" else step["config_after"]
    return pairs


@pytest.mark.parametrize(("on_disk", "printed"), printed_by_qm())
@pytest.mark.parametrize("form", ["text", "json"])
def test_what_qm_printed_is_the_guest_after_its_next_cold_start(on_disk, printed, form):
    if form == "json":
        printed = to_text(json.dumps(dict(line.split(": ", 1) for line in printed.splitlines())))
    before, now = guest(decode(on_disk.encode())), guest(printed)
    assert now["unsafe_lines"] == []
    assert [disk["key"] for disk in now["disks"]] == [
        disk["key"] for disk in before["disks"] if not disk["pending_delete"]
    ]
    for was, disk in zip(before["disks"], now["disks"]):
        assert disk["effective"] == (was["next"] or was["effective"])
        assert disk["pending"] is None and disk["next"] is None
    assert now["controller"]["effective"] == (before["controller"]["pending"] or before["controller"]["effective"])
