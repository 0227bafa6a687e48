# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""How an API is reached: what a module takes, and what cannot be, in sentences that never show the secret. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from .._shown import shown
from .errors import NotUsable

#: The port of Proxmox VE's API.
PORT = 8006

# pve-access-control: a user's name may hold anything but blanks, ":" and "/"; a token's is like a host's.
_TOKEN_ID = re.compile(r"[^\s:/!@]+(?:@[^\s:/!@]+)*@[A-Za-z][\w.\-]+![A-Za-z][\w.\-]*", re.ASCII)
# It stands in a header, so nothing may end the line. Hiding a shorter one would hide parts of other words.
_SECRET = re.compile(r"[!-~]{6,200}", re.ASCII)


class Options(NamedTuple):
    """An API: ``url`` is as it is shown, ``timeout`` in seconds for one request.

    ``write_unseen`` allows to write a guest whose file has lines that the API does not show, ``monitor``
    to ask the QEMU of each running guest.
    """

    url: str
    host: str
    port: int
    token_id: str
    token_secret: str
    ca_path: str | None
    validate_certs: bool
    timeout: int
    write_unseen: bool
    monitor: bool


def checked(given: Mapping[str, Any]) -> Options:
    """The options of an API. Raises NotUsable with a sentence that says what is allowed."""
    parts = _split(given["url"])
    token_id, secret = given["token_id"], given["token_secret"]
    if not _TOKEN_ID.fullmatch(token_id):
        raise NotUsable(
            f"the API's token_id is {shown(token_id)}; it takes USER@REALM!TOKEN, such as ansible@pve!harden"
        )
    if not _SECRET.fullmatch(secret):
        raise NotUsable(
            "the API's token_secret is not one: it takes what Proxmox VE showed when the token was made, 6 to 200"
            " characters without blanks"
        )
    if given["timeout"] < 1:
        raise NotUsable(f"the API's timeout is {given['timeout']}; it takes 1 second or more")
    host, port = str(parts.hostname), parts.port or PORT
    named = f"[{host}]" if ":" in host else host
    return Options(
        f"https://{named}:{port}",
        host,
        port,
        token_id,
        secret,
        given["ca_path"],
        given["validate_certs"],
        given["timeout"],
        given["write_unseen"],
        given["monitor"],
    )


def _split(url: str) -> SplitResult:
    takes = f"it takes https://HOST, or https://HOST:PORT where the port is not {PORT}"
    try:
        parts = urlsplit(url)
        fits = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        raise NotUsable(f"the API's url cannot be read; {takes}") from None
    if parts.username or parts.password or "@" in parts.netloc:
        raise NotUsable(
            f"the API's url has a user or a password, which belongs into token_id and token_secret; {takes}"
        )
    if parts.scheme == "http":
        raise NotUsable(f"the API's url is {shown(url)}, which would send the token unencrypted; {takes}")
    if parts.scheme != "https" or not fits or not re.fullmatch(r"[\w.:\-]+", parts.hostname or "", re.ASCII):
        raise NotUsable(f"the API's url is {shown(url)}; {takes}")
    if parts.query or parts.fragment or parts.path.rstrip("/") not in ("", "/api2", "/api2/json"):
        raise NotUsable(f"the API's url is {shown(url)}, which has more than host and port; {takes}")
    return parts
