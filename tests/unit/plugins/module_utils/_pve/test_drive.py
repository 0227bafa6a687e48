# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Drive strings: read as Proxmox VE does, edited without losing an option."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve import drive
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve.same import normal

VOLUME = "local:120/base-120-disk-0.qcow2/121/vm-121-disk-0.qcow2"


def test_a_drive_string():
    read = drive.parse("scsi0", f"{VOLUME},aio=threads,discard=on,iothread=1,serial=a%20b,size=32G,ssd=Yes")
    assert (read.bus, read.volume, read.media) == ("scsi", VOLUME, "disk")
    assert read.options["iothread"] is True and read.options["ssd"] is True and read.options["serial"] == "a%20b"


@pytest.mark.parametrize(
    "text",
    [f"discard=on,file={VOLUME}", f"volume={VOLUME},discard=on", f"discard=on,{VOLUME}", f"{VOLUME},,discard=on, "],
)
def test_the_volume_may_stand_anywhere(text):
    assert drive.parse("scsi0", text).volume == VOLUME


@pytest.mark.parametrize(
    ("key", "text", "words"),
    [
        ("scsi0", f"{VOLUME},turbo=1", "no option 'turbo'"),
        ("scsi0", f"{VOLUME},aio=threads,aio=native", "duplicate option 'aio'"),
        ("scsi0", f"{VOLUME},file={VOLUME}", "two volumes"),
        ("scsi0", "aio=threads", "no volume"),
        ("sata0", f"{VOLUME},iothread=1", "a sata drive has no option 'iothread'"),
        ("ide0", f"{VOLUME},iothread=1", "no option 'iothread'"),
        ("efidisk0", f"{VOLUME},cache=none", "no option 'cache'"),
        ("scsi0", f"{VOLUME},iothread=2", "takes 1 or 0"),
        ("scsi0", f"{VOLUME},aio=bogus", "threads, io_uring, native"),
        ("scsi0", f"{VOLUME},cache=off", "takes one of"),
        ("scsi0", f"{VOLUME},size=big", "takes a number"),
        ("scsi0", f"{VOLUME},queues={'1' * 5000}x", "111…'; it takes a whole number from 2"),
        ("scsi0", f"{VOLUME},aio=", "not of the form"),
        ("net0", "virtio", "is not a drive"),
    ],
)
def test_what_proxmox_rejects(key, text, words):
    with pytest.raises(drive.DriveError, match="(?s).*") as caught:
        drive.parse(key, text)
    assert words in str(caught.value)


def test_every_line_proxmox_ve_keeps_is_read_and_every_other_is_rejected():
    """Recorded, or of a kind that was: qemu-server 9.2.6 reads each with the schema of drive_options.py."""
    text = (Path(__file__).parent / "drive-lines.txt").read_text(encoding="utf-8")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if not line.startswith("#")]
    assert len(lines) > 200
    assert [line for verdict, line in lines if verdict_on(line) != verdict] == []


def verdict_on(line):
    key, _colon, text = line.partition(":")
    try:
        drive.parse(key, text.strip())
    except drive.DriveError:
        return "dropped"
    return "kept"


@pytest.mark.parametrize(
    ("key", "options", "words"),
    [
        ("scsi0", "mbps_max=3", "'mbps_max' needs 'mbps'"),
        ("scsi0", "iops_max=0,iops=0", None),
        ("scsi0", "iops_max_length=4", "needs 'iops_max'"),
        ("scsi0", "iops=3,iops_rd=4", "'iops' and 'iops_rd' exclude each other"),
        ("scsi0", "iops=0,iops_rd=4", None),
        ("scsi0", "bps=5,mbps=6", "'bps' and 'mbps' exclude each other"),
        ("scsi0", "bps=5,mbps_rd=6", "'mbps' and 'mbps_rd' exclude each other"),
        ("scsi0", "bps=5,mbps_max=6,bps_max_length=3", None),
        ("virtio0", "media=cdrom", "cdrom cannot be on virtio"),
        ("ide2", "media=cdrom,snapshot=1", "neither 'snapshot'"),
        ("ide2", "media=cdrom,snapshot=0", None),
        ("ide2", "media=cdrom,format=raw", "neither 'snapshot'"),
    ],
)
def test_what_proxmox_keeps_and_starts_the_guest_without(key, options, words):
    parts = dict(part.split("=") for part in options.split(","))
    found = drive.unusable(drive.parse(key, ",".join([VOLUME, *(f"{name}={value}" for name, value in parts.items())])))
    assert (found is None) if words is None else (words in found)


@pytest.mark.parametrize("digits", ["1" * 5000, "+" + "0" * 5000 + "2", "9" * 5000])
def test_a_number_of_any_length_is_read(digits):
    read = drive.parse(
        "scsi0", f"{VOLUME},queues={digits},mbps={digits.strip('+')},iops={digits},size={digits.strip('+')}"
    )
    assert read.options["queues"] == digits
    assert drive.parse_key("scsi" + digits) is None


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("scsi30", ("scsi", 30)),
        ("scsi31", None),
        ("sata5", ("sata", 5)),
        ("sata6", None),
        ("ide4", None),
        ("virtio15", ("virtio", 15)),
        ("virtio16", None),
        ("unused0", None),
        ("scsihw", None),
        ("scsi01", None),
    ],
)
def test_which_keys_are_drives(key, place):
    assert drive.parse_key(key) == place


@pytest.mark.parametrize(
    "text", ["local:100/vm-100-cloudinit.qcow2,media=cdrom", "local-lvm:vm-100-cloudinit,media=cdrom", "st:cloudinit"]
)
def test_cloudinit(text):
    assert drive.parse("ide2", text).media == "cloudinit"


def test_an_edit_keeps_order_spelling_and_unknown_options():
    before = f"discard=on,turbo=9,file={VOLUME},iothread=yes,cache=writeback,size=104858K"
    assert drive.edit(before, {"iothread": True, "cache": "none", "aio": "threads"}) == (
        f"discard=on,turbo=9,file={VOLUME},iothread=yes,cache=none,size=104858K,aio=threads"
    )
    assert drive.edit(before, {"cache": None}) == before.replace("cache=writeback,", "")


NAMES = st.sampled_from(["discard", "turbo", "serial", "aio", "cache", "iothread", "size", "x-y"])
VALUES = st.text(st.characters(exclude_characters=",\n", codec="utf-8"), min_size=1, max_size=8)


CHANGES = st.dictionaries(st.sampled_from(["aio", "cache"]), st.sampled_from(["threads", "none"]), max_size=2)


@given(st.dictionaries(NAMES, VALUES, max_size=8), CHANGES)
def test_an_edit_changes_the_named_options_alone(options, changes):
    text = ",".join([VOLUME, *(f"{name}={value}" for name, value in options.items())])
    after = dict(part.partition("=")[::2] for part in drive.edit(text, dict(changes)).split(",")[1:])
    assert after == {**options, **changes}
    assert drive.edit(drive.edit(text, dict(changes)), dict(changes)) == drive.edit(text, dict(changes))
    assert drive.edit(text, {}) == text


@pytest.mark.parametrize(
    ("size", "same"), [("32GiB", "32G"), ("1024", "1K"), ("1.5TiB", "1536G"), ("9" * 5000, "9" * 5000 + "GiB")]
)
def test_sizes_are_compared_by_their_bytes(size, same):
    assert normal("scsi0", f"{VOLUME},size={size}") == normal("scsi0", f"{VOLUME},size={same}")
