# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""guest_io_info, guest_io and guest_restart, each through its main(), on a host with libvirt: the stand-in for virsh."""

from __future__ import annotations

import os

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import (
    find,
    layout,
    libvirt_python,
)
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.backend import Refused
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.libvirt_restart import LibvirtRestarter
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.virsh import Virsh
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.run import command
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._journal.rollback import rollback
from ansible_collections.hypervisor.io_hardening.plugins.modules import (
    guest_io,
    guest_io_info,
    guest_io_journal_info,
    guest_restart,
)
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.restart import restart_order
from ansible_collections.hypervisor.io_hardening.tests.unit.in_process import run_module
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._qemu_process.fake_proc import (
    LIBVIRT,
    FakeProc,
)
from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.virsh_host import VirshHost

DEFINITION = """\
<domain type='kvm'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <metadata>
    <x:note xmlns:x="https://example.org/x">kept {{{{ 7*7 }}}}</x:note>
  </metadata>
  <memory unit='KiB'>1048576</memory>
  <vcpu placement='static'>2</vcpu>
  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
  </os>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2'/>
      <source file='/images/{uuid}.qcow2'/>
      <target dev='vda' bus='virtio'/>
      <address type='pci' domain='0x0000' bus='0x04' slot='0x00' function='0x0'/>
    </disk>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw' cache='none'/>
      <source file='/images/{uuid}-b.raw'/>
      <target dev='sda' bus='scsi'/>
      <address type='drive' controller='0' bus='0' target='0' unit='0'/>
    </disk>
    <controller type='scsi' index='0' model='virtio-scsi'>
      <address type='pci' domain='0x0000' bus='0x02' slot='0x00' function='0x0'/>
    </controller>
    <graphics type='vnc' port='-1' autoport='yes' passwd='secret'>
      <listen type='address'/>
    </graphics>
  </devices>
</domain>
"""
WEB, DB = "11111111-2222-4333-8444-555555555501", "11111111-2222-4333-8444-555555555502"
ODD = "11111111-2222-4333-8444-555555555503"
CHANGES = [
    {"key": "vda", "option": "iothread", "before": None, "after": True},
    {"key": "vda", "option": "aio", "before": None, "after": "threads"},
    {"key": "vda", "option": "cache", "before": None, "after": "none"},
    {"key": "sda", "option": "iothread", "before": None, "after": True},
]


def define(host, name, uuid, text=DEFINITION):
    host.definition(name).write_text(text.format(name=name, uuid=uuid))


