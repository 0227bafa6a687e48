# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A directory of guest configs, read and assessed in one call."""

from __future__ import annotations

import datetime
import json
import os
import re

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.layout import LayoutError
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.join import join_documents
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.errors import PolicyError
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.policy import parse
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.gate import gate_lines
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.table import table_lines
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_html import html_report
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_junit import junit_report
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._sources.gated import assess_root

DAY = datetime.date(2026, 11, 23)
POLICY = parse({})
STORAGES = "nfs: nas\n\tserver 10.0.0.11\n\texport /x\n"
GOOD = "scsihw: virtio-scsi-single\nscsi0: nas:100/d.qcow2,aio=threads,iothread=1\n"
BAD = "scsi0: nas:100/d.qcow2\n"


@pytest.fixture
def flat(tmp_path):
    (tmp_path / "storage.cfg").write_text(STORAGES)
    (tmp_path / "100.conf").write_text(GOOD)
    return tmp_path


def configs(root, policy, date):
    """The one document of a directory without plans."""
    (document,) = assess_root(root, policy, date)
    return document


def rules(root):
    return [finding["rule"] for finding in configs(str(root), POLICY, DAY)["findings"]]


def test_a_directory_in_order_has_no_finding(flat):
    assert rules(flat) == []


def test_findings_point_at_the_file_as_it_was_named(flat, monkeypatch):
    (flat / "101.conf").write_text(BAD)
    monkeypatch.chdir(flat.parent)
    document = configs(flat.name, POLICY, DAY)
    assert {(finding["file"], finding["line"]) for finding in document["findings"] if finding["disk"]} == {
        (f"{flat.name}/101.conf", 1)
    }
    assert [entry["config"] for entry in document["guests"]] == [f"{flat.name}/100.conf", f"{flat.name}/101.conf"]


def test_a_cluster_tree(tmp_path):
    (tmp_path / "etc/pve/nodes/pve1/qemu-server").mkdir(parents=True)
    (tmp_path / "etc/pve/storage.cfg").write_text(STORAGES)
    (tmp_path / "etc/pve/nodes/pve1/qemu-server/100.conf").write_text(BAD)
    assert "IO102" in rules(tmp_path)


def test_the_nodes_of_a_cluster_tree_are_the_hosts_of_its_reports(tmp_path):
    for node, text in (("pve1", BAD), ("pve2", "lock: backup\n" + BAD), ("pve10", None)):
        (tmp_path / "etc/pve/nodes" / node / "qemu-server").mkdir(parents=True)
        if text:
            (tmp_path / f"etc/pve/nodes/{node}/qemu-server/{node[-1]}00.conf").write_text(text)
    (tmp_path / "etc/pve/storage.cfg").write_text(STORAGES)
    document = configs(str(tmp_path), POLICY, DAY)
    for key in ("findings", "guests", "plan", "unresolved"):
        assert document[key] and all(item["host"] and item["host"] == item["node"] for item in document[key]), key
    joined = join_documents([document])
    assert [entry["host"] for entry in joined["hosts"]] == ["pve1", "pve2", "pve10"]
    assert gate_lines(joined)[0] == "Guest I/O, 2026-11-23: 3 hosts, 2 guests, 2 disks"
    suites = re.findall(r'<testsuite [^>]*name="([^"]*)"', junit_report(joined))
    assert suites == ["pve1", "pve2", "pve10"]


def test_a_flat_directory_has_no_hosts(flat):
    (flat / "101.conf").write_text(BAD)
    joined = join_documents([configs(str(flat), POLICY, DAY)])
    assert joined["hosts"] == [] and {item["host"] for item in joined["guests"] + joined["findings"]} == {None}
    assert gate_lines(joined)[0] == "Guest I/O, 2026-11-23: 2 guests, 2 disks"
    for text in (junit_report(joined), html_report(joined), "\n".join(table_lines(joined))):
        assert "this host" not in text and "configs" in text


def test_a_storage_cfg_that_is_not_there_is_the_configs_trouble_and_no_policys(flat):
    (flat / "storage.cfg").unlink()
    joined = join_documents([configs(str(flat), POLICY, DAY)])
    assert 'classname="configs" name="configs IO100"' in junit_report(joined)
    assert any(line.startswith("  configs: error IO100") for line in table_lines(joined))


