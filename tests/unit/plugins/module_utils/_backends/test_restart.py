# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A guest is restarted only where that was asked for, is of use and can be done without a risk that nobody took."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import find_restarter
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import restart as _restart
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.qm_restart import QmRestarter
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.running import pid as pid_of
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.live_node import (
    GUEST,
    put,
    runner,
    runner_but,
)

HARDENED = "local:100/vm-100-disk-0.qcow2,aio=threads,backup=0,discard=on,iothread=1,serial=a%20b,size=32G,ssd=1"


def waiting(host, guest=100, text=GUEST):
    """A running guest with our changes in [PENDING]."""
    put(host, guest, text, running=True)
    done = host.run(
        "qm", "set", str(guest), "--scsihw", "virtio-scsi-single", "--scsi0", HARDENED.replace("100", str(guest))
    )
    assert done.returncode == 0, done.stderr
    host.log.unlink()
    assert "[PENDING]" in host.config(guest).read_text()
    return pid_of(str(host.root), str(guest))


class Time:
    """A clock that only sleeping moves; what happens in a sleep can be given."""

    def __init__(self, happens=None):
        self.now = 0.0
        self.happens = happens or {}

    def sleep(self, seconds):
        self.now += seconds
        for at in [at for at in self.happens if at <= self.now]:
            self.happens.pop(at)()


def restart(host, guest=100, run=None, time=None, **options):
    time = time or Time()
    kept = {"timeout": 4, "start_timeout": 20, **options}
    return _restart.restart(
        str(guest),
        find_restarter.restarter(str(host.root), run or runner(host)),
        _restart.Options(sleep=time.sleep, clock=lambda: time.now, **kept),
    )


def commands(host):
    """What qm was called for, but for questions."""
    return [call["argv"][0] for call in host.calls() if call["argv"][0] not in ("status", "showcmd")]


def pid(host, guest=100):
    return pid_of(str(host.root), str(guest))


def ha(host, resources, status="{}"):
    folder = host.root / "etc/pve/ha"
    folder.mkdir()
    (folder / "resources.cfg").write_text(resources)
    (folder / "manager_status").write_text(status)


def test_what_waits_is_in_force_after_one_qm_reboot(host):
    before = waiting(host)
    result = restart(host)
    assert (result["status"], result["name"], result["node"], result["reason"]) == ("restarted", "web100", "pve1", None)
    assert result["in_force"] == [
        "controller virtio-scsi-pci → virtio-scsi-single",
        "scsi0 iothread off → on",
        "scsi0 aio io_uring → threads",
    ]
    assert [call["argv"] for call in host.calls()] == [
        ["status", "100"],
        ["showcmd", "100"],
        ["reboot", "100", "--timeout", "4"],
    ]
    assert pid(host) not in (None, before) and "[PENDING]" not in host.config(100).read_text()


def test_check_mode_says_so_and_calls_no_qm(host):
    before = waiting(host)
    result = restart(host, check=True)
    assert result["status"] == "restarted" and len(result["in_force"]) == 3
    assert commands(host) == [] and pid(host) == before and "[PENDING]" in host.config(100).read_text()


def test_a_guest_that_ignores_the_shutdown_stays_up_and_is_never_stopped_unasked(host):
    before = waiting(host)
    host.declare("unresponsive", "100")
    result = restart(host)
    assert (result["status"], result["reason"]) == ("failed", "no_shutdown")
    assert "within 4 s" in result["detail"] and "still runs" in result["detail"] and "qm start 100" in result["detail"]
    assert commands(host) == ["reboot"] and pid(host) == before and "[PENDING]" in host.config(100).read_text()


def test_a_hard_stop_where_it_is_asked_for(host):
    before = waiting(host)
    host.declare("unresponsive", "100")
    result = restart(host, force_stop=True)
    assert result["status"] == "restarted" and commands(host) == ["reboot", "stop", "start"]
    assert pid(host) not in (None, before) and "[PENDING]" not in host.config(100).read_text()


def test_a_guest_that_answers_is_not_stopped_hard_even_where_that_is_asked_for(host):
    waiting(host)
    assert restart(host, force_stop=True)["status"] == "restarted" and commands(host) == ["reboot"]


@pytest.mark.parametrize(
    "words", ["VM is paused - cannot shutdown\n", "can't lock file '/var/lock/x' - got timeout\n", "no quorum\n"]
)
def test_what_qm_refuses_for_another_reason_is_no_case_for_a_hard_stop(host, words):
    before = waiting(host)
    result = restart(host, run=runner_but(host, "reboot", lambda _words: (255, "", words)), force_stop=True)
    assert result["status"] == "failed" and words.strip() in result["detail"] and "still runs" in result["detail"]
    assert commands(host) == [] and pid(host) == before


