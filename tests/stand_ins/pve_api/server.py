# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The server: TLS, HTTP/1.1 as pveproxy speaks it, tokens, faults, and the count of all of it."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import ssl
import threading
import time
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from .certificates import Authority
from .cluster import Cluster
from .errors import ApiError
from .faults import Fault
from .privileges import Caller, Token
from .routes import Api, Whole

PREFIX = "/api2/json"
#: Requests on one connection before pveproxy closes it, the largest body it takes, and seconds it waits for a next request.
KEEP_ALIVE, MAX_POST, IDLE = 100, 512 * 1024, 5


@dataclass(frozen=True)
class Call:
    """A call that was answered; ``connection`` counts from 0."""

    method: str
    path: str
    params: dict[str, str]
    token: str | None
    status: int
    connection: int


class ApiStandIn:
    """The API of the cluster whose tree is below ``root``: ``with ApiStandIn(root, tokens) as api: api.url``.

    ``tokens``: ``USER@REALM!ID`` → Token; one of an administrator unless given. ``delay``: seconds that each call takes, or
    a function of ``METHOD /path``, as ``times.recorded``. ``auth_delay``: seconds before a 401 (the real one: 3).
    ``versions``: node → version of pve-manager where it is another than that of the recordings ("" is the node that answers).
    ``certificate``: a file of an Authority, to be another than the right one. ``options`` are those of Cluster.
    """

    def __init__(
        self,
        root: Path,
        tokens: Mapping[str, Token] | None = None,
        *,
        folder: Path,
        certificate: Callable[[Authority], Path] | None = None,
        versions: Mapping[str, str] | None = None,
        delay: float | Callable[[str], float] = 0,
        auth_delay: float = 0,
        task_seconds: float = 0.05,
        idle: float = IDLE,
        port: int = 0,
        **options: Any,
    ) -> None:
        self.cluster = Cluster(root, **options)
        self.tokens = dict(tokens if tokens is not None else {"root@pam!full": Token("secret")})
        self.delay, self.auth_delay, self.idle = delay, auth_delay, idle
        self.faults: list[Fault] = []
        self.calls: list[Call] = []
        self.broken: list[str] = []
        self.connections = self.most_connections = self.most_at_once = self.failed_handshakes = 0
        self._open, self._at_once = set[socket.socket](), 0
        self.lock = threading.Lock()
        self.api = Api(self.cluster, {"": "9.2.11", **(versions or {})}, task_seconds)
        authority = Authority(folder)
        self.ca_path = str(authority.ca)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate(authority) if certificate else authority.certificate())
        self._server = _Server(("127.0.0.1", port), self)
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> ApiStandIn:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()
        assert not self.broken, f"the stand-in failed itself: {self.broken}"

    def close(self) -> None:
        """End the server and every connection."""
        self._server.shutdown()
        self._server.server_close()
        with self.lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def counted(self) -> dict[str, int]:
        """What was counted since the last time: calls, those that wrote, connections, and the most of both at once."""
        with self.lock:
            found = {
                "calls": len(self.calls),
                "writes": sum(call.method != "GET" for call in self.calls),
                "connections": self.connections,
                "most_connections": self.most_connections,
                "most_at_once": self.most_at_once,
            }
            self.calls.clear()
            self.connections, self.most_connections, self.most_at_once = 0, len(self._open), self._at_once
            return found

    def connected(self, connection: socket.socket) -> int:
        """A connection began; its number."""
        with self.lock:
            self._open.add(connection)
            self.connections += 1
            self.most_connections = max(self.most_connections, len(self._open))
            return self.connections - 1

    def disconnected(self, connection: socket.socket) -> None:
        """A connection ended."""
        with self.lock:
            self._open.discard(connection)

    @contextlib.contextmanager
    def at_once(self):  # type: ignore[no-untyped-def]
        """One more call at the same time."""
        with self.lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            yield
        finally:
            with self.lock:
                self._at_once -= 1

    def fault(self, call: str) -> Fault | None:
        """The fault that this call meets."""
        with self.lock:
            return next((fault for fault in self.faults if fault.meets(call)), None)

    def caller(self, header: str | None) -> Caller:
        """Who calls, by the header Authorization. Raises ApiError: 401."""
        scheme, _sign, rest = (header or "").partition("=")
        if scheme != "PVEAPIToken":
            raise ApiError(401, "No ticket", body=False)
        name, _sign, secret = rest.rpartition("=")
        token = self.tokens.get(name)
        if token is None or token.secret != secret or token.expired:
            raise ApiError(401, "Authentication failed!", body=False)
        return Caller(name, token, self.cluster.any_node())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], stand_in: ApiStandIn) -> None:
        self.stand_in = stand_in
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not trust the certificate, or leaves, is no error of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        self.stand_in = self.server.stand_in
        self.number = self.stand_in.connected(self.request)
        plain = self.request
        try:
            plain.settimeout(10)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
            self.request = self.stand_in.context.wrap_socket(plain, server_side=True)
        except (OSError, ssl.SSLError):
            with self.stand_in.lock:
                self.stand_in.failed_handshakes += 1
            self.stand_in.disconnected(plain)
            raise
        self.stand_in.disconnected(plain)
        with self.stand_in.lock:
            self.stand_in._open.add(self.request)
        self.timeout = self.stand_in.idle
        self.left = KEEP_ALIVE
        super().setup()

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()
        self.stand_in.disconnected(self.request)
        with contextlib.suppress(OSError):
            self.request.close()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: ``calls`` has it."""

    def do_GET(self) -> None:
        with self.stand_in.at_once():
            self._answer()

    do_PUT = do_POST = do_DELETE = do_GET

    def _answer(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        path = urllib.parse.unquote(url.path)
        path = path[len(PREFIX) :] if path.startswith(PREFIX + "/") else path
        call = f"{self.command} {path}"
        fault = self.stand_in.fault(call)
        delay = self.stand_in.delay
        time.sleep(delay(call) if callable(delay) else delay)
        if fault and fault.kind == "slow":
            time.sleep(fault.seconds)
        token: str | None = None
        params: dict[str, str] = {}
        try:
            params = self._params(url.query)
            if not url.path.startswith(PREFIX + "/"):
                raise ApiError(501, "no such uri")
            caller = self.stand_in.caller(self.headers.get("Authorization"))
            token = caller.name
            data = None
            if not fault or fault.kind == "slow" or fault.done:
                data = self.stand_in.api.call(caller, self.command, path, params)
            status, message, body = 200, "OK", data if isinstance(data, Whole) else {"data": data}
        except ApiError as error:
            status, message = error.status, error.message
            body = (
                {"data": None, "message": message, **({"errors": error.errors} if error.errors else {})}
                if error.body
                else None
            )
            if status == 401:
                time.sleep(self.stand_in.auth_delay)
        except Exception as error:
            self.stand_in.broken.append(f"{call}: {error!r}")
            raise
        if fault and fault.kind == "status":
            without = _of_proxy(fault.status) or fault.status == 401
            status, message = fault.status, fault.reason
            body = None if without else {"data": None, "message": fault.reason + "\n"}
        with self.stand_in.lock:
            self.stand_in.calls.append(Call(self.command, path, params, token, status, self.number))
        self._send(status, message, None if body is None else json.dumps(body).encode(), fault)

    def _params(self, query: str) -> dict[str, str]:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_POST:
            raise ApiError(501, "for data too large", body=False)
        raw = self.rfile.read(length)
        if raw and self.command not in ("PUT", "POST"):
            raise ApiError(501, f"Unexpected content for method '{self.command}'", body=False)
        kind = (self.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
        if kind == "application/json":
            found = {key: _text(value) for key, value in json.loads(raw or b"{}").items() if value is not None}
        elif not raw or kind in ("", "application/x-www-form-urlencoded"):
            found = dict(urllib.parse.parse_qsl(raw.decode(), keep_blank_values=True))
        else:
            raise ApiError(501, f"upload '{kind}' not implemented", body=False)
        return {**found, **dict(urllib.parse.parse_qsl(query, keep_blank_values=True))}

    def _send(self, status: int, message: str, body: bytes | None, fault: Fault | None) -> None:
        kind = fault.kind if fault else None
        self.left -= 1
        # As pveproxy does: after an error the connection ends.
        self.close_connection = status >= 400 or self.left <= 0 or self.headers.get("Connection", "").lower() == "close"
        headers = {"Content-Type": "application/json;charset=UTF-8", "Server": "pve-api-daemon/3.0"}
        if kind == "hang":
            self._hang(fault.seconds if fault else 0)
        if kind in ("hang", "close"):
            self.close_connection = True
            return
        if kind == "garbage":
            body, headers["Content-Type"] = b"<html><body>Welcome to nginx!</body></html>", "text/html"
        if kind == "redirect" and fault:
            status, message, body, headers["Location"] = 302, "Found", None, fault.reason
            self.close_connection = True
        if body and len(body) > 1024 and "gzip" in self.headers.get("Accept-Encoding", ""):
            body, headers["Content-Encoding"] = gzip.compress(body, 1), "gzip"
        if body:
            headers["Content-Length"] = str(len(body))
        else:
            self.close_connection = True  # nothing else says where the answer ends
        headers["Connection"] = "close" if self.close_connection else "Keep-Alive"
        reason = message.strip().split("\n")[0]
        head = (
            f"HTTP/1.1 {status} {reason}\r\n"
            + "".join(f"{key}: {value}\r\n" for key, value in headers.items())
            + "\r\n"
        )
        whole = head.encode("latin-1", "replace") + (body or b"")
        if kind == "cut":
            whole, self.close_connection = whole[: len(whole) - len(body or b"") // 2 - 1], True
        self.wfile.write(whole)

    def _hang(self, seconds: float) -> None:
        """Wait until the client leaves."""
        self.connection.settimeout(seconds)
        with contextlib.suppress(OSError):
            self.connection.recv(1)


def _of_proxy(status: int) -> bool:
    """Whether the node that was asked could not reach another: it says so in the status line alone."""
    return 595 <= status <= 599


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)