@pytest.mark.parametrize("root", ["", " ", "not/there"])
def test_no_directory_is_an_error(root):
    with pytest.raises(LayoutError, match="no directory"):
        configs(root, POLICY, DAY)


def test_a_directory_without_a_guest_is_an_error_that_says_what_it_takes(tmp_path):
    (tmp_path / "storage.cfg").write_text(STORAGES)
    with pytest.raises(LayoutError, match=r"no guest config in .*VMID\.conf"):
        configs(str(tmp_path), POLICY, DAY)


@pytest.mark.parametrize("layout", ["flat", "tree"])
def test_a_directory_that_cannot_be_read_is_an_error(tmp_path, monkeypatch, layout):
    closed = tmp_path if layout == "flat" else tmp_path / "etc/pve/nodes"
    closed.mkdir(parents=True, exist_ok=True)
    listdir = os.listdir

    def refuse(path):
        if os.path.realpath(path) == os.path.realpath(closed):
            raise PermissionError(13, "Permission denied", str(path))
        return listdir(path)

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(LayoutError, match="cannot read directory .*Permission denied"):
        configs(str(tmp_path), POLICY, DAY)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("101.conf", b""),
        ("101.conf", b"\0\1"),
        ("101.json", b"{"),
        ("101.json", b"[]"),
        ("101.json", b'{"scsi0": ["x"]}'),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_finding(flat, name, raw):
    (flat / name).write_bytes(raw)
    assert rules(flat) == ["IO100"]


def test_a_link_that_leads_nowhere_is_an_error_finding(flat):
    (flat / "101.conf").symlink_to("gone")
    assert rules(flat) == ["IO100"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        *(
            (name, "a guest config is named VMID.conf or VMID.json")
            for name in ("vm-101.conf", "0101.conf", "web.json", "105.CONF")
        ),
        *((name, "with a VMID from 100 to 999999999") for name in ("99.conf", "1000000000.conf", "104")),
        ("pve1/106.conf", "not in folders below it"),
        ("etc/pve/nodes/pve1/qemu-server/99.conf", "a guest config is named VMID.conf, with a VMID"),
        ("etc/pve/nodes/pve1/qemu-server/101.json", "a guest config is named VMID.conf, with a VMID"),
        ("etc/pve/nodes/pve1/101.conf", "lie in etc/pve/nodes/NODE/qemu-server"),
        ("etc/pve/nodes/pve_1/qemu-server/101.conf", "is not that of a node"),
        ("etc/pve/qemu-server/101.conf", "lie in etc/pve/nodes/NODE/qemu-server"),
        ("etc/pve/101.conf", "lie in etc/pve/nodes/NODE/qemu-server"),
    ],
)
def test_a_config_by_another_name_or_place_is_not_passed_over_in_silence(flat, name, words):
    (flat / name).parent.mkdir(parents=True, exist_ok=True)
    (flat / name).write_text(BAD)
    if name.startswith("etc"):
        (flat / "storage.cfg").rename(flat / "etc/pve/storage.cfg")
        (flat / "etc/pve/nodes/pve1/qemu-server").mkdir(parents=True, exist_ok=True)
        (flat / "100.conf").rename(flat / "etc/pve/nodes/pve1/qemu-server/100.conf")
    document = configs(str(flat), POLICY, DAY)
    assert [(finding["rule"], finding["severity"]) for finding in document["findings"]] == [("IO100", "error")]
    assert document["findings"][0]["file"] == str(flat / name) and words in document["findings"][0]["message"]


@pytest.mark.parametrize("beside", ["etc/pve/nodes/pve1/qemu-server", "etc/pve/qemu-server"])
def test_a_config_beside_a_tree_is_not_passed_over_in_silence(flat, beside):
    (flat / beside).mkdir(parents=True)
    (flat / "storage.cfg").rename(flat / "etc/pve/storage.cfg")
    (flat / "100.conf").rename(flat / beside / "100.conf")
    (flat / "102.conf").write_text(BAD)
    document = configs(str(flat), POLICY, DAY)
    assert [(finding["rule"], finding["severity"], finding["file"]) for finding in document["findings"]] == [
        ("IO100", "error", str(flat / "102.conf"))
    ]


