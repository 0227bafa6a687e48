# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""storage.cfg: what is there, and what is wrong with it, line by line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve import storage


def by_id(text, ceph=None):
    return {entry["id"]: entry for entry in storage.parse(text, ceph)[0]}


def test_storages():
    found = by_id(
        "# words\nnfs: nas\n\tserver 10.0.0.5\n\texport /x\n\tdisable\n\nrbd: ceph\n\tkrbd 1\n\tmonhost"
        " 10.0.0.1,[::2]:6789 10.0.0.3:6789\n"
    )
    assert found["nas"] == {
        "id": "nas",
        "type": "nfs",
        "krbd": False,
        "nocow": False,
        "shared": True,
        "servers": ["10.0.0.5"],
        "disabled": True,
        "nodes": None,
        "content": ["images"],
        "images": None,
        "active": None,
    }
    assert found["ceph"]["krbd"] and found["ceph"]["servers"] == ["10.0.0.1", "::2", "10.0.0.3"]


@pytest.mark.parametrize(
    ("text", "images"),
    [
        ("dir: st\n\tpath /srv/vm\n", "/srv/vm/images"),
        ("dir: st\n\tpath /srv/vm/\n\tcontent-dirs iso=i,images=my/disks\n", "/srv/vm/my/disks"),
        ("nfs: st\n\tpath /mnt/pve/st\n\tserver a\n\texport /b\n", None),
        ("btrfs: st\n\tpath /srv/vm\n", None),
    ],
)
def test_where_a_plain_directorys_images_are(text, images):
    assert by_id(text)["st"]["images"] == images and by_id(text)["local"]["images"] == "/var/lib/vz/images"


@pytest.mark.parametrize("dirs", ["iso=i;images=/a", "images=/a iso=b", "iso=b , images=a/"])
def test_a_list_is_split_as_proxmox_ve_splits_it(dirs):
    found = by_id(f"dir: st\n\tpath /srv\n\tcontent iso;images\n\tnodes n2 n1,n1\n\tcontent-dirs {dirs}\n")["st"]
    assert (found["images"], found["content"], found["nodes"]) == ("/srv/a", ["images", "iso"], ["n1", "n2"])


@pytest.mark.parametrize(
    ("section", "content"),
    [
        ("dir: st\n\tpath /x", ["images", "rootdir"]),
        ("dir: st\n\tpath /x\n\tcontent none", ["none"]),
        ("nfs: st\n\tserver a\n\texport /b", ["images"]),
        ("cephfs: st", ["backup"]),
        ("lvm: st\n\tvgname aa\n\tcontent images,iso", ["images"]),
        ("plugin: st\n\tcontent iso", None),
    ],
)
def test_what_a_storage_may_hold(section, content):
    assert by_id(f"{section}\n")["st"]["content"] == content


@pytest.mark.parametrize(
    "text", ["", "dir: local\n\tcontent iso\n\tdisable\n", "dir: local\n\tpath /x\n\tcontent iso\n"]
)
def test_a_local_that_does_not_count_is_replaced_with_all_its_content(text):
    local = by_id(text)["local"]
    assert "images" in local["content"] and not local["disabled"] and local["images"] == "/var/lib/vz/images"


def test_local_is_on_every_node():
    local = by_id("dir: local\n\tpath /var/lib/vz/\n\tcontent iso\n\tnodes n2\n")["local"]
    assert (local["nodes"], local["content"]) == (None, ["iso"])


def test_local_is_always_there():
    assert by_id("")["local"]["type"] == "dir"


def test_the_clusters_own_ceph_is_found_in_ceph_conf():
    ceph = "[global]\n\tmon_host = [v2:10.0.0.1:3300/0,v1:10.0.0.1:6789/0] 10.0.0.2\n"
    assert by_id("rbd: ceph\n\tpool x\n", ceph)["ceph"]["servers"] == ["10.0.0.1", "10.0.0.2"]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("what is this\n", 1, "not of the form 'type: id'"),
        ("dir: aa\n\tpath /x\nnonsense\n", 3, "not an indented"),
        ("dir: aa b\n", 1, "not of the form 'type: id'"),
        ("dir: -x-\n\tpath /\n", 1, "is not a storage id"),
        ("dir: a\n\tpath /x\n", 1, "is not a storage id"),
        ("dir: aa\n\tpath /x\n\ndir: aa\n\tpath /y\n", 4, "duplicate storage"),
        ("dir: aa\n\tpath /x\n\tpath /y\n", 3, "duplicate property"),
        ("dir: aa\n\tpath /x\n \t \ndir: bb\n", 4, "no empty line ends the section of line 1"),
        ("\n\nlvm: aa\n\tcontent images\n", 3, "'aa' is skipped: a storage of type lvm needs 'vgname'"),
        ("dir: aa\n\tpath\n", 1, "needs 'path'"),
        ("dir: aa\n\tpath x/y\n", 1, "takes an absolute path"),
        ("btrfs: aa\n\tpath /x y\n", 1, "takes an absolute path"),
        ("lvmthin: aa\n\tvgname aa\n", 1, "needs 'thinpool'"),
        ("zfspool: aa\n", 1, "needs 'pool'"),
        ("nfs: aa\n\tserver x\n", 1, "needs 'export'"),
        ("cifs: aa\n\tserver x\n", 1, "needs 'share'"),
        ("iscsi: aa\n\tportal x\n", 1, "needs 'target'"),
        ("glusterfs: aa\n\tserver x\n\tvolume y\n", 1, "no type glusterfs any more"),
        (
            "lvmthin: aa\n\tvgname aa\n\tthinpool bb\n\tcontent iso\n",
            1,
            "a storage of type lvmthin holds images, rootdir, not 'iso'",
        ),
        ("nfs: aa\n\tserver x\n\texport /x\n\tcontent none\n", 1, "not 'none'"),
        ("dir: aa\n\tpath /x\n\tcontent none,iso\n", 1, "its content is none and more"),
        ("rbd: aa\n\tkrbd yes\n", 2, "takes 1 or 0"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text, line, words):
    problems = storage.parse(text)[1]
    assert [problem["line"] for problem in problems] == [line]
    assert words in problems[0]["reason"]


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("nfs: aa\n\tserver my_nas\n\texport /x\n", "an IP address or a DNS name"),
        ("nfs: aa\n\tserver 10.0.0.9\n\texport x/y\n", "an absolute path"),
        ("cifs: aa\n\tshare x\n\tserver nas.\n", "an IP address or a DNS name"),
        ("lvm: aa\n\tvgname my vg\n", "letters, digits"),
        ("lvm: aa\n\tvgname x\n", "two characters"),
        ("lvmthin: aa\n\tvgname xx\n\tthinpool -x\n", "letters, digits"),
        ("iscsi: aa\n\ttarget x\n\tportal a b\n", "and a port"),
    ],
)
def test_a_value_that_proxmox_ve_rejects_is_not_there_and_nor_is_its_storage(section, words):
    storages, problems = storage.parse(section)
    assert [entry["id"] for entry in storages] == ["local"]
    assert words in problems[0]["reason"] and "'aa' is skipped" in problems[1]["reason"] and len(problems) == 2


