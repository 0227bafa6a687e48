# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Domain XML in a gated directory: which files are read, which are told, and which fail the gate."""

from __future__ import annotations

import datetime
import os

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import unread
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.layout import LayoutError
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.policy import parse
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._sources.gated import assess_root
from ansible_collections.hypervisor.io_hardening.tests.unit.domains import disk, domain
from ansible_collections.hypervisor.io_hardening.tests.unit.plans import change, plan
from ansible_collections.hypervisor.io_hardening.tests.unit.plans import domain as resource

DAY = datetime.date(2026, 11, 28)
QEMU = "etc/libvirt/qemu"
WEB = domain("web", disk(driver="cache='none' io='threads' iothread='1'"), iothreads=1)
FLAT = "was not read: the XML of domains lies in the directory itself, not in folders below it"
TREE = "was not read: the XML of domains lies in etc/libvirt/qemu"

#: Files below a directory → the guests, what is told as not read, and what fails the gate.
SEEN = {
    "other XML, and what is no XML": (
        {
            "web.xml": WEB,
            "n.xml": "<network/>",
            "p.xml": "<?xml version='1.0'?>\n<pool type='dir'/>",
            "s.xml": "<domainsnapshot/>",
            "x.xml": "<project/>",
            "l.xml": domain("l", type="lxc"),
            "README.md": "#",
        },
        ["web"],
        [
            "README.md",
            "l.xml (guest of lxc)",
            "n.xml (network)",
            "p.xml (storage pool)",
            "s.xml (snapshot of a guest)",
            "x.xml (other XML)",
        ],
        {},
    ),
    "a copy of /etc/libvirt/qemu, with links or without": (
        {
            "web.xml": WEB,
            "db.xml": WEB.replace("web", "db"),
            "autostart/web.xml": "->../web.xml",
            "autostart/db.xml": WEB.replace("web", "db"),
            "networks/default.xml": "<network/>",
            "networks/autostart/default.xml": "->../default.xml",
        },
        ["db", "web"],
        [],
        {},
    ),
    "a domain in a folder below": (
        {"web.xml": WEB, "old/db.xml": WEB, "old/n.xml": "<network/>", "notes/a.txt": "x"},
        ["web"],
        ["notes/", "old/"],
        {"old/db.xml": FLAT},
    ),
    "what starts only another one's domain": (
        {"web.xml": WEB, "autostart/gone.xml": WEB},
        ["web"],
        [],
        {"autostart/gone.xml": FLAT},
    ),
    "a link to a folder of domains": (
        {"web.xml": WEB, "../elsewhere/db.xml": WEB, "more": "->../elsewhere"},
        ["web"],
        ["more/"],
        {"more/db.xml": FLAT},
    ),
    "the tree of a host": (
        {
            f"{QEMU}/web.xml": WEB,
            f"{QEMU}/autostart/web.xml": "->../web.xml",
            f"{QEMU}/networks/default.xml": "<network/>",
            f"{QEMU}/n.xml": "<network/>",
            "usr/share/doc/example.xml": WEB,
        },
        ["web"],
        [f"{QEMU}/n.xml (network)"],
        {},
    ),
    "a domain that libvirt would refuse": (
        {"web.xml": WEB, "db.xml": domain("db", disk(driver="cache='none' io='threads' iothread='5'"), iothreads=1)},
        ["web"],
        [],
        {"db.xml": "disk vda has iothread 5, and the guest has no iothread of that number"},
    ),
    "a domain beside a tree": ({f"{QEMU}/web.xml": WEB, "db.xml": WEB}, ["web"], [], {"db.xml": TREE}),
    "a node of Proxmox VE with libvirt": (
        {
            "etc/pve/nodes/pve1/qemu-server/100.conf": "name: a\n",
            "etc/pve/storage.cfg": "",
            f"{QEMU}/web.xml": WEB,
            f"{QEMU}/README": "x",
        },
        ["web", "100"],
        [f"{QEMU}/README"],
        {},
    ),
}


@pytest.mark.parametrize(("files", "guests", "told", "failing"), SEEN.values(), ids=SEEN)
def test_what_is_seen_in_a_directory(tmp_path, files, guests, told, failing):
    root = tmp_path / "root"
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        if content.startswith("->"):
            (root / name).symlink_to(content[2:])
        else:
            (root / name).write_text(content)
    (document,) = assess_root(str(root), parse({}), DAY)
    assert [entry["guest"] for entry in document["guests"]] == guests
    assert document["not_read"] == [f"{root}/{path}" for path in told]
    problems = {one["file"]: one["message"] for one in document["findings"] if one["rule"] == "IO100"}
    assert problems == {f"{root}/{path}": reason for path, reason in failing.items()}


def test_an_autostart_link_that_leads_nowhere_is_no_guest(tmp_path):
    (tmp_path / "autostart").mkdir()
    (tmp_path / "web.xml").write_text(WEB)
    (tmp_path / "autostart/gone.xml").symlink_to("../gone.xml")
    (document,) = assess_root(str(tmp_path), parse({}), DAY)
    assert document["findings"] == []


def test_a_whole_host_is_not_searched_for_plans(tmp_path, monkeypatch):
    for folder in (QEMU, "usr/bin", "srv"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / f"{QEMU}/web.xml").write_text(WEB)
    (tmp_path / "srv/plan.json").write_text(plan(change("libvirt_domain", resource())))
    looked_at = []
    real = unread._listed

    def listed(root, here, *more):
        looked_at.append(here)
        return real(root, here, *more)

    monkeypatch.setattr(unread, "_listed", listed)
    assert [len(document["guests"]) for document in assess_root(str(tmp_path), parse({}), DAY)] == [1]
    assert looked_at == ["/", f"/{QEMU}", f"/{QEMU}/autostart"][: len(looked_at)]


def test_a_directory_with_one_broken_domain_is_not_an_empty_one(tmp_path):
    (tmp_path / "web.xml").write_text(WEB[:40])
    (document,) = assess_root(str(tmp_path), parse({}), DAY)
    assert [(one["rule"], one["guest"], one["line"]) for one in document["findings"]] == [("IO100", "web", 3)]


def test_a_directory_of_other_xml_says_what_is_missing(tmp_path):
    (tmp_path / "n.xml").write_text("<network/>")
    with pytest.raises(LayoutError, match="no guest config in .*etc/libvirt/qemu/NAME.xml"):
        assess_root(str(tmp_path), parse({}), DAY)


def test_folders_of_hosts_are_named(tmp_path):
    for host in ("kvm1", "kvm2"):
        (tmp_path / host / QEMU).mkdir(parents=True)
        (tmp_path / host / QEMU / "web.xml").write_text(WEB)
    with pytest.raises(LayoutError, match=f"in folders of it: {tmp_path}/kvm1, {tmp_path}/kvm2; name one of them"):
        assess_root(str(tmp_path), parse({}), DAY)


def test_a_folder_that_cannot_be_read_ends_the_gate(tmp_path, monkeypatch):
    (tmp_path / "web.xml").write_text(WEB)
    (tmp_path / "locked").mkdir()
    real = os.scandir

    def scandir(path):
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(LayoutError, match="cannot read directory .*/locked: Permission denied"):
        assess_root(str(tmp_path), parse({}), DAY)
