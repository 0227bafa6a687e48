# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._text import visible
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render import to_markdown
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_markdown import (
    MOST_BYTES,
    markdown_report,
)
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import (
    COMMANDS,
    HOSTILE,
    document,
    finding,
    fleet,
    guest,
    host,
    result,
    waiver,
)

RENDERER = MarkdownIt("gfm-like", {"html": True})


def tokens(text):
    """All tokens, those within paragraphs and cells too."""
    return [one for token in RENDERER.parse(text) for one in (token, *(token.children or ()))]


def skeleton(text):
    """What a text is made of, without what is in its code spans."""
    return [
        (one.type, one.tag, one.attrs, "" if one.type in ("code_inline", "inline") else one.content)
        for one in tokens(text)
    ]


def named(name):
    """A document in which everything that is not ours has that name."""
    about = {"name": name, "node": name, "host": name}
    return document(
        [guest(name, "unresolved", **about), guest(name + "1", "restart_pending", **about)],
        [finding(name, message=name, hint=name, disk=name, file=name, **about)],
        [{"guest": name, **about, "reason": name, "detail": name}],
        date=name,
        hosts=[host(name), host(name + "2", False)],
        gate={"fail_on": "error", "passed": False, "reason": name},
        results=[result(name + "3", "failed", reason="refused", detail=name, **about)],
    )


def test_the_verdict_the_hosts_who_is_needed_and_the_findings():
    text = markdown_report(
        document(
            [
                guest("101", "unresolved", host="pve1"),
                guest("102", "restart_pending", host="pve1"),
                guest("103", host="pve2", name="db"),
            ],
            [
                finding(host="pve1", severity="note", rule="IO111"),
                finding(host="pve1"),
                finding("103", host="pve2", waived=waiver()),
            ],
            [
                {
                    "guest": "101",
                    "name": "web01",
                    "node": "pve1",
                    "host": "pve1",
                    "reason": "locked",
                    "detail": "locked (backup)",
                }
            ],
            hosts=[host("pve1"), host("pve2"), host("pve3", False)],
            gate={"fail_on": "error", "passed": False, "reason": "no report from pve3; 1 finding of severity error"},
        )
    )
    assert text.splitlines() == [
        "## Guest I/O: gate failed",
        "",
        "`no report from pve3; 1 finding of severity error`",
        "",
        "`2026-11-23`: 3 hosts, 3 guests, 3 disks, 1 error, 0 warnings, 1 note, 1 waived.",
        "",
        "**No report from 1 host:** `pve3`. Unreachable or failed; nothing is known about the guests there.",
        "",
        "### Hosts",
        "",
        "| host | guests | compliant | restart | unresolved |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| `pve1` | 2 | 0 | 1 | 1 |",
        "| `pve2` | 1 | 1 | 0 | 0 |",
        "| `pve3` | no report |  |  |  |",
        "| all | 3 | 1 | 1 | 1 |",
        "",
        "### Needs you",
        "",
        "- **Unresolved:** locked by another job (1): `pve1 101 web01`",
        "- **Restart pending** (1): `pve1 102 web01`",
        "",
        "### Findings",
        "",
        "| severity | rule | host and guest | where | what is wrong |",
        "| --- | --- | --- | --- | --- |",
        "| error | [IO102](https://github.com/hypervisor/io_hardening/blob/main/docs/rules.md#io102-no-iothread-in-effect) No iothread in effect |"
        " `pve1 101 web01 scsi0` | `/etc/pve/nodes/pve1/qemu-server/101.conf:12` | `the disk has no iothread in effect.` |",
        "| note | [IO111]("
        "https://github.com/hypervisor/io_hardening/blob/main/docs/rules.md#io111-a-snapshot-has-the-old-settings) A snapshot has the old settings |"
        " `pve1 101 web01 scsi0` | `/etc/pve/nodes/pve1/qemu-server/101.conf:12` | `the disk has no iothread in effect.` |",
    ]


@pytest.mark.parametrize("name", [*HOSTILE, *COMMANDS])
def test_what_a_guest_is_called_changes_nothing_but_what_is_in_code_spans(name):
    text = markdown_report(named(name))
    assert skeleton(text) == skeleton(markdown_report(named("harmless")))
    spans = [one.content for one in tokens(text) if one.type == "code_inline"]
    assert visible(name).rstrip() in spans
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in text.splitlines())


def test_a_summary_of_any_size_is_taken_and_says_what_it_lacks(monkeypatch):
    small = markdown_report(fleet(1000, hosts=200))
    assert "And 100 more hosts. The other reports have all." in small
    assert "findings more, none of them more severe. The other reports have all." in small
    wide = "\U0001f600" * 128
    huge = document(
        [guest(wide + str(n), "unresolved", name=wide, host=wide + str(n)) for n in range(500)],
        [finding(wide + str(n), name=wide, host=wide, file=wide * 9, message=wide * 9, disk=wide) for n in range(500)],
        [
            {
                "guest": wide + str(n),
                "name": wide,
                "node": "pve1",
                "host": wide + str(n),
                "reason": f"{wide}{n}",
                "detail": wide,
            }
            for n in range(500)
        ],
        hosts=[host(wide + str(n), n % 2 > 0) for n in range(500)],
    )
    assert len(markdown_report(huge).encode()) <= MOST_BYTES == 512 * 1024
    monkeypatch.setattr(to_markdown, "MOST_BYTES", 100_000)
    text = markdown_report(huge)
    assert len(text.encode()) <= 100_000 and text.endswith(
        "Too long for a summary: the rest is left out. The other reports have all.\n"
    )
    assert [one.type for one in RENDERER.parse(text)][-3:] == ["paragraph_open", "inline", "paragraph_close"]


def test_what_to_do_next_is_ready_to_be_pasted():
    steps = [
        {"kind": "restart", "title": "Restart the guest `@x`", "guests": ["1"], "text": 'make restart MATCH="`1`"'},
        {"kind": "restart", "title": "Whether these run is not known", "guests": ["2", "```3"], "text": None},
        {"kind": "page", "title": "Open the page", "guests": [], "text": "guest-io.html"},
    ]
    text = markdown_report(document([guest()]), steps=steps)
    told = [one for one in tokens(text) if one.type in ("fence", "heading_open") or "Restart" in one.content]
    assert [one.content.strip() for one in tokens(text) if one.type == "fence"] == [
        'make restart MATCH="`1`"',
        "2, ```3",
    ]
    assert "Restart the guest `@x`" in [one.content for one in told if one.type == "code_inline"]
    assert "### What next" in text and "Open the page" not in text
    assert "What next" not in markdown_report(document([guest()]), steps=steps[2:])


def test_a_run_without_a_gate_and_without_hosts():
    text = markdown_report(document([guest()], complete=False))
    assert text.startswith("## Guest I/O\n\n`2026-11-23`: 1 guest, 1 disk, ")
    assert "| configs | 1 | 1 |" in text and "Limited to some hosts" in text
    assert "### Hosts" not in markdown_report(document())
