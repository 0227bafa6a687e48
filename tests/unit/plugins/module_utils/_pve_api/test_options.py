# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""How an API is reached: what is taken, and sentences without the secret for what is not."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve_api.errors import NotUsable
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve_api.options import checked

SECRET = "5e1c7a52-6a3c-4a0e-9d3b-0d4c8a1f77aa"
GOOD = {
    "url": "https://pve1.example.org",
    "token_id": "ops@pve!harden",
    "token_secret": SECRET,
    "ca_path": None,
    "validate_certs": True,
    "timeout": 60,
    "write_unseen": False,
    "monitor": False,
}
TAKES = "it takes https://HOST, or https://HOST:PORT where the port is not 8006"


@pytest.mark.parametrize(
    ("url", "host", "port", "shown"),
    [
        ("https://pve1.example.org", "pve1.example.org", 8006, "https://pve1.example.org:8006"),
        ("https://192.0.2.11:8006/", "192.0.2.11", 8006, "https://192.0.2.11:8006"),
        ("https://pve.example.org:443/api2/json", "pve.example.org", 443, "https://pve.example.org:443"),
        ("https://[2001:db8::11]:8006", "2001:db8::11", 8006, "https://[2001:db8::11]:8006"),
    ],
)
def test_an_address_is_host_and_port(url, host, port, shown):
    found = checked({**GOOD, "url": url})
    assert (found.host, found.port, found.url) == (host, port, shown)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"url": "pve1:8006"}, f"the API's url is 'pve1:8006'; {TAKES}"),
        ({"url": "pve1"}, f"the API's url is 'pve1'; {TAKES}"),
        ({"url": ""}, f"the API's url is ''; {TAKES}"),
        ({"url": "https://"}, f"the API's url is 'https://'; {TAKES}"),
        ({"url": "https://pve1:80060"}, f"the API's url cannot be read; {TAKES}"),
        ({"url": "https://pve1:0"}, f"the API's url is 'https://pve1:0'; {TAKES}"),
        ({"url": "https://[::1"}, f"the API's url cannot be read; {TAKES}"),
        ({"url": "https://pve 1"}, f"the API's url is 'https://pve 1'; {TAKES}"),
        (
            {"url": "http://pve1:8006"},
            f"the API's url is 'http://pve1:8006', which would send the token unencrypted; {TAKES}",
        ),
        (
            {"url": f"https://root:{SECRET}@pve1"},
            f"the API's url has a user or a password, which belongs into token_id and token_secret; {TAKES}",
        ),
        (
            {"url": "https://pve1/nodes"},
            f"the API's url is 'https://pve1/nodes', which has more than host and port; {TAKES}",
        ),
        (
            {"token_id": "ops@pve"},
            "the API's token_id is 'ops@pve'; it takes USER@REALM!TOKEN, such as ansible@pve!harden",
        ),
        (
            {"token_id": "harden"},
            "the API's token_id is 'harden'; it takes USER@REALM!TOKEN, such as ansible@pve!harden",
        ),
        (
            {"token_secret": f"{SECRET}\n"},
            "the API's token_secret is not one: it takes what Proxmox VE showed when the token was made, 6 to 200"
            " characters without blanks",
        ),
        (
            {"token_secret": ""},
            "the API's token_secret is not one: it takes what Proxmox VE showed when the token was made, 6 to 200"
            " characters without blanks",
        ),
        ({"timeout": 0}, "the API's timeout is 0; it takes 1 second or more"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence_without_the_secret(wrong, says):
    with pytest.raises(NotUsable) as refused:
        checked({**GOOD, **wrong})
    assert str(refused.value) == says and SECRET not in says


@pytest.mark.parametrize("token_id", ["root@pam!full", "a.b@example.org@ldap!x-1", "ops@pve!h_1"])
def test_a_token_has_user_realm_and_name(token_id):
    assert checked({**GOOD, "token_id": token_id}).token_id == token_id
