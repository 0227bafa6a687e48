# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Domain XML in a tree and in a directory: what is read of it, and how it is written."""

from __future__ import annotations

import datetime
import fcntl
import os

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import domain_layout, find
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.layout import LayoutError
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host import whole_file as _whole_file
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._journal.rollback import rollback
from ansible_collections.hypervisor.io_hardening.tests.unit.domains import disk, domain
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.doors import (
    apply_below,
    journal_of,
    read_journal,
)
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._policy.fleet import assess

QEMU = "etc/libvirt/qemu"


def put(root, files):
    """Files below a root: text, bytes, or the target of a link as ``->``."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str) and content.startswith("->"):
            path.symlink_to(content[2:])
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())


def read(root, only=None):
    return find.read(str(root), only=only)


def plan_of(root):
    reading = read(root)
    return assess(reading.guests, {}, datetime.date(2026, 11, 28), reading.nodes)["plan"]


def apply(root, plan=None, **options):
    def never(arguments):
        raise AssertionError(f"a tree is written without any command: {arguments}")

    plan = plan_of(root) if plan is None else plan
    return [outcome.result for outcome in apply_below(str(root), plan, run=never, **options)]


#: Files below a root → the guests and their files, and the problems: file, line, guest, the beginning of the reason.
READ = {
    "a directory, whatever the files are called": (
        {"b.xml": domain("web"), "A.XML": domain("db")},
        {"db": "/A.XML", "web": "/b.xml"},
        [],
    ),
    "a tree": (
        {f"{QEMU}/web.xml": domain("web"), f"{QEMU}/networks/default.xml": "<network/>", "other.xml": domain("other")},
        {"web": f"/{QEMU}/web.xml"},
        [],
    ),
    "autostart is no second guest": (
        {f"{QEMU}/web.xml": domain("web"), f"{QEMU}/autostart/web.xml": "->../web.xml"},
        {"web": f"/{QEMU}/web.xml"},
        [],
    ),
    "a comment of libvirt, a byte order mark": (
        {"a.xml": "<!--\nWARNING: <domain> -->\n\n" + domain("a"), "b.xml": b"\xef\xbb\xbf" + domain("b").encode()},
        {"a": "/a.xml", "b": "/b.xml"},
        [],
    ),
    "a comment longer than what is looked at": (
        {"a.xml": f"<!--{' ' * 70_000}-->" + domain("a")},
        {"a": "/a.xml"},
        [],
    ),
    "files of other kinds, and hidden ones": (
        {
            "a.xml": domain("a"),
            "n.xml": "<network/>",
            "s.xml": "<domainsnapshot><domain/></domainsnapshot>",
            "p.xml": "<pool type='dir'/>",
            "c.xml": domain("c", type="lxc"),
            ".d.xml": domain("d"),
            "e.txt": domain("e"),
        },
        {"a": "/a.xml"},
        [],
    ),
    "a type in the value of another attribute": (
        {"a.xml": domain("a").replace("<domain ", "<domain x=\" type='lxc' \" ")},
        {"a": "/a.xml"},
        [],
    ),
    "two of one name": (
        {"a.xml": domain("web"), "b.xml": domain("web"), "c.xml": domain("c")},
        {"c": "/c.xml"},
        [
            ("/a.xml", None, "web", "2 domains have the name web (/a.xml, /b.xml): remove what is out of date"),
            ("/b.xml", None, "web", "2 domains have the name web (/a.xml, /b.xml): remove what is out of date"),
        ],
    ),
    "a name with everything in it": (
        {"x.xml": domain("{{ 7 * 7 }} &quot;&apos;$(id)&amp;")},
        {"{{ 7 * 7 }} \"'$(id)&": "/x.xml"},
        [],
    ),
    "a link": (
        {"a.xml": domain("a"), "b.xml": "->a.xml"},
        {"a": "/a.xml"},
        [("/b.xml", None, "b", "cannot be read: is a link; a guest's config is a file of its own")],
    ),
}

BILLION = "<!DOCTYPE domain [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]>\n"
#: A file that cannot be read, and the line and the beginning of the reason that is said of it.
HOSTILE = {
    "cut off": (domain("x")[:-20], 13, "it is not well-formed XML"),
    "empty": ("", 1, "it is not well-formed XML: no element found"),
    "no XML": ("name: web\n", 1, "it is not well-formed XML"),
    "an entity": (BILLION + domain("&b;"), 1, "it has a DOCTYPE"),
    "an entity of a file": (
        "<!DOCTYPE domain [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>\n" + domain("&a;"),
        1,
        "it has a DOCTYPE",
    ),
    "a DTD": ("\n\n<!DOCTYPE domain SYSTEM 'x.dtd'>\n" + domain("x"), 3, "it has a DOCTYPE"),
    "an entity that nobody declared": (domain("&nbsp;"), 2, "it is not well-formed XML: undefined entity"),
    "too deep": (domain("x").replace("<os>", "<os>" + "<a>" * 100 + "</a>" * 100), 4, "it is too deep"),
    "not UTF-8": (domain("x").encode().replace(b"<name>x", b"<name>\xff"), 2, "it is not UTF-8"),
    "UTF-16": (domain("x").encode("utf-16"), 1, "it is not UTF-8"),
    "another encoding": ("<?xml version='1.0' encoding='ISO-8859-1'?>\n" + domain("x"), 1, "its encoding is"),
    "too large": (domain("x").encode() + b" " * (5 << 20), None, "cannot be read: is larger than 4 MiB"),
    "no name": (domain("x").replace("<name>x</name>", ""), None, ""),
    "two disks of one target": (domain("x", disk("vda"), disk("vda")), None, ""),
    "a pipe": (None, None, "cannot be read: is not a regular file"),
}


@pytest.mark.parametrize(("files", "guests", "problems"), READ.values(), ids=READ)
def test_what_is_read(tmp_path, files, guests, problems):
    put(tmp_path, files)
    reading = read(tmp_path)
    assert {guest["id"]: guest["config"] for guest in reading.guests} == guests
    assert {(guest["hypervisor"], guest["node"], guest["running"]) for guest in reading.guests} == {
        ("libvirt", None, None)
    }
    found = [(one["file"], one["line"], one["guest"], one["reason"]) for one in reading.problems]
    assert found == problems


@pytest.mark.parametrize(("content", "line", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_what_cannot_be_read_is_said_with_its_place_and_hides_no_other(tmp_path, content, line, reason):
    put(tmp_path, {"good.xml": domain("good")})
    if content is None:
        os.mkfifo(tmp_path / "bad.xml")
    else:
        put(tmp_path, {"bad.xml": content})
    reading = read(tmp_path)
    assert [guest["id"] for guest in reading.guests] == ["good"]
    (problem,) = reading.problems
    assert (problem["file"], problem["guest"]) == ("/bad.xml", "bad") and problem["reason"].startswith(reason), problem
    assert line is None or problem["line"] == line


def test_a_hundred_megabytes_are_not_read(tmp_path):
    put(tmp_path, {"a.xml": domain("a")})
    with (tmp_path / "large.xml").open("wb") as stream:
        stream.truncate(100 << 20)
    reading = read(tmp_path)
    assert [one["reason"] for one in reading.problems] == ["cannot be read: is larger than 4 MiB"]


def test_many_comments_before_the_root_take_no_time(tmp_path):
    put(tmp_path, {"a.xml": "<!---->" * 8000 + "text"})
    assert domain_layout.kind(str(tmp_path), "/a.xml") is None


def test_disks_have_their_line(tmp_path):
    put(tmp_path, {"a.xml": domain("a", disk("vda"), disk("vdb", driver="io='native'"))})
    (guest,) = read(tmp_path).guests
    lines = (tmp_path / "a.xml").read_text().splitlines()
    assert [lines[one["line"] - 1].strip() for one in guest["disks"]] == ["<disk type='file' device='disk'>"] * 2
    assert guest["disks"][0]["line"] < guest["disks"][1]["line"]


def test_pools_of_a_tree_tell_what_a_volume_is(tmp_path):
    volume = "<source pool='fast' volume='web'/>"
    put(
        tmp_path,
        {
            f"{QEMU}/web.xml": domain("web", disk("vda", source=volume, type="volume")),
            "etc/libvirt/storage/fast.xml": "<pool type='logical'><name>fast</name></pool>",
            "etc/libvirt/storage/bad.xml": "<pool",
            "etc/libvirt/storage/autostart/fast.xml": "->../fast.xml",
        },
    )
    reading = read(tmp_path)
    assert reading.guests[0]["disks"][0]["effective"]["driver"] == "host_device"
    assert reading.guests[0]["disks"][0]["storage"]["type"] == "logical"
    assert [(one["file"], one["line"], one["guest"]) for one in reading.problems] == [
        ("/etc/libvirt/storage/bad.xml", 1, None)
    ]


def test_only_some_guests(tmp_path):
    put(tmp_path, {"a.xml": domain("web"), "b.xml": domain("db")})
    reading = read(tmp_path, only=["web", "gone"])
    assert [guest["id"] for guest in reading.guests] == ["web"]
    assert [(one["guest"], one["file"]) for one in reading.problems] == [("gone", "")]


def test_beside_configs_of_proxmox_ve(tmp_path):
    put(
        tmp_path,
        {
            "100.conf": "scsi0: local:100/x.raw\n",
            "storage.cfg": "dir: local\n\tpath /x\n",
            "a.xml": domain("web"),
            "b.xml": domain("101"),
        },
    )
    reading = read(tmp_path)
    assert sorted((guest["hypervisor"], guest["id"]) for guest in reading.guests) == [
        ("libvirt", "web"),
        ("pve", "100"),
    ]
    assert [(one["file"], one["reason"]) for one in reading.problems] == [
        ("/b.xml", "its name is that of a guest of Proxmox VE; rename it")
    ]
    assert [guest["id"] for guest in read(tmp_path, only=["100"]).guests] == ["100"]
    assert [guest["id"] for guest in find.read(str(tmp_path), node="all").guests] == ["100", "web"]
    for hypervisor, guests in (("auto", ["100", "web"]), ("pve", ["100"]), ("libvirt", ["web"])):
        assert [guest["id"] for guest in find.read(str(tmp_path), hypervisor=hypervisor).guests] == guests


def test_a_directory_of_domains_alone_needs_no_storage_cfg(tmp_path):
    put(tmp_path, {"a.xml": domain("101")})
    reading = read(tmp_path)
    assert [guest["id"] for guest in reading.guests] == ["101"] and reading.problems == []


def test_a_node_is_refused_where_no_guest_has_one(tmp_path):
    put(tmp_path, {"a.xml": domain("101")})
    with pytest.raises(LayoutError, match="no node 'pve9': the guests in .* are libvirt's and name none"):
        find.read(str(tmp_path), "pve9")


def test_a_directory_that_cannot_be_listed_is_named(tmp_path, monkeypatch):
    put(tmp_path, {f"{QEMU}/a.xml": domain("a")})
    real = os.listdir

    def listdir(path):
        if str(path).endswith(QEMU):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "listdir", listdir)
    with pytest.raises(LayoutError, match=f"cannot read directory {tmp_path}/{QEMU}: Permission denied"):
        read(tmp_path)


HARDEN = [
    {"key": "vda", "option": "aio", "before": None, "after": "threads"},
    {"key": "vda", "option": "cache", "before": None, "after": "none"},
    {"key": "vda", "option": "iothread", "before": None, "after": True},
]
STRANGE = (
    "<!-- w\u00f6rds -->\r\n"
    + domain("web", disk("vda"), disk("sda")).replace("<name>", "<name  >", 1)
    + "\n<!-- the end -->"
)


def entry(root, name="web"):
    (guest,) = read(root, only=[name]).guests
    return {
        "hypervisor": "libvirt",
        "guest": name,
        "node": None,
        "config": guest["config"],
        "digest": guest["digest"],
        "changes": HARDEN,
    }


@pytest.mark.parametrize("name", ["x.xml", f"{QEMU}/web.xml"])
def test_only_what_was_asked_for_changes_and_a_rollback_gives_the_bytes_back(tmp_path, name):
    put(tmp_path, {name: STRANGE})
    (tmp_path / name).chmod(0o600)
    ((result, diff),) = apply_below(tmp_path, [entry(tmp_path)], journal=journal_of(tmp_path, "r1"))
    assert (result["status"], result["restart_pending"]) == ("changed", False), result
    after = (tmp_path / name).read_bytes()
    assert b"io='threads'" in after and b"cache='none'" in after and b"iothread='1'" in after
    assert after.startswith(STRANGE.encode()[:14]) and after.endswith(b"<!-- the end -->")
    assert "vda" in diff["after"] and (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert [one for one in os.listdir((tmp_path / name).parent) if one.startswith(".")] == []
    (again,) = apply(tmp_path, [entry(tmp_path)])
    assert again["status"] == "unchanged"
    back = rollback(read_journal(tmp_path, [])["r1"], read(tmp_path).guests, [])["plan"]
    ((result, _diff),) = apply_below(tmp_path, back, journal=journal_of(tmp_path, "r2", rolls_back="r1"))
    assert result["status"] == "changed" and (tmp_path / name).read_bytes() == STRANGE.encode()


def test_check_mode_writes_nothing(tmp_path):
    put(tmp_path, {"x.xml": STRANGE})
    (result,) = apply(tmp_path, [entry(tmp_path)], check=True)
    assert result["status"] == "changed" and (tmp_path / "x.xml").read_bytes() == STRANGE.encode()


def test_what_the_policy_wants_is_planned_and_then_there(tmp_path):
    put(tmp_path, {"a.xml": domain("a", disk("vda"), disk("vdb")), "b.xml": domain("b")})
    assert {one["status"] for one in apply(tmp_path)} == {"changed"}
    assert plan_of(tmp_path) == []


def test_guests_of_both_hypervisors_in_one_directory_are_written_in_one_run(tmp_path):
    put(
        tmp_path,
        {"100.conf": "virtio0: local:100/x.raw\n", "storage.cfg": "dir: local\n\tpath /x\n", "a.xml": domain("a")},
    )
    plan = plan_of(tmp_path)
    assert {one["hypervisor"] for one in plan} == {"libvirt", "pve"}
    assert [one["status"] for one in apply(tmp_path, plan, timeout=0)] == ["changed", "changed"]


def meanwhile(monkeypatch, do):
    """Have a colleague do something while the new content is being written, after every earlier look at the file."""
    real = _whole_file._temporary
    todo = [do]

    def slow(path):
        made = real(path)
        while todo:
            todo.pop()()
        return made

    monkeypatch.setattr(_whole_file, "_temporary", slow)


#: What a colleague does to x.xml between, and how the result says it.
BETWEEN = {
    "an edit": (lambda path: path.write_text(domain("web", disk("vdz"))), "digest_moved"),
    "a removal": (lambda path: path.unlink(), "moved"),
    "another guest": (lambda path: path.write_text(domain("other")), "moved"),
    "no XML any more": (lambda path: path.write_text("<domain"), "refused"),
}


@pytest.mark.parametrize(("do", "reason"), BETWEEN.values(), ids=BETWEEN)
def test_what_a_colleague_does_between_is_not_overwritten(tmp_path, monkeypatch, do, reason):
    put(tmp_path, {"x.xml": STRANGE, "y.xml": domain("y")})
    plan = [entry(tmp_path), entry(tmp_path, "y")]
    path = tmp_path / "x.xml"
    meanwhile(monkeypatch, lambda: do(path))
    first, second = apply(tmp_path, plan, max_parallel=1)
    assert (first["status"], first["reason"], second["status"]) == ("failed", reason, "changed")
    left = path.read_text() if path.exists() else None
    do_again = tmp_path / "again.xml"
    do_again.write_text("")
    do(do_again)
    assert left == (do_again.read_text() if do_again.exists() else None)


@pytest.mark.parametrize(("do", "reason"), BETWEEN.values(), ids=BETWEEN)
def test_what_a_colleague_did_before_is_not_overwritten(tmp_path, do, reason):
    put(tmp_path, {"x.xml": STRANGE, "y.xml": domain("y")})
    plan = [entry(tmp_path)]
    do(tmp_path / "x.xml")
    (result,) = apply(tmp_path, plan)
    assert (result["status"], result["reason"]) == ("failed", reason)


def test_another_run_is_waited_for(tmp_path):
    put(tmp_path, {"x.xml": STRANGE})
    plan = [entry(tmp_path)]
    other = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    (result,) = apply(tmp_path, plan, timeout=0)
    assert (result["status"], result["reason"]) == ("failed", "busy")
    os.close(other)
    assert [one["status"] for one in apply(tmp_path, plan)] == ["changed"]


@pytest.mark.parametrize("config", ["/outside/x.xml", "/../x.xml", "/etc/libvirt/qemu/../../../x.xml", "/other.xml"])
def test_a_plan_that_names_another_file_is_refused(tmp_path, config):
    put(tmp_path, {"x.xml": STRANGE, "other.xml": domain("other"), "outside/x.xml": STRANGE})
    (result,) = apply(tmp_path, [{**entry(tmp_path), "config": config}])
    assert result["status"] == "failed"
    assert (tmp_path / "outside/x.xml").read_bytes() == STRANGE.encode()


def test_a_guest_whose_command_line_is_written_by_hand_is_not_written(tmp_path):
    by_hand = (
        "<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>"
        "<qemu:arg value='-object'/><qemu:arg value='iothread,id=mine'/></qemu:commandline></domain>"
    )
    put(tmp_path, {"x.xml": domain("web").replace("</domain>", by_hand)})
    (result,) = apply(tmp_path, [entry(tmp_path)])
    assert result["reason"] == "by_hand" and b"iothread='1'" not in (tmp_path / "x.xml").read_bytes()


def test_the_files_of_the_host_s_own_libvirt_are_not_written_behind_its_back(tmp_path, monkeypatch):
    put(tmp_path, {f"{QEMU}/web.xml": STRANGE})
    (tmp_path / "link").symlink_to(tmp_path / QEMU)
    monkeypatch.setattr(domain_layout, "DOMAINS", str(tmp_path / QEMU))
    plan = [entry(tmp_path / "link")]
    for check in (True, False):
        (result,) = apply(tmp_path / "link", plan, check=check)
        assert (result["status"], result["reason"]) == ("failed", "refused"), result
    assert (tmp_path / f"{QEMU}/web.xml").read_bytes() == STRANGE.encode()
