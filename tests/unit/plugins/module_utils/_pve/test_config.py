# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Guest configs: read as Proxmox VE reads them, edited without losing a byte."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve import config, storage
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve.record import record
from ansible_collections.hypervisor.io_hardening.tests.unit.facts import facts, qm_answers
from ansible_collections.hypervisor.io_hardening.tests.unit.shared_data import requires_shared_pve, shared_pve

FULL = """\
# owner%3A ops
boot: order=scsi0
cdrom: none
name: web01
scsi0: local:100/vm-100-disk-0.qcow2,size=1G
scsihw: virtio-scsi-pci

[PENDING]
delete: !net1,scsi3
scsi0: local:100/vm-100-disk-0.qcow2,discard=on,size=1G

[before-upgrade]
scsi0: local:100/vm-100-disk-0.qcow2,size=1G

[special:cloudinit]
whatever: it is
"""


def round_trips(raw):
    return config.encode(config.parse(config.decode(raw)).text) == raw


def test_configs_as_qm_leaves_them_round_trip():
    texts = {
        text for guest in qm_answers() for text in (guest["config"], *(step["config_after"] for step in guest["steps"]))
    }
    assert len(texts) > 80 and all(round_trips(text.encode()) for text in texts)


@requires_shared_pve
def test_the_configs_of_proxmox_ves_own_tests_round_trip():
    paths = sorted((shared_pve() / "configs").rglob("*.conf"))
    assert len(paths) == 103 and [path for path in paths if not round_trips(path.read_bytes())] == []


@given(st.binary(max_size=2000))
def test_anything_round_trips(raw):
    assert round_trips(raw)


LINES = st.lists(
    st.sampled_from(["", " ", "# x", "[PENDING]", "[Pending] ", "[snap1]", "[a]", "[special:cloudinit]", "[ßx]", "cores: 2", "cores:2",
                     "scsi0: local:1/d.raw,size=1G", "scsi0: x", "cdrom: none", "delete: scsi0", "name: {{ x }}", "  a: b", "foo", "args: -a 'b,c'"])
    | st.text(max_size=12),
    max_size=25,
).map("\n".join)  # fmt: skip


@given(LINES, st.sampled_from(["scsi0", "scsihw", "name", "args", "zzz"]))
def test_an_edit_sets_the_key_and_touches_no_other_line(text, key):
    before = config.parse(text)
    edited = config.edit(config.parse(text), {key: "NEW"})
    after = config.parse(edited)
    assert after.main.get(key) == "NEW"
    # What is set is no longer to be removed.
    assert after.pending_deletes == [other for other in before.pending_deletes if other != key]
    if key in before.pending_deletes:
        deletes = ("delete:", "[PENDING]")
        kept = [line for line in text.split("\n") if line.strip() and not line.startswith(deletes)]
        assert not [line for line in kept if line not in edited.split("\n") and not line.startswith(key)]
    elif key in before.main.entries:
        entry = before.main.entries[key]
        assert edited == text[: entry.start] + "NEW" + text[entry.end :]
    else:
        lines = edited.split("\n")
        lines.remove(f"{key}: NEW")
        assert "\n".join(lines).rstrip("\n") == text.rstrip("\n")
    unchanged = {name: entry.value for name, entry in before.main.entries.items() if name != key}
    assert {name: entry.value for name, entry in after.main.entries.items() if name != key} == unchanged
    assert after.snapshots.keys() == before.snapshots.keys()


def test_sections_and_keys():
    parsed = config.parse(FULL)
    assert parsed.main.get("ide2") == "none"
    assert parsed.main.get("scsi0") == "local:100/vm-100-disk-0.qcow2,size=1G"
    assert parsed.pending.get("scsi0").startswith("local:100/vm-100-disk-0.qcow2,discard=on")
    assert parsed.pending_deletes == ["net1", "scsi3"]
    assert list(parsed.snapshots) == ["before-upgrade"]
    assert parsed.special["cloudinit"].get("whatever") == "it is"
    assert not parsed.unsafe and not parsed.unknown_keys


def test_the_last_of_equal_keys_wins_and_the_first_is_unsafe():
    parsed = config.parse("scsi0: a\ncores: 1\nscsi0: b\n")
    assert parsed.main.get("scsi0") == "b"
    assert [(line.line, line.text) for line in parsed.unsafe] == [(1, "scsi0: a")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("  cores: 1", "not a line of the form"),
        ("bogus line", "not a line of the form"),
        ("delete: scsi0", "only allowed in [PENDING]"),
        ("[a]", "unknown section"),
        ("cores: two", "takes a whole number"),
        ("onboot: maybe", "takes 1 or 0"),
        ("cpulimit: 1,5", "takes a number"),
        ("name: {{ 7*7 }}", "letters, digits"),
        ("scsi31: local:x", "there is no setting 'scsi31'"),
        ("smp: 2", "'smp' is obsolete"),
        ("machine: q35\r,viommu=intel", "the value of 'machine' contains a carriage return"),
        ("unused0: /dev/sdb", "the volume is '/dev/sdb'; it takes a volume 'STORAGE:NAME'"),
        ("unused0: none", "the volume is 'none'"),
        ("unused255: local:x,size=1G", "an unused drive has no option 'size'"),
        ("[über]", "unknown section"),
    ],
)
def test_what_proxmox_drops_is_unsafe(line, reason):
    parsed = config.parse(f"memory: 128\n{line}\n")
    assert [unsafe.line for unsafe in parsed.unsafe] == [2]
    assert reason in parsed.unsafe[0].reason