@pytest.mark.parametrize("beside", ["nodes/n1/qemu-server", "qemu-server"])
def test_a_copy_of_etc_pve_beside_a_tree_is_not_passed_over_in_silence(flat, beside):
    (flat / "etc/pve/nodes/pve1/qemu-server").mkdir(parents=True)
    (flat / "storage.cfg").rename(flat / "etc/pve/storage.cfg")
    (flat / "100.conf").rename(flat / "etc/pve/nodes/pve1/qemu-server/100.conf")
    (flat / beside).mkdir(parents=True)
    (flat / beside / "102.conf").write_text(BAD)
    document = configs(str(flat), POLICY, DAY)
    assert [(finding["rule"], finding["severity"], finding["file"]) for finding in document["findings"]] == [
        ("IO100", "error", str(flat / beside / "102.conf"))
    ]


def test_guests_behind_a_linked_folder_are_not_passed_over_in_silence(flat, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "102.conf").write_text(BAD)
    (flat / "more").symlink_to(other)
    (flat / "round").symlink_to(".")
    document = configs(str(flat), POLICY, DAY)
    assert [(finding["rule"], finding["file"]) for finding in document["findings"]] == [
        ("IO100", str(flat / "more/102.conf"))
    ]


def test_the_links_that_proxmox_ve_makes_are_no_second_guests(tmp_path):
    (tmp_path / "etc/pve/nodes/pve1/qemu-server").mkdir(parents=True)
    (tmp_path / "etc/pve/local").symlink_to("nodes/pve1")
    (tmp_path / "etc/pve/qemu-server").symlink_to("local/qemu-server")
    (tmp_path / "etc/pve/storage.cfg").write_text(STORAGES)
    (tmp_path / "etc/pve/nodes/pve1/qemu-server/100.conf").write_text(GOOD)
    assert rules(tmp_path) == []


def test_a_gates_own_report_is_no_guest(flat):
    (flat / "guest-io.json").write_text("{}")
    assert rules(flat) == []


def test_what_is_no_guest_by_its_name_fails_nothing_and_is_named(flat):
    for name in ("README.md", "101.conf.bak", "corosync.conf", ".gitignore", "notes/README.md"):
        (flat / name).parent.mkdir(exist_ok=True)
        (flat / name).write_text("text")
    document = configs(str(flat), POLICY, DAY)
    assert document["findings"] == []
    assert document["not_read"] == [str(flat / name) for name in ("101.conf.bak", "README.md")] + [f"{flat}/notes/"]


def test_containers_of_a_tree_are_no_guests(tmp_path):
    for name in ("qemu-server", "lxc"):
        (tmp_path / "etc/pve/nodes/pve1" / name).mkdir(parents=True)
    (tmp_path / "etc/pve/storage.cfg").write_text(STORAGES)
    (tmp_path / "etc/pve/nodes/pve1/qemu-server/100.conf").write_text(GOOD)
    (tmp_path / "etc/pve/nodes/pve1/lxc/101.conf").write_text("arch: amd64\n")
    assert rules(tmp_path) == []


DIGITS = "1" * 5000


@pytest.mark.parametrize(
    "line",
    [
        f"scsi1: nas:101/d.qcow2,queues={DIGITS}",
        f"scsi1: nas:101/d.qcow2,size={DIGITS}",
        f"scsi1: nas:101/d.qcow2,iops={DIGITS},mbps={DIGITS}",
        f"scsi1: nas:{DIGITS}/d.qcow2",
        f"cores: {DIGITS}",
        f"cores{DIGITS}: 1",
        f"scsi{DIGITS}: nas:101/d.qcow2",
        f"scsi{'0' * 5000}: nas:101/d.qcow2",
        f"net{DIGITS}: virtio",
        f"machine: pc-q35-{DIGITS}.{DIGITS}",
        f"meta: creation-qemu={DIGITS}.{DIGITS}",
        f"ostype: win{DIGITS}",
        f"tags: {DIGITS}",
        f"args: -set device.scsi{DIGITS}.x=1 -m {DIGITS}",
        f"# {DIGITS}",
    ],
)
def test_a_number_of_any_length_is_one_guests_trouble(flat, line):
    (flat / "101.conf").write_text(f"{line}\nscsihw: virtio-scsi-single\nscsi0: nas:101/d.qcow2\n")
    joined = join_documents([configs(str(flat), POLICY, DAY)])
    assert [entry["guest"] for entry in joined["guests"]] == ["100", "101"]
    for text in (junit_report(joined), html_report(joined), "\n".join(table_lines(joined))):
        assert "101" in text


