# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Requests over real TLS: kept connections, certificates, proxies, and every way in which an answer can fail to come."""

from __future__ import annotations

import re
import socket
import time
import urllib.request

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve_api import connection as _connection
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve_api.connection import Connection
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve_api.errors import (
    ApiError,
    NoAnswer,
    NotUsable,
)
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve_api.options import checked
from ansible_collections.hypervisor.io_hardening.tests.stand_ins.pve_api import ApiStandIn, Fault, Token
from ansible_collections.hypervisor.io_hardening.tests.stand_ins.pve_api.certificates import DAY, Authority

SECRET = "5e1c7a52-6a3c-4a0e-9d3b-0d4c8a1f77aa"
TOKEN = "ops@pve!harden"


def stand_in(tmp_path, **options):
    root = tmp_path / "root"
    (root / "etc/pve/nodes/pve1/qemu-server").mkdir(parents=True, exist_ok=True)
    (root / "etc/pve/storage.cfg").write_text("dir: local\n\tpath /var/lib/vz\n\tcontent images\n")
    return ApiStandIn(
        root, {TOKEN: Token(SECRET), "ops@pve!old": Token(SECRET, expired=True)}, folder=tmp_path, **options
    )


@pytest.fixture
def api(tmp_path):
    with stand_in(tmp_path) as api:
        yield api


def connection(api, **others):
    given = {
        "url": api.url,
        "token_id": TOKEN,
        "token_secret": SECRET,
        "ca_path": api.ca_path,
        "validate_certs": True,
        "timeout": 2,
        "write_unseen": False,
        "monitor": False,
    }
    return Connection(checked({**given, **others}))


def test_a_connection_is_kept(api):
    asked = connection(api)
    assert [asked.get("/version")["version"] for _call in range(5)] == ["9.2.11"] * 5 and api.connections == 1


def test_a_connection_that_was_idle_for_long_is_not_used(api, monkeypatch):
    asked = connection(api)
    asked.get("/version")
    monkeypatch.setattr(_connection, "_IDLE", 0)
    assert asked.get("/version") and api.connections == 2


def test_a_connection_that_the_server_closed_is_made_again(tmp_path):
    with stand_in(tmp_path, idle=0.05) as api:
        asked = connection(api)
        asked.get("/version")
        time.sleep(0.3)
        assert asked.get("/version") and api.connections == 2


def test_an_error_says_what_the_api_said(api):
    asked = connection(api)
    with pytest.raises(ApiError) as failed:
        asked.get("/nodes/pve1/qemu/999/pending")
    assert failed.value.status == 500
    assert str(failed.value) == "500 Configuration file 'nodes/pve1/qemu-server/999.conf' does not exist"
    assert asked.get("/version")
    with pytest.raises(ApiError, match="400 Parameter verification failed.; extra: property is not defined in schema"):
        asked.get("/cluster/resources", extra="1")


FAULTS = [
    (Fault("status", times=9, status=500, reason="got no worker"), ApiError, r"500 got no worker\Z"),
    (
        Fault("status", times=9, status=403, reason="Permission check failed"),
        ApiError,
        r"403 Permission check failed\Z",
    ),
    (Fault("status", times=9, status=595, reason="No route to host"), ApiError, r"595 No route to host\Z"),
    (Fault("status", times=9, status=596, reason="Broken pipe"), ApiError, r"596 Broken pipe\Z"),
    (Fault("status", times=9, status=502), ApiError, r"502 without a reason\Z"),
    (
        Fault("garbage", times=9),
        ApiError,
        r"URL answers with something that is not Proxmox VE's API: is it the right address\?\Z",
    ),
    (Fault("cut", times=9), NoAnswer, r"URL gave no whole answer: it was cut off\Z"),
    (Fault("close", times=9), NoAnswer, r"URL gave no whole answer: Remote end closed connection without response\Z"),
    (Fault("hang", times=9, seconds=5), NoAnswer, r"URL gave no answer within 2 s\Z"),
    (
        Fault("redirect", times=9, reason="https://elsewhere.example.org/"),
        NotUsable,
        r"URL answers with a redirect \(302\), which is not followed: name the address of the API itself\Z",
    ),
]


@pytest.mark.parametrize(
    ("fault", "error", "says"), FAULTS, ids=[fault[0].kind + str(fault[0].status) for fault in FAULTS]
)
@pytest.mark.parametrize("method", ["get", "put"])
def test_each_way_to_fail_is_a_sentence(api, fault, error, says, method):
    fault.met = 0
    api.faults.append(fault)
    asked = connection(api)
    with pytest.raises(error) as failed:
        asked.get("/version") if method == "get" else asked.put("/nodes/pve1/qemu/100/config", {"name": "a"})
    assert re.match(says.replace("URL", api.url), str(failed.value)) and SECRET not in str(failed.value)
    assert failed.value.__class__ is error
    # A question may be asked twice where the connection broke, a write never.
    assert len(api.calls) == (2 if method == "get" and fault.kind in ("cut", "close") else 1)


