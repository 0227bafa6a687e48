# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""A plain client of the API, for the tests of its stand-in: one connection, and every answer as it is."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.parse
from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible_collections.hypervisor.io_hardening.tests.stand_ins.pve_api import ApiStandIn


class Answer(NamedTuple):
    """``body`` is None where it is empty."""

    status: int
    reason: str
    body: Any
    headers: Mapping[str, str]


class Client:
    """``Client(api).get("/version")``; a token without a secret sends no token."""

    def __init__(
        self, api: ApiStandIn, token: str = "root@pam!full", secret: str | None = "secret", timeout: float = 10
    ) -> None:
        self.api = api
        self.headers = {"Authorization": f"PVEAPIToken={token}={secret}"} if secret else {}
        context = ssl.create_default_context(cafile=api.ca_path)
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        url = urllib.parse.urlsplit(api.url)
        self.connection = http.client.HTTPSConnection(url.hostname or "", url.port, context=context, timeout=timeout)

    def call(self, method: str, path: str, params: Mapping[str, Any] | None = None) -> Answer:
        """One exchange: parameters of a GET in the query, of others as a form."""
        encoded = urllib.parse.urlencode(params or {})
        query, body = (f"?{encoded}" if encoded else "", None) if method == "GET" else ("", encoded)
        headers = {**self.headers, **({"Content-Type": "application/x-www-form-urlencoded"} if body else {})}
        self.connection.request(method, f"/api2/json{path}{query}", body=body, headers=headers)
        with self.connection.getresponse() as response:
            raw = response.read()
            return Answer(response.status, response.reason, json.loads(raw) if raw else None, dict(response.headers))

    def get(self, path: str, **params: Any) -> Any:
        """The data of an answer that must be 200."""
        answer = self.call("GET", path, params)
        assert answer.status == 200, answer
        return answer.body["data"]
