# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The stand-in for Proxmox VE's API, where no exchange was recorded: TLS, connections, faults, tokens."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
import urllib.parse

import pytest

from ansible_collections.hypervisor.io_hardening.tests.stand_ins.pve_api import ApiStandIn, Fault, Token
from ansible_collections.hypervisor.io_hardening.tests.stand_ins.pve_api.certificates import DAY, Authority
from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.api_client import Client

GUEST = "kvm: 0\nmemory: 32\nname: web\nscsi0: local:100/vm-100-disk-0.raw,size=1G\nscsihw: virtio-scsi-pci\n"
WEB = "/nodes/pve1/qemu/100"


@pytest.fixture
def root(tmp_path):
    configs = tmp_path / "root/etc/pve/nodes/pve1/qemu-server"
    configs.mkdir(parents=True)
    (configs / "100.conf").write_text(GUEST)
    (tmp_path / "root/etc/pve/storage.cfg").write_text("dir: local\n\tpath /var/lib/vz\n\tcontent images\n")
    return tmp_path / "root"


@pytest.fixture
def api(root, tmp_path):
    with ApiStandIn(root, folder=tmp_path) as api:
        yield api


def test_one_connection_serves_many_calls(api):
    client = Client(api)
    assert [client.get("/version")["version"] for _call in range(3)] == ["9.2.11"] * 3
    assert (api.connections, len(api.calls), api.most_at_once) == (1, 3, 1)


def test_an_error_ends_the_connection(api):
    client = Client(api)
    assert client.call("GET", "/nodes/pve1/qemu/999/config").headers["Connection"] == "close"
    client.get("/version")
    assert [call.connection for call in api.calls] == [0, 1]


def test_a_connection_ends_after_a_hundred_calls(api):
    client = Client(api)
    assert [client.call("GET", "/version").headers["Connection"] for _call in range(101)][98:] == [
        "Keep-Alive",
        "close",
        "Keep-Alive",
    ]


