# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.document import ReportError
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.join import join_documents
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.table import table_lines
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_html import html_report
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.tool import HOME
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import (
    HOSTILE,
    document,
    finding,
    fleet,
    guest,
    hostile,
    result,
    waiver,
)

VOID = {"meta", "br", "input", "link", "img", "rect", "path"}


class Page(HTMLParser):
    """What the tests ask of a page: its elements, its text, and that every element is closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.texts, self.inline = [], [], [], {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("script", "style"):
            self.inline.setdefault(self.open[-1], []).append(data)
        else:
            self.texts.append(data.strip())


def data_of(page):
    return json.loads(page.inline["script"][0])


def test_the_page_allows_its_own_script_and_style_and_nothing_else():
    page = Page(html_report(fleet()))
    policy = next(a["content"] for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    for kind, text in (("script-src", page.inline["script"][1]), ("style-src", page.inline["style"][0])):
        digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
        assert f"{kind} 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy and "unsafe" not in policy
    for tag, attributes in page.elements:
        assert not {"src", "style", "srcset", "onclick", "onerror", "onload"} & set(attributes), tag
        assert attributes.get("href", "#").startswith(("#", f"{HOME}/blob/main/docs/rules.md#")), "only a rule's text"
    assert "url(" not in page.inline["style"][0] and "@import" not in page.inline["style"][0]


def test_hostile_names_stay_text():
    text = html_report(join_documents({name: hostile() for name in HOSTILE}))
    text.encode("utf-8")
    page = Page(text)
    assert [tag for tag, _attributes in page.elements if tag in ("script", "img", "iframe")] == ["script", "script"]
    assert len(page.inline["script"]) == 2
    assert "<" not in page.inline["script"][0], "nothing in the data can end its element"
    texts = data_of(page)["texts"]
    assert HOSTILE[0] in texts and HOSTILE[1] in texts and "two\\nlines" in texts and "\\u202egnp.exe" in texts
    assert HOSTILE[0] in page.texts, "as the name of a host"


def test_placeholders_in_data_are_not_filled_in():
    page = html_report(document([guest(name="{{ script }}")], date="{{ style }}"))
    assert "<title>Guest I/O {{ style }}</title>" in page
    assert "{{ script }}" in data_of(Page(page))["texts"]


def test_the_data_are_those_of_the_document():
    doc = join_documents({"pve1": document([guest("9", "to_change", 2), guest("101")], [finding("9", disk="scsi1")])})
    data = data_of(Page(html_report(doc)))
    texts, guests, findings = data["texts"], data["guests"], data["findings"]
    assert [texts[n] for n in guests["id"]] == ["9", "101"]
    assert [data["states"][n][0] for n in guests["state"]] == ["to_change", "compliant"]
    assert [sorted(texts[n] for n in types) for types in guests["types"]] == [["dir", "nfs"], ["dir"]]
    assert texts[findings["type"][0]] == "nfs" and findings["guest"] == [0] and findings["line"] == [12]
    assert texts[findings["actual"][0]] == "no iothread" and texts[findings["wanted"][0]] == "iothread"
    assert all(len(column) == 1 for column in findings.values())
    assert texts.index("9") < texts.index("101"), "a text's number is its rank, in natural order"
    assert all(-1 <= number < len(texts) for number in findings["message"] + guests["name"])


def test_a_finding_about_a_guest_of_libvirt_does_not_name_it_twice():
    doc = join_documents({"kvm1": document([guest("db", name="db")], [finding("db", name="db")])})
    data = data_of(Page(html_report(doc)))
    assert (data["texts"][data["findings"]["id"][0]], data["findings"]["name"]) == ("db", [-1])


def row(page, head):
    """The cells of the fixed table's row that begins with `head`."""
    at = re.search('<th scope="row"[^>]*>(<span[^>]*>)?%s<' % head, page).start()
    cells = re.findall(r"<td[^>]*>(.*?)</td>", page[at : page.index("</tr>", at)], re.DOTALL)
    return [" ".join(re.sub("<[^>]+>", " ", cell).split()) for cell in cells]


