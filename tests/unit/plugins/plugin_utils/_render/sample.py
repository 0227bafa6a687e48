# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Findings documents written for these tests: small ones by hand, big ones counted out without chance."""

from __future__ import annotations

import re

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._model import findings as _findings

STATUSES = _findings.GUEST_STATUSES

# what a guest may be called by somebody who means harm, or only by somebody abroad
HOSTILE = [
    "<script>alert(1)</script>",
    "{{ lookup('pipe','id') }}",
    "two\nlines",
    "\x1b[31mred\x07",
    "\u202egnp.exe",
    "\udcff lone",
    "\u65e5\u672c\u8a9e",
    "]]> --> <!-- </script",
    "'\"&\\u003c",
    "\x00\x0b\ufffe\U0001f600",
    # what Markdown, or GitHub and GitLab on top of it, make something of
    "<img src=x onerror=alert(1)>",
    "@octocat #1 a/b#2 GH-3 :tada: &amp;",
    "[x](https://example.org) ![x](https://example.org/x.png) <https://example.org>",
    "https://example.org www.example.org me@example.org",
    "`",
    "a`b``c|d\\|e\\",
    "| --- | **b** _i_ ~~s~~ $x$",
    "# h - [ ] t 1. > q ---",
    " blank ",
    "8f3c2a9d1e4b5c6f7a8b9c0d1e2f3a4b5c6d7e8f",
    # what a spreadsheet computes
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "+1",
    "-1",
    "\t=1",
    "\uff1d1",
    '1,2;3"4',
]

# what a CI that reads the output does
COMMANDS = [
    "::add-mask::web",
    "::stop-commands::x",
    "::ERROR file=a,line=1::b",
    "::group",
    "a ::set-output name=x::y",
    ":::: ::::warning::x",
    "##[add-mask]web",
    "a##[Group]b",
    "####[error]x",
    "##vso[task.setvariable variable=PATH]/tmp",
    "##teamcity[message]",
]


#: The commands that a runner knows (actions/runner, ActionCommandManager.cs).
KNOWN = """add-mask add-matcher add-path debug echo endgroup error group internal-set-repo-path notice remove-matcher
    save-state set-env set-output stop-commands warning""".split()


def obeyed(line):
    """Whether a runner of GitHub, Azure Pipelines or TeamCity would obey it (actions/runner, ActionCommand.cs)."""
    v2 = re.match(r"\s*::([^ ]*?)(?: .*?)?::", line)
    return bool((v2 and v2[1].lower() in KNOWN) or re.search(r"##\w*\[.*\]", line))


def finding(guest="101", **other) -> dict:
    """One finding of docs/data.md; `other` replaces keys."""
    made = _findings.finding(
        "IO102",
        "error",
        "the disk has no iothread in effect.",
        "Set iothread=1 and virtio-scsi-single.",
        guest=guest,
        name="web01",
        node="pve1",
        disk="scsi0",
        file="/etc/pve/nodes/pve1/qemu-server/%s.conf" % guest,
        line=12,
        actual=False,
        wanted=True,
        cure=[_findings.change("scsi0", "iothread", None, True)],
        fixable=True,
    )
    return {**made, **other}


def guest(number="101", status="compliant", disks=1, **other) -> dict:
    """One entry of the document's `guests`."""
    made = _findings.guest_entry(
        hypervisor="pve",
        guest=number,
        name="web01",
        node="pve1",
        config="/etc/pve/nodes/pve1/qemu-server/%s.conf" % number,
        status=status,
        running=True,
        started="2026-10-01T06:00:12Z",
        template=False,
        disks=[
            _findings.disk_entry(
                key="scsi%d" % n,
                storage={"id": "local", "type": ("dir", "nfs", "rbd", None)[n % 4]},
                compliant=status == "compliant",
                waived=status == "waived",
            )
            for n in range(disks)
        ],
    )
    return {**made, **other}


def result(number="101", status="changed", **other) -> dict:
    """One result of guest_io."""
    return {**_findings.result(guest=number, name="web01", node="pve1", status=status, digest="d"), **other}


def document(guests=(), findings=(), unresolved=(), **other) -> dict:
    """A findings document whose summary fits its guests and findings."""
    made = _findings.document(
        date="2026-11-23",
        findings=list(findings),
        plan=[],
        unresolved=list(unresolved),
        guests=list(guests),
        waivers=[],
    )
    return {**made, **other}


def waiver(**other) -> dict:
    """What a waived finding says of its waiver."""
    return {"id": "W-1", "until": "2027-03-31", "reason": "vendor appliance, lsi driver only", **other}


def host(name="pve1", reported=True, assessments=()) -> dict:
    """One entry of a joined document's `hosts`."""
    return _findings.host_entry(name, reported=reported, assessments=list(assessments))


def hostile() -> dict:
    """One guest per hostile name, each with a finding whose every text is that name."""
    return document(
        guests=[guest(str(100 + n), "to_change", name=name) for n, name in enumerate(HOSTILE)],
        findings=[
            finding(str(100 + n), name=name, message=name, hint=name, file="/etc/pve/" + name, actual=name)
            for n, name in enumerate(HOSTILE)
        ],
        unresolved=[],
    )


def fleet(guests=200, disks=2, hosts=4) -> dict:
    """A joined document of `guests` guests over `hosts` hosts, every status in it, the same on every call."""
    made, found, left = [], [], []
    for n in range(guests):
        number, node = str(100 + n), "pve%d" % (n % hosts + 1)
        status = STATUSES[(n * 7 + n // 5) % 5] if n % 3 else "compliant"
        about = {"name": "guest%d" % n, "node": node, "host": node}
        made.append(guest(number, status, disks, **about))
        if status == "unresolved":
            left.append({"guest": number, **about, "reason": "locked", "detail": "the guest is locked (backup)"})
        if status != "compliant":
            for key in range(disks):
                for rule, severity in (("IO102", "error"), ("IO103", "error"), ("IO111", "note")):
                    found.append(
                        finding(
                            number,
                            **about,
                            disk="scsi%d" % key,
                            rule=rule,
                            severity=severity,
                            waived=waiver() if status == "waived" else None,
                        )
                    )
    return document(made, found, left, hosts=[host("pve%d" % (n + 1)) for n in range(hosts)])