@pytest.fixture
def libvirt(tmp_path, monkeypatch):
    """Guests web, which runs, and db, which does not."""
    monkeypatch.setattr(find, "is_this_host", lambda root: True)
    monkeypatch.setattr(layout, "own_node", lambda root: "kvm1")
    # This Python may have python3-libvirt, and this machine a libvirt.
    monkeypatch.setattr(libvirt_python, "library", lambda: None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    host = VirshHost(tmp_path)
    host.proc = FakeProc(tmp_path)
    host.on_path(monkeypatch)
    define(host, "web", WEB)
    define(host, "db", DB)
    assert host.run(f"start --domain {WEB}").returncode == 0
    host.log.unlink()
    return host


def read(host, **options):
    return run_module(guest_io_info, root=str(host.root), **options)


def plan(host, guests=None):
    kept = ("hypervisor", "name", "node", "config", "digest", "running")
    records = read(host, guests=guests)["guests"]
    return [{"guest": guest["id"], **{key: guest[key] for key in kept}, "changes": CHANGES} for guest in records]


def apply(host, plan, **options):
    return run_module(guest_io, root=str(host.root), plan=plan, **{"run": "r1", **options})


def statuses(returned):
    return {one["guest"]: (one["status"], one["reason"]) for one in returned["results"]}


def test_reading_takes_few_processes_and_writes_nothing(libvirt):
    for number in range(100):
        define(libvirt, f"more{number}", f"11111111-2222-4333-8444-6666666666{number:02}")
    returned = read(libvirt)
    assert len(returned["guests"]) == 102 and returned["problems"] == []
    assert [node["name"] for node in returned["nodes"]] == ["kvm1"]
    web = next(guest for guest in returned["guests"] if guest["id"] == "web")
    assert (web["hypervisor"], web["node"], web["running"]) == ("libvirt", "kvm1", True)
    assert web["config"] == "/etc/libvirt/qemu/web.xml" and web["held"] is None
    assert [(disk["key"], disk["effective"]["cache"], disk["next"]) for disk in web["disks"]] == [
        ("vda", "writeback", None),
        ("sda", "none", None),
    ]
    # One to connect, one to list, one to read.
    assert len(libvirt.calls()) == 3


def test_some_guests_are_read_alone_and_those_that_are_missing_are_named(libvirt):
    returned = read(libvirt, guests=["db", "gone"])
    assert [guest["id"] for guest in returned["guests"]] == ["db"]
    assert [(problem["guest"], problem["reason"]) for problem in returned["problems"]] == [("gone", "is not there")]
    assert WEB not in libvirt.calls()[-1][-1]


def test_a_plan_is_carried_out_once_and_rolled_back_to_the_byte(libvirt):
    before = {name: libvirt.definition(name).read_bytes() for name in ("web", "db")}
    checked = apply(libvirt, plan(libvirt), check=True, diff=True)
    assert {name: libvirt.definition(name).read_bytes() for name in before} == before
    done = apply(libvirt, plan(libvirt), diff=True)
    assert checked["diff"] == done["diff"] and checked["changed"] is done["changed"] is True
    assert statuses(done) == {"web": ("changed", None), "db": ("changed", None)}
    assert {one["guest"]: one["restart_pending"] for one in done["results"]} == {"web": True, "db": False}
    text = libvirt.definition("db").read_text()
    assert "<driver name='qemu' type='qcow2' cache='none' io='threads' iothread='1'/>" in text
    assert "<iothreads>2</iothreads>" in text and "<driver iothread='2'/>" in text and "passwd='secret'" in text
    again = apply(libvirt, plan(libvirt))
    assert again["changed"] is False and {status for status, _reason in statuses(again).values()} == {"unchanged"}

    journal = run_module(guest_io_journal_info, root=str(libvirt.root), run="r1")
    assert journal["runs"][0]["stands"] == ["db", "web"]
    back = rollback(journal["entries"], read(libvirt)["guests"], ["kvm1"])["plan"]
    assert statuses(apply(libvirt, back, run="r2", rolls_back="r1")) == {
        "web": ("changed", None),
        "db": ("changed", None),
    }
    assert {name: libvirt.definition(name).read_bytes() for name in before} == before
    assert [run["stands"] for run in run_module(guest_io_journal_info, root=str(libvirt.root))["runs"]] == [
        [],
        ["db", "web"],
    ]


def test_a_running_guest_that_was_changed_has_it_pending(libvirt):
    apply(libvirt, plan(libvirt, ["web"]))
    (web,) = read(libvirt, guests=["web"])["guests"]
    vda, sda = web["disks"]
    assert vda["effective"]["cache"] == "writeback" and vda["next"]["cache"] == "none" and vda["next"]["iothread"]
    assert sda["next"]["iothread"] and web["pending"] == ["sda", "vda"]


def test_what_changed_after_it_was_read_is_not_written(libvirt):
    planned = plan(libvirt, ["db"])
    text = libvirt.definition("db").read_text().replace("1048576", "2097152")
    libvirt.definition("db").write_text(text)
    assert statuses(apply(libvirt, planned)) == {"db": ("failed", "digest_moved")}
    assert libvirt.definition("db").read_text() == text


def test_the_definition_is_compared_once_more_just_before_it_is_written(libvirt):
    backend = Virsh(str(libvirt.root), run=command)
    now = backend.load("db", "kvm1", "/etc/libvirt/qemu/db.xml")
    edited = backend.edit(now, {"vda": {"cache": "none"}})
    text = libvirt.definition("db").read_text().replace("1048576", "2097152")
    libvirt.definition("db").write_text(text)
    with pytest.raises(Refused, match="changed while it was being written; nothing was written") as refused:
        backend.write(now, edited)
    assert refused.value.reason == "digest_moved" and libvirt.definition("db").read_text() == text
    libvirt.definition("db").unlink()
    with pytest.raises(Refused, match="does not give its definition any more") as refused:
        backend.write(now, edited)
    assert refused.value.reason == "moved"


def test_what_libvirt_stores_otherwise_is_not_proven(libvirt):
    libvirt.declare("define-drops", " iothread='1'")
    returned = apply(libvirt, plan(libvirt, ["db"]))
    assert statuses(returned) == {"db": ("failed", "not_proven")} and "iothread" in returned["results"][0]["detail"]


def test_what_libvirt_refuses_is_said_in_its_words(libvirt):
    planned = plan(libvirt, ["db"])
    colleague = libvirt.declare("before-define")
    renamed = libvirt.definition("db").with_name("db.new")
    colleague.write_text(
        f"#!/bin/sh\nsed s/{DB}/{ODD}/ {libvirt.definition('db')} > {renamed}\nmv {renamed} {libvirt.definition('db')}\n"
    )
    colleague.chmod(0o755)
    returned = apply(libvirt, planned)
    assert statuses(returned) == {"db": ("failed", "refused")}
    assert f"domain 'db' already exists with uuid {ODD}" in returned["results"][0]["detail"]


def test_a_guest_that_vanishes_is_a_problem_and_the_others_are_read(libvirt):
    libvirt.declare("vanish", DB)
    returned = read(libvirt)
    assert [guest["id"] for guest in returned["guests"]] == ["web"]
    ((guest, reason),) = [(problem["guest"], problem["reason"]) for problem in returned["problems"]]
    assert guest == "db" and reason.startswith("libvirt does not give its definition: failed to get domain")


def test_names_are_never_words_of_a_command(libvirt):
    name = "a'{{ 7*7 }}' \"$(touch x)\" & ; destroy --domain web <b>"
    define(
        libvirt,
        name,
        ODD,
        DEFINITION.replace("{name}", "a'{{{{ 7*7 }}}}' \"$(touch x)\" &amp; ; destroy --domain web &lt;b&gt;"),
    )
    returned = read(libvirt)
    assert name in [guest["id"] for guest in returned["guests"]] and returned["problems"] == []
    assert statuses(apply(libvirt, plan(libvirt, [name]))) == {name: ("changed", None)}
    assert all(name not in " ".join(call) for call in libvirt.calls())
    assert libvirt.run(f"domid --domain {WEB}").stdout == "1\n"


def with_process(host, name, pid_file, more=()):
    """A QEMU of that name with more arguments, and the pid file that names it."""
    named = [f"guest={name},debug-threads=on" if word.startswith("guest=") else word for word in LIBVIRT]
    host.proc.process(4711, [*named, *more])
    path = host.root / pid_file.lstrip("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("4711")


def test_a_guest_whose_name_libvirt_escapes_in_its_pid_file_is_one_guest(libvirt):
    name = "fresh-'\"<x>&amp;"
    text = DEFINITION.replace("{name}", "fresh-'\"&lt;x&gt;&amp;amp;")
    define(libvirt, name, ODD, text)
    assert libvirt.run(f"start --domain {ODD}").returncode == 0
    with_process(libvirt, name, "/run/libvirt/qemu/fresh-&apos;&quot;&lt;x&gt;&amp;amp;.pid")
    returned = read(libvirt)
    assert sorted(guest["id"] for guest in returned["guests"]) == ["db", name, "web"]
    (fresh,) = (guest for guest in returned["guests"] if guest["id"] == name)
    assert fresh["config"] == f"/etc/libvirt/qemu/{name}.xml" and fresh["qemu"]["running"] == "7.2.22"


def test_two_guests_of_one_id_are_both_left_alone(libvirt, monkeypatch):
    uris = ["qemu:///system", "qemu+unix:///system?socket=/run/other"]
    returned = read(libvirt, libvirt_uris=uris)
    assert returned["guests"] == [] and {problem["guest"] for problem in returned["problems"]} == {"web", "db"}
    assert all(uri in returned["problems"][0]["reason"] for uri in uris)


def test_a_guest_with_the_id_of_one_of_proxmox_ve_is_not_read_on_its_node(libvirt):
    define(libvirt, "101", ODD)
    assert "101" in [guest["id"] for guest in read(libvirt)["guests"]]
    (libvirt.root / "etc/pve").mkdir()
    returned = read(libvirt)
    assert "101" not in [guest["id"] for guest in returned["guests"]] and len(returned["guests"]) == 2
    assert [(problem["guest"], problem["reason"]) for problem in returned["problems"]] == [
        ("101", "its name is that of a guest of Proxmox VE; rename it")
    ]


def test_libvirt_that_does_not_run_is_a_failure_that_says_what_to_do(libvirt):
    libvirt.declare("not-running")
    returned = read(libvirt)
    assert returned["failed"] and "libvirt gives no connection to qemu:///system: failed to connect" in returned["msg"]
    assert "systemctl status libvirtd" in returned["msg"]


def test_whoever_may_only_read_gets_guests_that_are_held(libvirt, monkeypatch):
    libvirt.declare("read-only")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    planned = plan(libvirt)
    assert {guest["held"]["reason"] for guest in read(libvirt)["guests"]} == {"read_only"}
    returned = apply(libvirt, planned)
    assert {reason for _status, reason in statuses(returned).values()} == {"read_only"}
    assert "iothread" not in libvirt.definition("db").read_text()


def test_the_session_of_root_is_refused(libvirt):
    returned = read(libvirt, libvirt_uris=["qemu:///session"])
    assert returned["failed"] and "root has none" in returned["msg"] and libvirt.calls() == []


def test_the_guests_of_a_users_session_are_told_from_the_systems(libvirt, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/home/anna")
    session = {"libvirt_uris": ["qemu:///session"], "hypervisor": "libvirt"}
    db, web = read(libvirt, **session)["guests"]
    assert (web["id"], web["name"]) == ("session:web", "web")
    assert web["config"] == "/home/anna/.config/libvirt/qemu/web.xml"
    kept = ("hypervisor", "name", "node", "config", "digest", "running")
    entry = {"guest": db["id"], **{key: db[key] for key in kept}, "changes": CHANGES}
    assert statuses(apply(libvirt, [entry], **session)) == {"session:db": ("changed", None)}
    assert statuses(apply(libvirt, [{**entry, "guest": "db"}], **session)) == {"db": ("failed", "refused")}


def test_what_is_wrong_with_the_process_of_a_session_is_told_of_its_guest(libvirt, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    with_process(libvirt, "web", "/run/user/1000/libvirt/qemu/run/web.pid", ["-blockdev", "{"])
    session = {"libvirt_uris": ["qemu:///session"], "hypervisor": "libvirt"}
    for guests in (None, ["session:web"]):
        (problem,) = read(libvirt, guests=guests, **session)["problems"]
        assert (problem["guest"], problem["file"]) == ("session:web", f"{libvirt.root}/proc/4711")
    assert read(libvirt, guests=["session:db"], **session)["problems"] == []


@pytest.mark.parametrize("uri", ["qemu+ssh://kvm2/system", "xen:///system", "", "qemu:///system; destroy web"])
def test_a_connection_to_another_host_or_hypervisor_is_refused(libvirt, uri):
    returned = read(libvirt, libvirt_uris=[uri])
    assert returned["failed"] and "it takes qemu:///system and qemu:///session" in returned["msg"]
    # The others go on.
    assert len(read(libvirt, libvirt_uris=[uri, "qemu:///system"])["guests"]) == 2


def test_a_saved_guest_has_what_its_saved_state_has(libvirt):
    assert libvirt.run(f"managedsave --domain {WEB}").returncode == 0
    returned = apply(libvirt, plan(libvirt, ["web"]))
    assert [(one["status"], one["restart_pending"]) for one in returned["results"]] == [("changed", True)]
    (web,) = read(libvirt, guests=["web"])["guests"]
    assert (
        web["running"] is False and web["disks"][0]["next"]["iothread"] and not web["disks"][0]["effective"]["iothread"]
    )
    returned = run_module(guest_restart, root=str(libvirt.root), guest="web")
    assert (returned["result"]["status"], returned["result"]["reason"]) == ("skipped", "not_running")
    assert returned["result"]["detail"].startswith("is saved: a start resumes it with what it had")
    order = restart_order([web], "guest.id == 'web'")
    assert [(one["reason"], one["detail"]) for one in order["skipped"]] == [
        ("not_running", returned["result"]["detail"])
    ]


def test_a_transient_guest_is_read_and_not_written(libvirt):
    libvirt.definition("web").unlink()
    (web,) = read(libvirt, guests=["web"])["guests"]
    assert web["config"] is None and web["running"] and web["disks"][0]["effective"]["cache"] == "writeback"


def test_a_snapshot_that_has_other_values_is_named(libvirt):
    assert libvirt.run(f"""snapshot-create-as --domain {DB} --name "it's; uri" """).returncode == 0
    (db,) = read(libvirt, guests=["db"])["guests"]
    assert db["snapshots"] == ["it's; uri"] and db["snapshots_differ"] == []
    apply(libvirt, plan(libvirt, ["db"]))
    (db,) = read(libvirt, guests=["db"])["guests"]
    assert db["snapshots_differ"] == ["it's; uri"]


def restart(host, guest="web", **options):
    return run_module(guest_restart, root=str(host.root), guest=guest, **options)


def test_a_restart_brings_into_force_what_waits(libvirt):
    assert restart(libvirt)["result"]["reason"] == "nothing_pending"
    apply(libvirt, plan(libvirt))
    checked = restart(libvirt, check=True)
    assert (checked["changed"], libvirt.run(f"domid --domain {WEB}").stdout) == (True, "1\n")
    done = restart(libvirt, timeout=20)
    assert (done["changed"], done["result"]["status"]) == (True, "restarted")
    assert done["result"]["in_force"] == checked["result"]["in_force"] != []
    assert libvirt.run(f"domid --domain {WEB}").stdout == "2\n"
    assert restart(libvirt)["result"]["reason"] == "nothing_pending"
    assert restart(libvirt, "db")["result"]["status"] in ("unchanged", "skipped")


def test_a_guest_that_ignores_the_shutdown_runs_on_unless_it_may_be_stopped(libvirt):
    libvirt.declare("unresponsive", WEB)
    apply(libvirt, plan(libvirt))
    returned = restart(libvirt, timeout=1)
    assert returned["failed"] and returned["result"]["reason"] == "no_shutdown"
    assert f"start it: virsh -c qemu:///system start --domain {WEB}" in returned["result"]["detail"]
    assert restart(libvirt, timeout=1, force_stop=True)["result"]["status"] == "restarted"
    assert libvirt.run(f"domid --domain {WEB}").stdout == "2\n"


def test_commands_to_do_by_hand_name_no_guest_by_what_virsh_takes_for_another(libvirt):
    """virsh takes a number for the one that another guest got at its start, and --all for an option."""
    for name, uuid in (("1", ODD), ("--all", ODD[:-1] + "4")):
        define(libvirt, name, uuid)
        start = f"virsh -c qemu:///system start --domain {uuid}"
        restarter = LibvirtRestarter(str(libvirt.root), ["qemu:///system"], command)
        assert restarter.by_hand(name, stop=False) == start
        assert restarter.by_hand(name) == f"virsh -c qemu:///system destroy --domain {uuid} && {start}"


def test_a_guest_is_restarted_by_its_id_where_another_connection_has_its_name(libvirt, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    restarter = LibvirtRestarter(str(libvirt.root), ["qemu:///session", "qemu:///system"], command)
    assert [restarter.read(guest)["id"] for guest in ("web", "session:web")] == ["web", "session:web"]
    restarter = LibvirtRestarter(str(libvirt.root), ["qemu:///session"], command)
    with pytest.raises(Refused, match="is not there"):
        restarter.read("web")


@pytest.mark.parametrize("check", [True, False])
def test_a_guest_of_whose_definition_libvirt_makes_no_command_line_runs_on(libvirt, check):
    apply(libvirt, plan(libvirt))
    text = libvirt.definition("web").read_text().replace("pc-q35-7.2", "pc-q35-99.0")
    libvirt.definition("web").write_text(text)
    returned = restart(libvirt, check=check)
    assert returned["failed"] and returned["result"]["reason"] == "would_not_start"
    assert "could not be started again: unsupported configuration: " in returned["result"]["detail"]
    assert libvirt.run(f"domid --domain {WEB}").stdout == "1\n"


def test_a_guest_that_does_not_start_again_is_said_to_be_down(libvirt):
    apply(libvirt, plan(libvirt))
    libvirt.declare("unstartable", WEB)
    returned = restart(libvirt, timeout=5)
    assert returned["failed"] and returned["result"]["reason"] == "not_started"
    assert returned["result"]["detail"].startswith("IS DOWN: ") and "No such file" in returned["result"]["detail"]


def test_a_host_without_the_hypervisor_that_is_named(libvirt):
    returned = read(libvirt, hypervisor="pve")
    assert returned["failed"] and returned["msg"].startswith("hypervisor is pve, and there are no guests to read")
    for name in ("web", "db"):
        libvirt.definition(name).unlink()
    returned = read(libvirt, hypervisor="libvirt")
    assert returned["failed"] and "there is no libvirt on this host" in returned["msg"]