def test_calls_at_once_are_counted(root, tmp_path):
    with ApiStandIn(root, folder=tmp_path, delay=0.2) as api:
        threads = [threading.Thread(target=Client(api).get, args=("/version",)) for _thread in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (api.most_at_once, api.most_connections, api.connections) == (3, 3, 3)


CERTIFICATES = {
    "of another host": (lambda ours: ours.certificate("192.0.2.1"), "IP address mismatch"),
    "expired": (lambda ours: ours.certificate(lasts=-DAY), "certificate has expired"),
    "of another authority": (
        lambda ours: Authority(ours.folder, "another").certificate(),
        "unable to get local issuer",
    ),
}


@pytest.mark.parametrize(("certificate", "why"), CERTIFICATES.values(), ids=CERTIFICATES)
def test_a_certificate_that_is_wrong(root, tmp_path, certificate, why):
    with ApiStandIn(root, folder=tmp_path, certificate=certificate) as api:
        with pytest.raises(ssl.SSLCertVerificationError, match=why):
            Client(api).get("/version")
    assert api.calls == []


def test_faults(api):
    api.faults = [
        Fault("status", "pending", status=596, reason="Connection timed out"),
        Fault("garbage", "version"),
        Fault("redirect", "version", reason="http://192.0.2.9/"),
        Fault("cut", "version"),
        Fault("close", "version"),
        Fault("hang", "version"),
    ]
    assert Client(api).call("GET", f"{WEB}/pending")[:3] == (596, "Connection timed out", None)
    with pytest.raises(json.JSONDecodeError):
        Client(api).get("/version")
    answer = Client(api).call("GET", "/version")
    assert (answer.status, answer.headers["Location"]) == (302, "http://192.0.2.9/")
    with pytest.raises(http.client.IncompleteRead):
        Client(api).get("/version")
    with pytest.raises(http.client.RemoteDisconnected):
        Client(api).get("/version")
    with pytest.raises(TimeoutError):
        Client(api, timeout=0.1).get("/version")
    assert Client(api).get("/version") and [fault.met for fault in api.faults] == [1] * 6


@pytest.mark.parametrize("done", [True, False])
def test_an_answer_that_is_lost_is_no_write_that_was_not_made(api, root, done):
    api.faults = [Fault("close", "PUT", done=done)]
    with pytest.raises(http.client.RemoteDisconnected):
        Client(api).call("PUT", f"{WEB}/config", {"scsihw": "virtio-scsi-single"})
    assert ("single" in (root / "etc/pve/nodes/pve1/qemu-server/100.conf").read_text()) is done


def test_a_token_sees_what_its_privileges_show(root, tmp_path):
    tokens = {"ops@pve!io": Token("secret", {"/vms/100": ["VM.Audit"]}), "ops@pve!old": Token("secret", expired=True)}
    (root / "etc/pve/nodes/pve1/qemu-server/101.conf").write_text(GUEST)
    with ApiStandIn(root, tokens, folder=tmp_path) as api:
        client = Client(api, "ops@pve!io")
        assert client.get("/access/permissions") == {"/vms/100": {"VM.Audit": 1}}
        assert [row["vmid"] for row in client.get("/cluster/resources", type="vm")] == [100]
        assert client.call("GET", "/nodes/pve1/qemu/101/config").status == 403
        assert Client(api, "ops@pve!old").call("GET", "/version")[:2] == (401, "Authentication failed!")


def test_privileges_hold_below_a_path_unless_they_say_otherwise(root, tmp_path):
    acl = {"/vms": {"VM.Audit": 1, "VM.PowerMgmt": 0}, "/vms/101": [], "/vms/102": ["VM.Backup"]}
    with ApiStandIn(root, {"ops@pve!io": Token("secret", acl)}, folder=tmp_path) as api:
        client = Client(api, "ops@pve!io")
        assert client.get("/access/permissions") == {
            "/vms": {"VM.Audit": 1, "VM.PowerMgmt": 0},
            "/vms/102": {"VM.Backup": 1},
        }
        assert client.get("/access/permissions?path=/vms/100") == {"/vms/100": {"VM.Audit": 1}}
        assert client.get("/access/permissions?path=/nodes") == {"/nodes": {}}


def until_ended(client, upid, seconds=10):
    """The end of a task."""
    path = f"/nodes/{upid.split(':')[1]}/tasks/{urllib.parse.quote(upid, safe='')}"
    end = time.monotonic() + seconds
    while (status := client.get(f"{path}/status"))["status"] == "running":
        assert time.monotonic() < end
        time.sleep(0.02)
    return status["exitstatus"], [line["t"] for line in client.get(f"{path}/log")]


def state(client):
    return client.get(f"{WEB}/status/current")["status"]


@pytest.fixture
def quick(root, tmp_path):
    """A server on which a second is short; it ends the guests that were started."""
    with ApiStandIn(root, folder=tmp_path, second=0.02) as api:
        yield api
        api.cluster.node("pve1").kill("100")


def test_a_guest_is_started_restarted_and_stopped_in_tasks(quick, root):
    client, started = Client(quick), {}
    assert client.call("POST", f"{WEB}/status/reboot")[:2] == (500, "VM 100 not running")
    for verb, after in (("start", "running"), ("reboot", "running"), ("shutdown", "stopped"), ("stop", "stopped")):
        task = client.call("POST", f"{WEB}/status/{verb}").body["data"]
        assert f":qm{verb}:100:root@pam!full:" in task
        assert until_ended(client, task)[0] == "OK"
        assert (verb, state(client)) == (verb, after)
        started[verb] = (root / "var/run/qemu-server/100.pid").exists()
    assert started == {"start": True, "reboot": True, "shutdown": False, "stop": False}
    assert client.call("POST", f"{WEB}/status/suspend").status == 501


def test_a_task_fails_after_its_call_was_answered(quick, root):
    client = Client(quick)
    (root / "etc/pve/nodes/pve1/qemu-server/100.conf").write_text("lock: backup\n" + GUEST)
    task = client.call("POST", f"{WEB}/status/start").body["data"]
    assert until_ended(client, task) == ("VM is locked (backup)", ["TASK ERROR: VM is locked (backup)"])
    assert state(client) == "stopped"


def test_ha_starts_a_guest_after_the_task_has_ended(root, tmp_path):
    (root / "etc/pve/ha").mkdir()
    (root / "etc/pve/ha/resources.cfg").write_text("vm: 100\n\tstate stopped\n")
    with ApiStandIn(root, folder=tmp_path, second=0.3) as api:
        client = Client(api)
        assert client.get(f"{WEB}/status/current")["ha"] == {"managed": 1, "state": None}
        task = client.call("POST", f"{WEB}/status/start").body["data"]
        assert until_ended(client, task) == ("OK", ["Requesting HA start for VM 100", "TASK OK"])
        assert ":hastart:" in task and state(client) == "stopped"
        end = time.monotonic() + 10
        while state(client) == "stopped":
            assert time.monotonic() < end
        api.cluster.node("pve1").kill("100")


def test_a_post_stores_nothing_before_it_is_answered(quick, root):
    """Its lock and its digest are checked again in the task: where they fail then, the answer was 200."""
    client, config = Client(quick), root / "etc/pve/nodes/pve1/qemu-server/100.conf"
    digest = client.get(f"{WEB}/config")["digest"]
    task = client.call("POST", f"{WEB}/config", {"scsihw": "virtio-scsi-single", "digest": digest}).body["data"]
    assert config.read_text() == GUEST
    config.write_text(GUEST + "tags: a\n")
    assert until_ended(client, task)[0] == "checksum mismatch (file change by other user?)"
    assert (
        client.call("POST", f"{WEB}/config", {"scsihw": "virtio-scsi-single", "background_delay": 20}).body["data"]
        is None
    )
    assert "virtio-scsi-single" in config.read_text()


def test_what_qemu_says_of_itself_is_declared_in_the_tree(quick, root):
    client, declared = Client(quick), root / "var/lib/qm-stand-in"
    (declared / "hmp/100").mkdir(parents=True)
    (declared / "qmp").write_text("100 10.1.2 pc-i440fx-10.1+pve0\n")
    (declared / "hmp/100/info iothreads").write_text("iothread-virtioscsi0:\n")
    ask = ("POST", f"{WEB}/monitor", {"command": "info iothreads"})
    assert client.call(*ask).body["data"].startswith("ERROR: ") and "running-qemu" not in client.get(
        f"{WEB}/status/current"
    )
    until_ended(client, client.call("POST", f"{WEB}/status/start").body["data"])
    assert client.call(*ask).body["data"] == "iothread-virtioscsi0:\n"
    now = client.get(f"{WEB}/status/current")
    assert (now["running-qemu"], now["running-machine"]) == ("10.1.2", "pc-i440fx-10.1+pve0")


def test_a_password_is_hidden_but_in_a_snapshot(api, root):
    text = f"cipassword: $5$x\n{GUEST}parent: snap\n\n[PENDING]\ncipassword: $5$y\n\n[snap]\ncipassword: $5$x\n{GUEST}"
    (root / "etc/pve/nodes/pve1/qemu-server/100.conf").write_text(text)
    client = Client(api)
    assert client.get(f"{WEB}/config")["cipassword"] == "*" * 10
    hidden = next(item for item in client.get(f"{WEB}/pending") if item["key"] == "cipassword")
    assert hidden == {"key": "cipassword", "value": "*" * 10, "pending": "*" * 10 + " "}
    assert client.get(f"{WEB}/snapshot/snap/config")["cipassword"] == "$5$x"


def test_a_node_that_is_down_is_its_own_trouble(root, tmp_path):
    (root / "etc/pve/nodes/pve2/qemu-server").mkdir(parents=True)
    (root / "etc/pve/nodes/pve2/qemu-server/200.conf").write_text(GUEST)
    options = {"offline": ["pve2"], "pvestatd": True, "versions": {"pve1": "8.4.1"}}
    with ApiStandIn(root, folder=tmp_path, **options) as api:
        client = Client(api)
        rows = client.get("/cluster/resources", type="vm")
        assert [(row["vmid"], row["status"]) for row in rows] == [(100, "stopped"), (200, "unknown")]
        assert {row["node"]: row["status"] for row in client.get("/nodes")} == {"pve1": "online", "pve2": "offline"}
        assert {row["name"]: row.get("online") for row in client.get("/cluster/status")} == {
            "test": None,
            "pve1": 1,
            "pve2": 0,
        }
        assert client.call("GET", "/nodes/pve2/qemu/200/pending")[:3] == (595, "No route to host", None)
        assert client.get("/nodes/pve1/version")["version"] == "8.4.1"


def test_a_long_answer_is_compressed_where_the_client_takes_it(api, root):
    (root / "etc/pve/nodes/pve1/qemu-server/100.conf").write_text(f"args: {'x' * 2000}\n")
    client = Client(api)
    client.headers["Accept-Encoding"] = "gzip"
    with pytest.raises(UnicodeDecodeError):  # this client takes it and cannot read it
        client.get(f"{WEB}/config")


def test_parameters_that_a_call_does_not_have_are_refused(api):
    answer = Client(api).call("GET", f"{WEB}/config", {"current": "maybe", "x": 1})
    assert (answer.status, sorted(answer.body["errors"])) == (400, ["current", "x"])


def test_what_is_no_id_is_refused(api):
    answer = Client(api).call("GET", "/nodes/pve1/qemu/99/config")
    assert (answer.status, list(answer.body["errors"])) == (400, ["vmid"])


def test_a_shutdown_of_a_guest_that_is_off_takes_what_waits_no_further(quick, root):
    """Only its log says that there was nothing to do."""
    config = root / "etc/pve/nodes/pve1/qemu-server/100.conf"
    config.write_text(f"{GUEST}\n[PENDING]\nmemory: 64\n")
    client = Client(quick)
    task = client.call("POST", f"{WEB}/status/shutdown").body["data"]
    assert until_ended(client, task) == ("OK", ["VM 100 not running", "TASK OK"])
    assert "[PENDING]" in config.read_text()
