# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A node as files, read and judged: what the tests of the load's judges work on."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.tree import Tree
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._load.read import read_facts
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy import (
    judge_load_fleecing,
    judge_load_ignored,
    judge_load_limits,
    judge_load_targets,
    judge_load_values,
    judge_load_windows,
    load_policy,
)

JUDGES = {
    "fleecing": judge_load_fleecing.judge,
    "values": judge_load_values.judge,
    "limits": judge_load_limits.judge,
    "targets": judge_load_targets.judge,
    "windows": judge_load_windows.judge,
    "ignored": judge_load_ignored.judge,
}
VZDUMP, JOBS, DATACENTER = "etc/vzdump.conf", "etc/pve/jobs.cfg", "etc/pve/datacenter.cfg"
STORAGE, CRON, PVECFG = "etc/pve/storage.cfg", "etc/pve/vzdump.cron", "usr/share/perl5/PVE/pvecfg.pm"
GUEST = "etc/pve/nodes/pve1/qemu-server/101.conf"

STORAGES = """dir: local
\tpath /var/lib/vz
\tcontent backup,images

lvmthin: fast
\tvgname pve
\tthinpool data
\tcontent images

nfs: nas
\tserver 10.0.0.40
\texport /backup
\tcontent backup,images

pbs: pbs1
\tserver 10.0.0.50
\tdatastore main

lvm: thick
\tvgname big
\tcontent images
"""
#: A node with one guest that a nightly job backs up to a remote storage, and nothing set.
NODE = {
    "etc/hostname": "pve1\n",
    VZDUMP: "# vzdump default settings\n",
    STORAGE: STORAGES,
    JOBS: "vzdump: nightly\n\tschedule 02:00\n\tall 1\n\tstorage nas\n",
    GUEST: "name: web\nscsi0: fast:vm-101-disk-0,size=1G\n",
}


def version(text):
    """The file that tells the version of Proxmox VE."""
    return f"package PVE::pvecfg;\n\nsub version {{\n    return '{text}';\n}}\n"


def facts(files, live=False, **read):
    """The facts of a node with these files; one whose text is None is not there."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            if text is not None:
                (Path(root) / path).parent.mkdir(parents=True, exist_ok=True)
                (Path(root) / path).write_text(text)
        tree = Tree(root)
        tree.live = live
        return read_facts(tree, **read)


def judge(about, files=None, policy=None, leads=True, live=False):
    """The findings of one judge about ``NODE`` with other files."""
    read = facts({**NODE, **(files or {})}, live)
    return list(JUDGES[about](read, load_policy.parse(policy), leads))


def told(findings):
    """Rule, severity and message of each."""
    return [(one["rule"], one["severity"], one["message"]) for one in findings]


def rules(findings):
    """Rule and severity of each."""
    return [(one["rule"], one["severity"]) for one in findings]


def cures(findings):
    """Every change that the findings ask for."""
    return [tuple(cure.values()) for cure in itertools.chain(*(one["cure"] for one in findings))]