@pytest.mark.parametrize("value", ["nas", "nas.example", "10.0.0.9", "fd00::9", "1-2.3"])
def test_servers_that_proxmox_ve_takes(value):
    assert storage.parse(f"nfs: aa\n\tserver {value}\n\texport /x y\n")[1] == []


@pytest.mark.parametrize("value", ["nas", "nas:3260", "10.0.0.9:3260", "[fd00::9]:3260", "fd00::9", "fd00::9.3260"])
def test_portals_that_proxmox_ve_takes(value):
    assert storage.parse(f"iscsi: aa\n\tportal {value}\n\ttarget x\n")[1] == []


@pytest.mark.parametrize("line", ["content images,disks", "nodes n_2", "content Images"])
def test_a_list_with_a_word_that_proxmox_ve_does_not_take_is_as_if_it_were_not_there(line):
    storages, problems = storage.parse(f"lvm: aa\n\tvgname xx\n\t{line}\n")
    assert (storages[0]["content"], storages[0]["nodes"], [problem["line"] for problem in problems]) == (
        ["images"],
        None,
        [3],
    )


@pytest.mark.parametrize(
    ("value", "on"),
    [("1", True), ("0", False), ("", True), *((word, False) for word in ("yes", "on", "true", "True", "2", "01"))],
)
def test_a_boolean_is_1_or_0_alone(value, on):
    found = by_id(
        f"rbd: aa\n\tkrbd {value}\n\tdisable {value}\n\nbtrfs: bb\n\tpath /x\n\tnocow {value}\n\tshared {value}\n"
    )
    assert {found["aa"]["krbd"], found["aa"]["disabled"], found["bb"]["nocow"], found["bb"]["shared"]} == {on}


def test_of_a_boolean_that_is_given_again_the_first_that_counts_is_kept():
    assert by_id("rbd: aa\n\tkrbd yes\n\tkrbd 1\n\tkrbd 0\n")["aa"]["krbd"] is True


@pytest.mark.parametrize("kind", ["nfs", "cifs", "lvmthin", "zfspool", "glusterfs", "dir", "btrfs", "lvm", "zfs"])
def test_a_storage_that_proxmox_ve_skips_is_not_there(kind):
    assert set(by_id(f"{kind}: aa\n\tcontent images\n\ndir: bb\n\tpath /x\n")) == {"bb", "local"}


def test_a_second_section_that_is_skipped_takes_the_first_with_it():
    assert set(by_id("dir: aa\n\tpath /x\n\ndir: aa\n")) == {"local"}


def test_a_storage_is_shared_only_where_its_type_can_be():
    found = by_id(
        "lvmthin: aa\n\tvgname xx\n\tthinpool yy\n\tshared 1\n\nlvm: bb\n\tvgname xx\n\tshared 1\n\nplugin:"
        " cc\n\tshared 1\n"
    )
    assert [found[name]["shared"] for name in ("aa", "bb", "cc")] == [False, True, True]


@pytest.mark.parametrize(
    "text", ["dir: local\n\tpath /elsewhere\n\tdisable\n", "lvm: local\n\tvgname xx\n", "dir: local\n"]
)
def test_local_is_what_proxmox_ve_makes_of_it(text):
    assert (by_id(text)["local"]["type"], by_id(text)["local"]["disabled"]) == ("dir", False)


def test_one_bad_section_does_not_hide_the_others():
    assert by_id("garbage\n\ndir: good\n\tpath /x\n")["good"]["type"] == "dir"


@given(st.text(max_size=300))
def test_anything_is_read(text):
    storages, problems = storage.parse(text)
    assert any(entry["id"] == "local" for entry in storages)
    assert all(problem["line"] >= 1 for problem in problems)


@pytest.mark.parametrize(
    "text",
    [
        "a:" * 100000 + " x y",
        "x: " + "[" * 200000,
        "rbd: aa\n\tmonhost " + "[" * 200000,
        "rbd: aa\n\tmonhost " + ",".join(map(str, range(100000))),
        "dir: aa\n" + " " * 200000 + "x" + " " * 200000 + "y",
    ],
    ids=["colons", "brackets", "open brackets", "hosts", "blanks"],
)
def test_a_long_line_takes_no_longer_than_its_length(text):
    assert storage.parse(text, "\n" * 200000 + "mon_host = x\n")[0]