def test_the_fixed_parts_show_hosts_storages_waivers_and_restarts_without_javascript():
    doc = document(
        [guest("1", "restart_pending", 2), guest("2", "waived"), guest("3", "to_change")],
        [finding("2", waived=waiver(until="2026-12-01")), finding("3")],
    )
    wb = {"status": "overruled", "detail": "tuned sets vm.dirty_bytes", "findings": []}
    page = html_report(join_documents({"pve1": doc, "pve2": None}, assessments={"writeback": {"pve1": wb}}))
    assert row(page, "pve1")[1:] == ["3", "1", "1", "1", "1", "overruled tuned sets vm.dirty_bytes"]
    assert row(page, "pve2")[:-1] == ["no report", *["&ndash;"] * 5]
    heads = re.findall("<th scope=.col.[^>]*>(.*?)</th>", page[page.index('id="hosts"') :])[:7]
    assert heads == ["Host", "Guests by state", "Guests", "Restart pending", "To change", "Waived", "Errors"]
    assert "<strong>2 of 3 guests need you, and 1 host gave no report</strong>" in page
    assert row(page, "dir")[1:] == ["3", "0", "1", "2"] and row(page, "nfs")[1:] == ["1", "0", "0", "1"]
    waived = row(page, "W-1")
    assert waived[0].split() == ["2026-12-01", "8", "days", "left"] and waived[3] == "2 web01"
    assert "<li><b>pve1</b><ul><li>1 web01</li></ul></li>" in page
    assert row(page, "IO102")[1:] == ["2", "1", "0", "0", "1"]


def test_every_cell_has_its_head_for_a_narrow_window():
    page = Page(
        html_report(join_documents({"pve1": document([guest("1", "waived")], [finding("1", waived=waiver())])}))
    )
    cells = [attributes for tag, attributes in page.elements if tag == "td"]
    assert cells and all(attributes["data-label"] and attributes["role"] == "cell" for attributes in cells)


def test_very_long_names_are_cut():
    long = "x" * 3000
    page = html_report(
        join_documents(
            {long: document([guest("1", "restart_pending", name=long)], [finding("1", name=long, waived=waiver())])}
        )
    )
    fixed = "".join(Page(page).texts)
    assert "x" * 127 + "~" in fixed and "x" * 129 not in fixed


def test_a_waiver_of_hosts_shows_which_and_what_of_them():
    about = {"disk": None, "name": None, "node": None, "file": None, "rule": "IO301", "waived": waiver()}
    jobs = [finding(None, host="pve1", message=f"job {name}: no fleecing", **about) for name in ("nightly", "hourly")]
    doc = document([guest("1")], [*jobs, finding(None, host="pve2", message="no limit", **about)])
    assert row(html_report(doc), "W-1")[3] == "pve1 job nightly, pve1 job hourly, pve2"
    assert "(2 hosts): vendor appliance" in " ".join(table_lines(doc))


def test_an_expired_waiver_is_shown_even_if_it_no_longer_waives_anything():
    ended = {"id": "W-7", "rules": ["IO101"], "until": "2026-01-31", "reason": "r", "expired": True, "matched": 2}
    page = html_report(document(waivers=[ended]))
    assert row(page, "W-7")[0].split() == ["2026-01-31", "ended"] and row(page, "W-7")[3] == "none"


@pytest.mark.parametrize(
    "more, check, says",
    [
        ({}, False, "Nothing was changed."),
        ({"results": [result()]}, True, "Check run: nothing was written."),
        ({"results": [result()]}, False, "This run changed 1 guest; the page shows the state after it."),
    ],
)
def test_the_page_says_whether_anything_was_changed(more, check, says):
    assert says in html_report(document([guest("101", "to_change")], **more), check=check)


def test_an_empty_document_is_a_page():
    Page(html_report(document()))


def test_anything_but_a_document_is_refused():
    with pytest.raises(ReportError):
        html_report({"guests": []})


def test_the_same_number_on_two_nodes_is_two_guests():
    doc = document(
        [guest("1", "to_change", 2, node="a"), guest("1", "to_change", 3, node="b")],
        [finding("1", node=node) for node in ("b", "a")],
    )
    data = data_of(Page(html_report(doc)))
    assert data["guests"]["disks"] == [2, 3] and sorted(data["findings"]["guest"]) == [0, 1]
    assert [data["texts"][number] for number in data["guests"]["on"]] == ["a", "b"]
    assert row(html_report(doc), "IO102")[1] == "2"


