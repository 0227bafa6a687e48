# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The stand-in for Proxmox VE's API, where no exchange was recorded: TLS, connections, faults, tokens."""

from __future__ import annotations

import http.client
import json
import ssl
import threading

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
