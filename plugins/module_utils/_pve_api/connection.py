# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Requests to Proxmox VE's API: HTTPS with a token, one connection for each thread, kept alive.

``ansible.module_utils.urls`` cannot keep a connection: it asks for ``Connection: close`` with every request (urllib's
do_open), and a TLS handshake takes longer than what is asked here. So this uses ``http.client`` itself. It follows no
redirect and uses no proxy: the token goes to the host that was named, or nowhere.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from .._shown import MOST_SHOWN
from .._shown import path as shown_path
from .._text import one_line
from .errors import ApiError, NoAnswer, NotUsable
from .options import Options

#: Seconds to wait for a connection; a request then has the time-out of the options.
_CONNECT = 10

#: The server closes a connection that has been idle for 5 s (pve-http-server, AnyEvent.pm): an older one is not used.
_IDLE = 4.0

#: Bytes of the largest answer: 10,000 guests are about 6 MB.
_LARGEST = 256 << 20
_CHUNK = 1 << 14

#: Characters of the API's words that are kept.
_WORDS = 2000

Parameters = Mapping[str, "str | int"]

# Python 3.9 has two.
_TIMED_OUT = (TimeoutError, socket.timeout)


class Connection:
    """An API that is reached with a token. Every method raises an ApiError."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._refuse_proxy()
        self._context = _context(options)
        self._mine = threading.local()

    def get(self, path: str, **parameters: str | int) -> Any:
        """The data of an answer. A question may be asked again: where the connection breaks, it is, once."""
        target = f"{path}?{urlencode(parameters)}" if parameters else path
        try:
            return self._ask("GET", target)
        except NoAnswer as exc:
            if isinstance(exc.__cause__, _TIMED_OUT):
                raise
            return self._ask("GET", target)

    def put(self, path: str, parameters: Parameters) -> Any:
        """The data of the answer to a change; NoAnswer where it may have been carried out."""
        return self._ask("PUT", path, urlencode(parameters))

    def post(self, path: str, parameters: Parameters) -> Any:
        """The same of what begins a task: the data is its UPID."""
        return self._ask("POST", path, urlencode(parameters))

    def _refuse_proxy(self) -> None:
        proxies = urllib.request.getproxies_environment()
        name = next((name for name in ("https", "all") if proxies.get(name)), None)
        host = self.options.host
        if name and not urllib.request.proxy_bypass(host, proxies):
            raise NotUsable(
                f"{name}_proxy is set, and the API is not asked through a proxy: add {host} to no_proxy, in the"
                " environment that the playbook runs in"
            )

    def _ask(self, method: str, target: str, body: str | None = None) -> Any:
        options = self.options
        connection = self._connected()
        headers = {"Authorization": f"PVEAPIToken={options.token_id}={options.token_secret}"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        end = time.monotonic() + options.timeout
        try:
            connection.request(method, f"/api2/json{target}", body, headers)
            answer = connection.getresponse()
            raw = self._read(answer, end)
        except _TIMED_OUT as exc:
            self._close()
            raise NoAnswer(f"{options.url} gave no answer within {options.timeout} s") from exc
        except (OSError, http.client.HTTPException) as exc:
            self._close()
            raise NoAnswer(f"{options.url} gave no whole answer: {_reason(exc)}") from exc
        self._mine.used = time.monotonic()
        if answer.will_close:
            self._close()
        return self._data(answer, raw)

    def _connected(self) -> http.client.HTTPSConnection:
        """This thread's connection, made where there is none that can be used."""
        found: http.client.HTTPSConnection | None = getattr(self._mine, "connection", None)
        if found is not None and time.monotonic() - self._mine.used < _IDLE:
            return found
        self._close()
        options = self.options
        made = http.client.HTTPSConnection(
            options.host, options.port, timeout=min(_CONNECT, options.timeout), context=self._context
        )
        try:
            made.connect()
        except ssl.SSLCertVerificationError as exc:
            raise NotUsable(self._not_verified(exc)) from None
        except ssl.SSLError as exc:
            raise NotUsable(f"{options.url} does not speak TLS: {_reason(exc)}; is it the port of the API?") from None
        except socket.gaierror:
            raise NotUsable(f"{options.url}: there is no address for this name") from None
        except _TIMED_OUT:
            raise NotUsable(f"{options.url} cannot be reached: no answer within {made.timeout:g} s") from None
        except (OSError, http.client.HTTPException) as exc:
            raise NotUsable(f"{options.url} cannot be reached: {_reason(exc)}") from None
        made.sock.settimeout(options.timeout)
        self._mine.connection, self._mine.used = made, time.monotonic()
        return made

    def _close(self) -> None:
        found = getattr(self._mine, "connection", None)
        if found is not None:
            found.close()
        self._mine.connection = None

    def _read(self, answer: http.client.HTTPResponse, end: float) -> bytes:
        """The whole body, within the time of the request: a server that sends a little now and then never times out."""
        parts, size = [], 0
        # Not read1: before Python 3.13 it does not know where the body ends.
        while part := answer.read(_CHUNK):
            size += len(part)
            if time.monotonic() > end:
                raise TimeoutError
            if size > _LARGEST:
                raise http.client.HTTPException(f"it is larger than {_LARGEST >> 20} MiB")
            parts.append(part)
        if answer.length:
            raise http.client.IncompleteRead(b"", answer.length)
        return b"".join(parts)

    def _data(self, answer: http.client.HTTPResponse, raw: bytes) -> Any:
        options, status = self.options, answer.status
        if status == 401:
            raise NotUsable(
                f"{options.url} refuses the token {options.token_id} (401 {_said(answer.reason)}): check token_id and"
                " token_secret, and that neither the token nor its user is expired or disabled",
                status,
            )
        if 300 <= status < 400:
            raise NotUsable(
                f"{options.url} answers with a redirect ({status}), which is not followed: name the address of the API"
                " itself",
                status,
            )
        try:
            document = json.loads(raw)
        except (ValueError, RecursionError):
            document = None
        if status != 200:
            words = _words(document) or _said(answer.reason) or "without a reason"
            raise ApiError(f"{status} {words}", status, words)
        if not isinstance(document, dict) or "data" not in document:
            raise ApiError(
                f"{options.url} answers with something that is not Proxmox VE's API: is it the right address?"
            )
        return document["data"]

    def _not_verified(self, exc: ssl.SSLCertVerificationError) -> str:
        ca_path = self.options.ca_path
        by = f"by {shown_path(ca_path)}" if ca_path else "by the CAs that this machine trusts"
        return (
            f"the certificate of {self.options.url} is not valid {by}: {_said(exc.verify_message)}. Set ca_path to a"
            " copy of the cluster's CA, /etc/pve/pve-root-ca.pem, and name the host in url as the certificate does"
        )


