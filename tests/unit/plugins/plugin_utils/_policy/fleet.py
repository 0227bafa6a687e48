# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Guest records for tests, made the way users' are: from config text."""

from __future__ import annotations

import datetime

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve import storage
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve.record import record
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy import assess as _assess
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy import policy as _policy

DAY = datetime.date(2026, 11, 23)

STORAGES = """\
lvm: thick
\tvgname aa

rbd: ceph
\tpool a
\tmonhost 10.0.0.9

rbd: krbd
\tkrbd 1

btrfs: cow
\tpath /cow

btrfs: nocow
\tpath /nocow
\tnocow 1

nfs: own
\tserver 10.0.0.11
\texport /own

nfs: far
\tserver 10.0.0.99
\texport /far

nfs: named
\tserver nas.example
\texport /named

cifs: smb
\tshare smb
\tserver 10.0.0.9

odd: plugin
"""

NODES = [{"name": "pve1", "addresses": ["10.0.0.11", "fd00::b"], "names": ["pve1", "pve1.example"]}]


def guest(text, number="100", **facts):
    """The record of a config's lines; ``facts`` replace what no config tells (running, qemu)."""
    storages = {entry["id"]: entry for entry in storage.parse(STORAGES)[0]}
    found = record(number, text.encode(), storages, "pve1", f"/etc/pve/nodes/pve1/qemu-server/{number}.conf")
    return {**found, **facts}


def assess(guests, policy=None, date=DAY, nodes=(), problems=(), host=None, **run):
    """The findings document of guest records; ``run`` is what a run adds to the policy, see ``_policy.parse``."""
    reading = {"guests": guests, "nodes": nodes, "problems": problems}
    return _assess.assess(reading, _policy.parse(policy or {}, **run), date, host)


def judge(text, policy=None, migrate=None, **facts):
    """The findings document of one guest."""
    policy = {} if policy is None else policy
    return assess([guest(text, **facts)], policy, nodes=NODES, migrate_controllers=migrate)


def rules(document, disk=...):
    """(rule, severity) of the findings, of one disk where it is named."""
    return sorted((f["rule"], f["severity"]) for f in document["findings"] if disk is ... or f["disk"] == disk)


def changes(document):
    """{key: {option: after}} of the plan of one guest."""
    found = {}
    for entry in document["plan"]:
        for change in entry["changes"]:
            found.setdefault(change["key"], {})[change["option"]] = change["after"]
    return found