def test_a_guest_with_nothing_waiting_is_not_restarted(host):
    put(host, 100, running=True)
    result = restart(host)
    assert (result["status"], result["reason"]) == ("unchanged", "nothing_pending") and commands(host) == []


def test_what_somebody_else_has_waiting_is_no_reason_for_a_restart(host):
    put(host, 100, running=True)
    host.run("qm", "set", "100", "--cores", "4")
    host.log.unlink()
    assert restart(host)["reason"] == "nothing_pending" and commands(host) == []


@pytest.mark.parametrize("line, reason", [("lock: backup", "locked"), ("template: 1", "template")])
def test_locked_guests_and_templates_are_left_alone(host, line, reason):
    before = waiting(host)
    put(host, 100, f"{line}\n" + host.config(100).read_text())
    result = restart(host, force_stop=True)
    assert (result["status"], result["reason"]) == ("skipped", reason) and commands(host) == [] and pid(host) == before


def test_a_lock_that_comes_in_between_is_respected(host):
    before = waiting(host)

    def locked(words):
        put(host, 100, "lock: backup\n" + host.config(100).read_text())
        return runner(host)(["timeout", "-k", "1", "1", "qm", *words])

    result = restart(host, run=runner_but(host, "reboot", locked), force_stop=True)
    assert (result["status"], result["reason"]) == ("skipped", "locked") and pid(host) == before


def test_a_stopped_guest_is_not_started(host):
    put(host, 100, GUEST + "\n[PENDING]\nscsihw: virtio-scsi-single\nscsi0: " + HARDENED + "\n")
    result = restart(host)
    assert (
        (result["status"], result["reason"]) == ("skipped", "not_running")
        and commands(host) == []
        and pid(host) is None
    )


def test_a_guest_that_somebody_shuts_down_meanwhile_stays_down(host):
    waiting(host)

    def gone(_words):
        host.run("qm", "stop", "100")
        return 255, "", "VM 100 not running\n"

    result = restart(host, run=runner_but(host, "reboot", gone))
    assert (result["status"], result["reason"]) == ("skipped", "not_running") and pid(host) is None


def test_what_would_not_start_again_is_not_shut_down(host):
    before = waiting(host)
    text = host.config(100).read_text()
    head, pending = text.split("[PENDING]")
    put(host, 100, head + "[PENDING]" + pending.replace("aio=threads", "aio=native,cache=writeback"))
    result = restart(host, force_stop=True)
    assert (result["status"], result["reason"]) == ("failed", "would_not_start")
    assert commands(host) == [] and pid(host) == before


def test_a_guest_that_does_not_come_up_again_is_shouted(host):
    waiting(host)

    def fails(words):
        host.declare("storages-offline", "local")
        return runner(host)(["timeout", "-k", "1", "1", "qm", *words])

    result = restart(host, run=runner_but(host, "reboot", fails))
    assert (result["status"], result["reason"]) == ("failed", "not_started")
    assert result["detail"].startswith("IS DOWN") and "not online" in result["detail"]


def down(host):
    """qm reboot as it really is: back when the guest is down, and its start left to Proxmox VE."""

    def shut_down(_words):
        done = host.run("qm", "shutdown", "100")
        return done.returncode, done.stdout, done.stderr

    return runner_but(host, "reboot", shut_down)


def test_the_start_by_proxmox_itself_is_waited_for(host):
    before = waiting(host)
    time = Time({15: lambda: host.run("qm", "start", "100")})
    result = restart(host, run=down(host), time=time)
    assert result["status"] == "restarted" and 15 <= time.now < 20 and commands(host) == ["shutdown", "start"]
    assert pid(host) not in (None, before)


def test_a_guest_that_proxmox_does_not_start_is_started(host):
    waiting(host)
    time = Time()
    result = restart(host, run=down(host), time=time)
    assert (
        (result["status"], result["detail"]) == ("restarted", None)
        and time.now == 20
        and commands(host) == ["shutdown", "start"]
    )


def test_a_start_under_way_is_not_taken_for_a_failure(host):
    waiting(host)
    time = Time({25: lambda: host.run("qm", "start", "100")})
    run = down(host)
    result = restart(
        host, run=lambda arguments: (4, "", "can't lock file") if arguments[5] == "start" else run(arguments), time=time
    )
    assert result["status"] == "restarted" and 25 <= time.now <= 30


def test_what_still_waits_afterwards_is_a_failure(host):
    waiting(host)

    def rolled_back(words):
        """A guest that is started from a config without the change: a snapshot rolled back, a clone of the file."""
        answer = runner(host)(["timeout", "-k", "1", "1", "qm", *words])
        put(host, 100, host.config(100).read_text() + "\n[PENDING]\nscsihw: virtio-scsi-pci\n")
        return answer

    result = restart(host, run=runner_but(host, "reboot", rolled_back))
    assert (result["status"], result["reason"]) == ("failed", "not_in_force") and "virtio-scsi-pci" in result["detail"]