def test_a_waived_guest_and_its_disks_are_not_compliant_and_name_the_waiver():
    page = html_report(document([guest("1", "waived"), guest("2")], [finding("1", waived=waiver())]))
    assert "<b>2</b> disks, 1 compliant, 1 waived" in page
    assert row(page, "dir")[1:] == ["2", "1", "1", "0"]
    data = data_of(Page(page))
    assert data["texts"][data["guests"]["reason"][0]] == "waived"
    assert data["texts"][data["guests"]["detail"][0]] == "W-1 until 2027-03-31: vendor appliance, lsi driver only"


def test_the_storage_of_a_rejected_drive_is_not_known():
    one = guest("1", "unresolved")
    one["disks"][0]["storage"] = {"id": None, "type": None}
    assert row(html_report(document([one])), "unknown")[1] == "1"


def test_the_top_of_the_page_says_whether_the_gate_passed_and_what_was_not_checked():
    joined = join_documents({"pve1": document([guest()]), "b<": document()}, complete=False)
    for passed, word in ((True, "passed"), (False, "failed")):
        page = html_report({**joined, "gate": {"fail_on": "warning", "passed": passed, "reason": "1 <finding>"}})
        assert "<strong>Gate %s</strong>" % word in page
        assert "Fails on warning: 1 &lt;finding&gt;." in page
    assert "b&lt;" in page and "the other hosts of the inventory were not checked" in page
    assert "<strong>Gate" not in html_report(joined)


@pytest.mark.parametrize(
    "doc, says",
    [
        (document(), "No guest was read"),
        (document([guest("1"), guest("2", "waived")]), "No guest needs you: 2 guests in order"),
        (document([guest("1", "restart_pending"), guest("2")]), "1 of 2 guests needs you"),
        (join_documents({"pve1": document([guest("1")]), "pve2": None}), "1 host gave no report"),
        (document([guest("1")], [finding(None, severity="warning")]), "No guest needs you; 1 other thing does"),
        (document([guest(str(number), "to_change") for number in range(1200)]), "1,200 of 1,200 guests need you"),
    ],
)
def test_the_verdict_is_the_page_in_a_sentence(doc, says):
    assert f"<strong>{says}</strong>" in html_report(doc)


def test_without_javascript_the_guests_are_listed_those_in_need_first_up_to_a_number():
    guests = [guest(str(number), "compliant" if number % 2 else "to_change") for number in range(100, 1300)]
    page = html_report(document(guests))
    static = page[page.index('<div class="static">') : page.index('<section id="findings"')]
    rows = re.findall(r"<tr role=.row.><td.*?</tr>", static)
    assert len(rows) == 500 and all("To change" in row for row in rows)
    assert "700 more are in the JSON report" in static
    few = html_report(document([guest("1"), guest("2", "to_change")]))
    assert few.index(">2 web01<", few.index('class="static"')) < few.index(">1 web01<", few.index('class="static"'))


def test_the_page_says_what_to_paste_in_text_that_can_be_selected():
    page = Page(html_report(document([guest("1", "restart_pending")])))
    assert "button" not in [tag for tag, attributes in page.elements if attributes.get("id") != "theme"]
    assert "hidden" in next(attributes for tag, attributes in page.elements if tag == "button")


def test_how_the_run_is_taken_back_is_there_to_be_pasted():
    steps = [{"kind": "rollback", "title": "Roll back this run, <x>", "guests": [], "text": "make rollback RUN='<x>'"}]
    page = html_report(document([guest("1")]), steps=steps)
    assert ">make rollback RUN=&#39;&lt;x&gt;&#39;</code>" in page and '<a href="#undo">' in page
    assert 'id="undo"' not in html_report(document([guest("1")]))


def test_what_the_commands_lack_is_said_below_them():
    steps = [{"kind": "restart", "title": "Restart it", "guests": ["1"], "text": "make restart"}]
    waiting = document([guest("1", "restart_pending")])
    assert "which the commands leave out: a&lt;b." in html_report(waiting, steps=steps, left_out=["a<b"])
    assert "leave out" not in html_report(waiting, left_out=["a"]) and "leave out" not in html_report(
        waiting, steps=steps
    )