def test_lines_of_an_unknown_section_are_unsafe_and_not_of_the_main_section():
    parsed = config.parse("memory: 128\n[x]\nscsi0: evil\n[PENDING]\ncores: 1\n")
    assert parsed.main.get("scsi0") is None
    assert [unsafe.line for unsafe in parsed.unsafe] == [2, 3]
    assert parsed.pending.get("cores") == "1"


def test_a_second_section_replaces_the_first():
    parsed = config.parse("memory: 1\n[PENDING]\ncores: 1\n[pending]\nmemory: 2\n")
    assert parsed.pending.get("cores") is None and parsed.pending.get("memory") == "2"
    assert "second section" in parsed.unsafe[0].reason


def test_settings_newer_than_our_list_are_listed_apart():
    assert [entry.key for entry in config.parse("memory: 1\nholo-deck: 1\nusb12: y\n").unknown_keys] == ["holo-deck"]


@pytest.mark.parametrize("pending, after", [
    ("delete: scsihw\n", ""), ("delete: !scsihw\n", ""), ("delete: net1,!scsihw;cores\ncores: 2\n", "delete: net1,cores\ncores: 2\n"),
    ("delete: net1,scsihw2\n", "delete: net1,scsihw2\n"),
])  # fmt: skip
def test_an_edit_takes_what_it_sets_off_what_is_to_be_removed(pending, after):
    """As qm set does (PVE::QemuConfig, remove_from_pending_delete); the next cold start would remove it again."""
    text = f"name: a\nscsihw: lsi\n\n[PENDING]\n{pending}\n[snap]\nscsihw: lsi\n"
    assert (
        config.edit(config.parse(text), {"scsihw": "x"})
        == f"name: a\nscsihw: x\n\n[PENDING]\n{after}\n[snap]\nscsihw: lsi\n"
    )


def test_an_edit_removes_the_line_of_its_section_alone():
    text = "name: a\nscsihw: lsi\n\n[PENDING]\nscsihw: x\n\n[snap]\nscsihw: lsi\n"
    assert config.edit(config.parse(text), {"scsihw": None}) == text.replace("scsihw: lsi\n", "", 1)
    assert config.edit(config.parse(text), {"scsihw": None}, frozenset(["scsihw"])) == text.replace("scsihw: x\n", "")
    assert config.edit(config.parse("name: a\nscsihw: lsi"), {"scsihw": None}) == "name: a\n"
    assert config.edit(config.parse(text), {"vga": None}) == text


def test_an_edit_goes_to_pending_where_the_key_waits_there():
    edited = config.edit(config.parse(FULL), {"scsi0": "X"}, frozenset(["scsi0"]))
    assert config.parse(edited).main.get("scsi0") == config.parse(FULL).main.get("scsi0")
    assert config.parse(edited).pending.get("scsi0") == "X"


def test_a_new_key_goes_where_proxmox_would_write_it():
    assert (
        config.edit(config.parse("name: a\nsockets: 1\n\n[snap]\nname: b\n"), {"scsihw": "x"})
        == "name: a\nscsihw: x\nsockets: 1\n\n[snap]\nname: b\n"
    )
    assert config.edit(config.parse("# only words\n"), {"scsihw": "x"}) == "# only words\nscsihw: x\n"
    assert config.edit(config.parse("name: a"), {"scsihw": "x"}) == "name: a\nscsihw: x\n"


def test_line_ends_of_another_system_stay():
    assert config.edit(config.parse("cores: 1\r\nname: a\r\n"), {"cores": "2"}) == "cores: 2\r\nname: a\r\n"


def test_the_digest_is_of_the_whole_file():
    raw = FULL.encode()
    assert config.digest(raw) == hashlib.sha1(raw).hexdigest()


@pytest.mark.parametrize(
    "line",
    [f"args: a{' ' * 400000}b", f"name: {'a' * 400000}!", f"name: {'a.' * 200000}!", f"tags: {'a;' * 200000}!", f"description: {' ' * 400000}",
     "snapstate: " * 40000, f"scsi0: local:1/{'a.' * 200000}b", f"scsi0: {'a' * 400000}", f"scsi0: local:1/d.raw,mbps={'1' * 400000}x", f"[{'a' * 400000}"],
    ids=["blanks", "name", "labels", "tags", "description", "snapstate", "volume", "no volume", "number", "section"],
)  # fmt: skip
def test_a_long_line_takes_no_longer_than_its_length(line):
    storages = {entry["id"]: entry for entry in storage.parse("")[0]}
    assert record("100", f"memory: 1\n{line}\n".encode(), storages)


def test_no_recorded_line_that_is_kept_is_unsafe_or_unknown():
    kept = [entry["line"] for entry in facts("config_lines") if entry["verdict"] == "kept"]
    assert len(kept) > 100
    guests = [(line, record("100", f"{line}\n".encode(), {})) for line in kept]
    assert [line for line, guest in guests if guest["unsafe_lines"] or guest["unknown_keys"]] == []