def test_what_the_process_runs_with_counts_before_and_after(host, monkeypatch):
    put(
        host,
        100,
        GUEST.replace("virtio-scsi-pci", "virtio-scsi-single").replace(
            "discard=on", "aio=threads,discard=on,iothread=1"
        ),
        running=True,
    )
    real = QmRestarter.read

    def old_process(*arguments):
        guest = real(*arguments)
        guest["disks"][0]["runs"] = {**guest["disks"][0]["effective"], "iothread": False}
        return guest

    monkeypatch.setattr(QmRestarter, "read", old_process)
    result = restart(host)
    assert commands(host) == ["reboot"] and (result["status"], result["reason"]) == ("failed", "not_in_force")
    assert "scsi0 iothread off → on" in result["detail"]


def test_a_guest_that_ends_right_after_its_start_is_down(host, monkeypatch):
    waiting(host)
    real, calls = QmRestarter.read, []

    def gone(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            host.run("qm", "stop", "100")
        return real(*arguments)

    monkeypatch.setattr(QmRestarter, "read", gone)
    result = restart(host)
    assert (result["status"], result["reason"]) == ("failed", "not_started") and "IS DOWN" in result["detail"]


def test_a_guest_of_ha_is_left_alone_unless_that_is_allowed(host):
    before = waiting(host)
    ha(
        host,
        "ct: 101\n\tstate stopped\n\nvm: 100\n\tgroup web\n",
        '{"service_status":{"vm:100":{"state":"started","node":"pve1"}}}',
    )
    result = restart(host, force_stop=True)
    assert (result["status"], result["reason"]) == ("skipped", "ha_managed") and "ha_managed: true" in result["detail"]
    assert commands(host) == [] and pid(host) == before
    assert restart(host, ha_managed=True)["status"] == "restarted" and commands(host) == ["reboot"]


@pytest.mark.parametrize(
    "requested, current",
    [
        ("stopped", '{"service_status":{"vm:100":{"state":"started","node":"pve1"}}}'),
        ("started", '{"service_status":{"vm:100":{"state":"migrate","node":"pve1"}}}'),
        ("started", '{"service_status":{"vm:100":{"state":"started","node":"pve2"}}}'),
        ("started", "{}"),
        ("started", "not json"),
    ],
)
def test_a_guest_that_ha_has_at_work_is_left_alone(host, requested, current):
    before = waiting(host)
    ha(host, f"vm: 100\n\tstate {requested}\n", current)
    result = restart(host, ha_managed=True)
    assert (
        (result["status"], result["reason"]) == ("skipped", "ha_state") and commands(host) == [] and pid(host) == before
    )


def test_a_guest_of_ha_is_never_stopped_hard_nor_started_past_ha(host):
    before = waiting(host)
    ha(host, "vm: 100\n", '{"service_status":{"vm:100":{"state":"started","node":"pve1"}}}')
    host.declare("unresponsive", "100")
    assert restart(host, force_stop=True, ha_managed=True)["reason"] == "no_shutdown"
    assert commands(host) == ["reboot"] and pid(host) == before
    host.declare("unresponsive")
    host.log.unlink()
    result = restart(host, run=down(host), ha_managed=True)
    assert result["reason"] == "not_started" and commands(host) == ["shutdown"]


def test_a_guest_that_ha_ignores_is_nobodys(host):
    waiting(host)
    ha(host, "vm: 100\n\tstate ignored\n")
    assert restart(host)["status"] == "restarted"


def test_a_guest_on_another_node_or_nowhere_is_named(host):
    waiting(host)
    other = host.root / "etc/pve/nodes/pve2/qemu-server"
    other.mkdir(parents=True)
    (other / "101.conf").write_text(GUEST)
    result = restart(host, 101)
    assert (result["status"], result["reason"]) == ("failed", "moved") and "pve2" in result["detail"]
    assert "not there" in restart(host, 102)["detail"] and commands(host) == []


def test_a_tree_has_nothing_to_restart(tmp_path):
    restarter = find_restarter.restarter(str(tmp_path), lambda arguments: (0, "", ""))
    result = _restart.restart("100", restarter, _restart.Options())
    assert (result["status"], result["reason"]) == ("failed", "not_here")


def test_no_qm_is_said_in_words(host):
    waiting(host)
    result = restart(host, run=lambda arguments: (127, "", "timeout: failed"))
    assert result["status"] == "failed" and "is this a Proxmox VE node" in result["detail"]


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("limit", [{"timeout": 0}, {"timeout": -5}, {"start_timeout": 0}])
def test_a_time_that_cannot_be_is_refused_before_anything(host, limit, check):
    before = waiting(host)
    result = restart(host, check=check, **limit)
    assert (result["status"], result["reason"]) == ("failed", "refused") and "it takes 1 second or more" in result[
        "detail"
    ]
    assert pid(host) == before and commands(host) == []


def with_fault(host, fault):
    """A running guest with something waiting that Proxmox VE could not start again."""
    net = "net0: virtio=BC:24:11:00:00:01,bridge=vmbr7\n"
    before = waiting(host, text=GUEST + net)
    host.declare(*{
        "volume": ("volumes-missing", "local:100/vm-100-disk-0.qcow2"),
        "bridge": ("bridges-missing", "vmbr7"),
        "storage": ("storages-offline", "local"),
    }[fault])  # fmt: skip
    return before


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(("fault", "words"), [
    ("volume", "volume 'local:100/vm-100-disk-0.qcow2' does not exist"),
    ("bridge", "bridge 'vmbr7' does not exist"),
    ("storage", "storage 'local' is not online"),
])  # fmt: skip
def test_what_proxmox_could_not_start_again_is_not_touched(host, fault, words, check):
    before = with_fault(host, fault)
    result = restart(host, check=check, force_stop=True)
    assert (result["status"], result["reason"]) == ("failed", "would_not_start")
    assert result["detail"] == f"not touched, because it could not be started again: {words}"
    assert commands(host) == [] and pid(host) == before and "[PENDING]" in host.config(100).read_text()


@pytest.mark.parametrize("status", [124, 137])
def test_where_qm_does_not_say_whether_it_would_start_the_guest_is_not_touched(host, status):
    before = waiting(host)
    result = restart(host, run=runner_but(host, "showcmd", lambda _words: (status, "", "")))
    assert (result["status"], result["reason"]) == ("failed", "busy") and "gave no answer within 60 s" in result[
        "detail"
    ]
    assert commands(host) == [] and pid(host) == before


def test_a_guest_that_powered_off_while_its_qemu_stays_is_brought_up_again(host):
    """As recorded where qmeventd does not run. A hard stop is not asked for, and it is none."""
    before = waiting(host)
    host.declare("qemu-stays", "100")
    result = restart(host)
    assert result["status"] == "restarted" and "qmeventd" in result["detail"]
    assert commands(host) == ["reboot", "stop", "start"] and pid(host) not in (None, before)
    assert "[PENDING]" not in host.config(100).read_text()


def test_a_guest_that_powered_off_and_cannot_be_stopped_is_shouted(host):
    waiting(host)
    host.declare("qemu-stays", "100")
    result = restart(host, run=runner_but(host, "stop", lambda _words: (255, "", "no quorum\n")))
    assert (result["status"], result["reason"]) == ("failed", "not_started") and result["detail"].startswith(
        "IS DOWN: it has powered off"
    )
    assert (
        "no quorum" in result["detail"]
        and "still runs" not in result["detail"]
        and "qm stop 100 && qm start 100" in result["detail"]
    )


def test_a_guest_of_ha_that_powered_off_is_shouted_and_not_stopped(host):
    waiting(host)
    ha(host, "vm: 100\n", '{"service_status":{"vm:100":{"state":"started","node":"pve1"}}}')
    host.declare("qemu-stays", "100")
    result = restart(host, ha_managed=True, force_stop=True)
    assert (result["status"], result["reason"]) == ("failed", "not_started") and result["detail"].startswith("IS DOWN")
    assert commands(host) == ["reboot"]


def test_a_guest_that_had_powered_off_before_is_not_started(host):
    waiting(host)
    host.declare("qemu-stays", "100")
    host.run("qm", "shutdown", "100", "--timeout", "1")
    host.log.unlink()
    for check in (True, False):
        result = restart(host, check=check, force_stop=True)
        assert (result["status"], result["reason"]) == ("skipped", "not_running") and "has powered off" in result[
            "detail"
        ]
    assert commands(host) == []


@pytest.mark.parametrize(("answer", "words"), [
    ((0, "status: paused\n", ""), "its QEMU is still there, in the state paused by qm status"),
    ((255, "", "no\n"), "its QEMU is still there, and qm status does not tell its state"),
    ((0, "status: running\n", ""), "still runs as before"),
])  # fmt: skip
def test_how_a_guest_is_that_did_not_shut_down_is_asked_and_not_guessed(host, answer, words):
    waiting(host)
    host.declare("unresponsive", "100")
    result = restart(host, run=runner_but(host, "status", lambda _words: answer))
    assert result["reason"] == "no_shutdown" and words in result["detail"]