def test_a_number_of_any_length_in_storage_cfg_is_no_trouble(flat):
    with (flat / "storage.cfg").open("a") as stream:
        stream.write(f"\nrbd: ceph\n\tkrbd {DIGITS}\n\tmonhost {DIGITS}\n\n{DIGITS}: x{DIGITS}\n")
    assert rules(flat) == ["IO100"]


CONTAINERS = {
    "root file system": "arch: amd64\nhostname: ct1\nrootfs: local:105/vm-105-disk-0.raw,size=8G\nostype: debian\n",
    "a distribution": "arch: amd64\nostype: alpine\nmemory: 512\n",
    "raw lxc lines": "rootfs: local:105/x.raw\nlxc.cgroup2.devices.allow: c 10:200 rwm\n",
}


@pytest.mark.parametrize("text", CONTAINERS.values(), ids=CONTAINERS)
@pytest.mark.parametrize(("form", "tree"), [("conf", False), ("json", False), ("conf", True)])
def test_a_container_beside_guests_is_named_as_one(flat, text, form, tree):
    if form == "json":
        text = json.dumps(dict(line.split(": ", 1) for line in text.splitlines() if not line.startswith("lxc")))
    home = flat / "etc/pve/nodes/pve1/qemu-server" if tree else flat
    if tree:
        home.mkdir(parents=True)
        (flat / "100.conf").rename(home / "100.conf")
        (flat / "storage.cfg").rename(flat / "etc/pve/storage.cfg")
    (home / f"105.{form}").write_text(text)
    document = configs(str(flat), POLICY, DAY)
    assert document["findings"] == [] and [entry["guest"] for entry in document["guests"]] == ["100"]
    assert document["not_read"] == [f"{home}/105.{form} (container)"]
    (home / f"105.{form}").unlink()


def test_a_guest_of_any_kind_is_not_a_container(flat):
    (flat / "101.conf").write_text("arch: x86_64\nostype: l26\n")
    (flat / "102.conf").write_text("ostype: debian\n" + BAD)
    assert [entry["guest"] for entry in configs(str(flat), POLICY, DAY)["guests"]] == ["100", "101", "102"]


def test_a_directory_of_containers_alone_says_so(flat):
    (flat / "100.conf").write_text("rootfs: nas:100/d.raw\n")
    with pytest.raises(LayoutError, match="only those of 1 container, which QEMU does not run"):
        configs(str(flat), POLICY, DAY)


@pytest.fixture
def etc_pve(tmp_path):
    """A copy of /etc/pve, with the links and folders that a node has there."""
    top = tmp_path / "copy"
    for node, guest in (("pve1", "100"), ("pve2", "200")):
        for folder in ("qemu-server", "lxc", "priv"):
            (top / "nodes" / node / folder).mkdir(parents=True)
        (top / "nodes" / node / "qemu-server" / f"{guest}.conf").write_text(GOOD)
        (top / "nodes" / node / "lxc" / f"{guest[0]}05.conf").write_text(CONTAINERS["root file system"])
    (top / "local").symlink_to("nodes/pve1")
    (top / "qemu-server").symlink_to("local/qemu-server")
    (top / "lxc").symlink_to("local/lxc")
    (top / "storage.cfg").write_text(STORAGES)
    for name in ("corosync.conf", "user.cfg", "vzdump.cron"):
        (top / name).write_text("# text\n")
    (top / "firewall").mkdir()
    (top / "firewall/100.fw").write_text("[OPTIONS]\n")
    return top


def test_a_copy_of_etc_pve_is_read(etc_pve):
    document = configs(str(etc_pve), POLICY, DAY)
    assert document["findings"] == [] and [(entry["guest"], entry["host"]) for entry in document["guests"]] == [
        ("100", "pve1"),
        ("200", "pve2"),
    ]
    assert document["guests"][0]["config"] == f"{etc_pve}/nodes/pve1/qemu-server/100.conf"
    (etc_pve / "nodes/pve1/101.conf").write_text(BAD)
    (finding,) = configs(str(etc_pve), POLICY, DAY)["findings"]
    assert "guest configs lie in nodes/NODE/qemu-server" in finding["message"]


def test_the_folder_of_a_node_is_read_where_the_storages_are_there(etc_pve):
    node = etc_pve / "nodes/pve1"
    (node / "storage.cfg").write_text(STORAGES)
    document = configs(str(node), POLICY, DAY)
    assert document["findings"] == [] and [entry["config"] for entry in document["guests"]] == [
        f"{node}/qemu-server/100.conf"
    ]
    (node / "102.conf").write_text(BAD)
    (finding,) = configs(str(node), POLICY, DAY)["findings"]
    assert finding["file"] == f"{node}/102.conf" and "guest configs lie in qemu-server" in finding["message"]