def _context(options: Options) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=options.ca_path)
    except FileNotFoundError:
        raise NotUsable(f"the API's ca_path is {shown_path(str(options.ca_path))}: there is no such file") from None
    except (OSError, ValueError) as exc:
        raise NotUsable(
            f"the API's ca_path is {shown_path(str(options.ca_path))}, which cannot be read as certificates:"
            f" {_reason(exc)}"
        ) from None
    # From Python 3.13 on, a valid chain is refused where it lacks extensions of RFC 5280, as those of own CAs often do.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not options.validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def segment(value: object) -> str:
    """A value as one part of a path."""
    return quote(str(value), safe="")


def _words(document: Any) -> str:
    """The API's own words for an error: its message, and what is wrong with each parameter."""
    if not isinstance(document, dict):
        return ""
    errors = document.get("errors")
    parts = [document.get("message")]
    if isinstance(errors, dict):
        parts += [f"{name}: {text}" for name, text in sorted(errors.items())]
    words = "; ".join(_said(part) for part in parts if isinstance(part, str))
    return words if len(words) <= _WORDS else f"{words[:_WORDS]}…"


def _said(text: Any) -> str:
    return one_line(str(text or "").strip())


def _reason(exc: Exception) -> str:
    if isinstance(exc, http.client.IncompleteRead):
        return "it was cut off"
    if isinstance(exc, http.client.BadStatusLine) and not isinstance(exc, http.client.RemoteDisconnected):
        return "it is not HTTP"
    text = getattr(exc, "strerror", None) or getattr(exc, "reason", None) or str(exc) or type(exc).__name__
    return _said(str(text)[: 4 * MOST_SHOWN])