def test_a_server_that_sends_a_little_now_and_then_has_the_time_of_one_request(api, monkeypatch):
    monkeypatch.setattr(_connection, "_CHUNK", 1)
    real = _connection.Connection._read

    def read(self, answer, end):
        time.sleep(0.01)
        return real(self, answer, end - 10)

    monkeypatch.setattr(_connection.Connection, "_read", read)
    with pytest.raises(NoAnswer, match="gave no answer within 2 s"):
        connection(api).get("/version")


def test_an_answer_has_an_end(api, monkeypatch):
    monkeypatch.setattr(_connection, "_LARGEST", 10)
    with pytest.raises(NoAnswer, match="gave no whole answer: it is larger than 0 MiB"):
        connection(api).get("/version")


@pytest.mark.parametrize(
    "token", [{"token_id": "ops@pve!gone"}, {"token_secret": "x" * 36}, {"token_id": "ops@pve!old"}]
)
def test_a_token_that_is_refused_says_what_to_check(api, token):
    with pytest.raises(NotUsable) as refused:
        connection(api, **token).get("/version")
    assert str(refused.value) == (
        f"{api.url} refuses the token {token.get('token_id', TOKEN)} (401 Authentication failed!): check token_id and"
        " token_secret, and that neither the token nor its user is expired or disabled"
    )


CERTIFICATES = {
    "of another host": lambda ours: ours.certificate("192.0.2.1"),
    "expired": lambda ours: ours.certificate(lasts=-DAY),
    "of another authority": lambda ours: Authority(ours.folder, "another").certificate(),
}


@pytest.mark.parametrize("certificate", CERTIFICATES.values(), ids=CERTIFICATES)
def test_a_certificate_that_does_not_fit_is_never_passed_over(tmp_path, certificate):
    with stand_in(tmp_path, certificate=certificate) as api:
        with pytest.raises(NotUsable) as refused:
            connection(api).get("/version")
        assert re.fullmatch(
            rf"the certificate of {api.url} is not valid by {re.escape(api.ca_path)}: [^.]+\.([\d.']+\.)? Set ca_path to a copy"
            r" of the cluster's CA, /etc/pve/pve-root-ca\.pem, and name the host in url as the certificate does",
            str(refused.value),
        ), str(refused.value)
        assert api.calls == []
        with pytest.raises(NotUsable, match="is not valid by the CAs that this machine trusts"):
            connection(api, ca_path=None).get("/version")
        assert connection(api, ca_path=None, validate_certs=False).get("/version")


def test_a_ca_that_is_not_there_or_is_none_is_refused(api, tmp_path):
    (tmp_path / "text.pem").write_text("no certificate\n")
    missing = f"the API's ca_path is {tmp_path}/gone.pem: there is no such file"
    with pytest.raises(NotUsable, match=re.escape(missing)):
        connection(api, ca_path=f"{tmp_path}/gone.pem")
    with pytest.raises(NotUsable, match="which cannot be read as certificates"):
        connection(api, ca_path=f"{tmp_path}/text.pem")


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy"])
def test_a_proxy_is_refused_unless_the_host_is_left_out_of_it(api, monkeypatch, name):
    monkeypatch.setenv(name, f"http://user:{SECRET}@proxy.example.org:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(NotUsable) as refused:
        connection(api)
    assert str(refused.value) == (
        f"{name.lower()} is set, and the API is not asked through a proxy: add 127.0.0.1 to no_proxy, in the environment"
        " that the playbook runs in"
    )
    monkeypatch.setenv("no_proxy", "127.0.0.1,.example.org")
    assert connection(api).get("/version")


def test_a_proxy_for_http_is_none_of_ours(api, monkeypatch):
    monkeypatch.setattr(urllib.request, "getproxies_environment", lambda: {"http": "http://proxy:3128"})
    assert connection(api).get("/version")


def test_an_address_without_an_api_is_refused(api):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(NotUsable, match=f"https://127.0.0.1:{port} cannot be reached: Connection refused"):
        connection(api, url=f"https://127.0.0.1:{port}").get("/version")
    with pytest.raises(NotUsable, match="https://nobody.invalid:8006: there is no address for this name"):
        connection(api, url="https://nobody.invalid").get("/version")


def test_a_server_that_speaks_no_tls_is_refused(api):
    import threading

    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            peer, _address = server.accept()
            peer.recv(10)
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            peer.close()

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(NotUsable, match="does not speak TLS: .*; is it the port of the API"):
            connection(api, url=f"https://127.0.0.1:{server.getsockname()[1]}").get("/version")