@pytest.mark.parametrize("part", ["nodes/pve1", "nodes/pve1/qemu-server"])
def test_a_part_of_a_tree_names_the_directory_that_has_the_storages(etc_pve, part):
    found = configs(str(etc_pve / part), POLICY, DAY)["findings"]
    assert any(
        f"This is a part of {etc_pve}, which has one: name that directory" in finding["message"] for finding in found
    )


@pytest.mark.parametrize("inside", ["", "etc/pve/nodes/{}/qemu-server", "qemu-server"])
def test_folders_of_several_hosts_are_named(tmp_path, inside):
    for host in ("alpha", "beta"):
        home = tmp_path / host / inside.format(host)
        home.mkdir(parents=True)
        (home / "100.conf").write_text(GOOD)
    (tmp_path / "notes").mkdir()
    with pytest.raises(
        LayoutError,
        match=re.escape(
            f"but in folders of it: {tmp_path}/alpha, {tmp_path}/beta; name one of them, and run once for each"
        ),
    ):
        configs(str(tmp_path), POLICY, DAY)


def test_one_guest_in_two_files_is_an_error_finding(flat):
    (flat / "100.json").write_text('{"name": "twice"}')
    assert rules(flat) == ["IO100"]
    assert [entry["config"] for entry in configs(str(flat), POLICY, DAY)["guests"]] == [str(flat / "100.conf")]


def test_without_a_storage_cfg_nothing_passes(flat):
    (flat / "storage.cfg").unlink()
    found = configs(str(flat), POLICY, DAY)["findings"]
    assert {finding["rule"] for finding in found} == {"IO100"}
    assert str(flat / "storage.cfg") in [finding["file"] for finding in found]


@pytest.mark.parametrize(
    ("policy", "waivers", "place"),
    [
        ({"disk": {"aio": "thread"}}, None, "policy.disk.aio: is 'thread'"),
        ({}, {"waivers": []}, "waivers: is {'waivers': []}, it takes a list"),
        (
            {},
            [{"id": "W-1", "match": "key", "rules": ["IO101"], "until": "2026-13-01", "reason": "y"}],
            "waivers[0].until: is '2026-13-01'",
        ),
        (
            {"waivers": [{"id": "W-1", "match": "key", "rules": ["IO101"], "until": "soon", "reason": "y"}]},
            None,
            "policy.waivers[0].until: is 'soon'",
        ),
    ],
)
def test_an_error_in_policy_or_waivers_names_its_place(flat, policy, waivers, place):
    with pytest.raises(PolicyError) as caught:
        configs(str(flat), parse(policy, waivers), DAY)
    assert str(caught.value).startswith(place)


@pytest.mark.parametrize(
    ("until", "rules", "found"),
    [
        ("2026-11-23", ["IO101"], []),
        (datetime.date(2026, 11, 23), ["IO101"], []),
        ("2026-11-22", ["IO101"], ["IO101", "IO121"]),
        ("2026-11-23", ["IO104"], ["IO101", "IO122"]),
    ],
    ids=["in force on its last day", "a date as YAML reads it", "expired", "matches nothing"],
)
def test_a_waiver_beside_the_policy(flat, until, rules, found):
    (flat / "100.conf").write_text(GOOD.replace("single", "pci"))
    waiver = {"id": "W-1", "match": "guest.id == '100'", "rules": rules, "until": until, "reason": "y"}
    document = configs(str(flat), parse({"disk": {"iothread": "keep"}}, [waiver]), DAY)
    assert [finding["rule"] for finding in document["findings"] if not finding["waived"]] == found
    assert [finding["waived"]["id"] for finding in document["findings"] if finding["waived"]] == (
        ["W-1"] if not found else []
    )


def test_one_id_in_policy_and_waivers_is_an_error(flat):
    waiver = {"id": "W-1", "match": "guest.id == '1'", "rules": ["IO101"], "until": "2027-01-01", "reason": "y"}
    with pytest.raises(PolicyError, match="duplicate id 'W-1'"):
        configs(str(flat), parse({"waivers": [waiver]}, [waiver]), DAY)
