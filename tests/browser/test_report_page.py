# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The HTML report in a real Chromium: what a person does with it, and how fast it answers."""

from __future__ import annotations

import contextlib
import json

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.join import join_documents
from ansible_collections.hypervisor.io_hardening.tests.browser.page import choose, column, follow, head, status
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import (
    HOSTILE,
    document,
    finding,
    fleet,
    guest,
    hostile,
    waiver,
)


def test_nothing_is_loaded_from_anywhere(see):
    page = see(fleet())
    assert page.execute_script("return performance.getEntriesByType('resource').map((one) => one.name)") == []


def test_searching_and_choosing_narrow_the_findings(see):
    doc = fleet(200)
    page = see(doc)
    unwaived = [f for f in doc["findings"] if not f["waived"]]
    assert status(page, "findings") == f"{len(unwaived)} of {len(doc['findings'])} findings"
    choose(page, "findings", "Host", "pve2")
    here = [f for f in unwaived if f["host"] == "pve2"]
    assert status(page, "findings").startswith(f"{len(here)} of")
    page.find_element(By.CSS_SELECTOR, "#findings input").send_keys("SCSI1 io103")
    found = [f for f in here if f["disk"] == "scsi1" and f["rule"] == "IO103"]
    assert status(page, "findings").startswith(f"{len(found)} of") and 0 < len(found) < len(here)
    assert {text.split("\n")[0] for text in column(page, "findings", "Disk")} == {"scsi1"}
    assert set(column(page, "findings", "Host")) == {"pve2"}
    page.find_element(By.CSS_SELECTOR, "#findings input").send_keys(" no such thing")
    assert status(page, "findings").startswith("0 of") and column(page, "findings", "Host") == []
    page.find_element(By.CSS_SELECTOR, "#findings .tools button").click()
    assert status(page, "findings") == f"{len(doc['findings'])} findings"


def test_heads_sort_both_ways_by_mouse_and_keyboard_and_say_so(see):
    page = see(document([guest("100"), guest("9"), guest("20")]))
    assert head(page, "guests", "Guest").get_attribute("aria-sort") is None
    head(page, "guests", "Guest").find_element(By.TAG_NAME, "button").click()
    assert column(page, "guests", "Guest") == ["9", "20", "100"]
    assert head(page, "guests", "Guest").get_attribute("aria-sort") == "ascending"
    head(page, "guests", "Guest").find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
    assert column(page, "guests", "Guest") == ["100", "20", "9"]
    assert head(page, "guests", "Guest").get_attribute("aria-sort") == "descending"
    assert len(page.find_elements(By.CSS_SELECTOR, "#guests th[aria-sort]")) == 1


def test_pages_turn(see):
    page = see(document([guest(str(number)) for number in range(1, 61)]))
    head(page, "guests", "Guest").find_element(By.TAG_NAME, "button").click()
    back, forth = page.find_elements(By.CSS_SELECTOR, "#guests .pager button")
    assert not back.is_enabled()
    for _page in range(2):
        forth.click()
    assert not forth.is_enabled() and back.is_enabled()
    assert column(page, "guests", "Guest")[-1] == "60"


def test_a_total_a_rule_and_a_mark_of_the_map_choose_what_they_stand_for(see):
    doc = fleet(200)
    page = see(doc)
    page.find_element(By.CSS_SELECTOR, ".tiles li:nth-child(3) a").click()
    assert status(page, "guests").startswith(f"{doc['summary']['restart_pending']} of 200")
    assert set(column(page, "guests", "State")) == {"Restart pending"}
    follow(page, "IO111", "section[@id='rules']")
    assert set(column(page, "findings", "Rule")) == {"IO111"}
    page.execute_script(
        "const map = document.querySelector('#map svg'); const area = map.getBoundingClientRect();"
        "map.dispatchEvent(new MouseEvent('click', {bubbles: true, clientX: area.left + 157, clientY: area.top + 8}));"
    )
    assert status(page, "guests") == "1 of 200 guests, only pve1 100 guest0"
    open_ones = next(cell for cell in column(page, "guests", "Findings"))
    assert open_ones == "0"


def test_the_findings_of_one_guest_are_a_step_away(see):
    page = see(
        document(
            [guest("1", "to_change"), guest("11", "to_change")],
            [finding("1"), finding("11"), finding("11", rule="IO103")],
        )
    )
    page.find_element(By.CSS_SELECTOR, "#guests tbody tr:nth-child(2) a").click()
    assert status(page, "findings").startswith("2 of 3") and column(page, "findings", "Guest") == ["11 web01"] * 2


def test_hostile_names_are_inert_text(see):
    page = see(join_documents({name: hostile() for name in HOSTILE}))
    page.find_element(By.CSS_SELECTOR, "#guests input").send_keys("script")
    names = column(page, "guests", "Name")
    assert HOSTILE[0] in names
    assert page.execute_script("return [document.scripts.length, document.images.length, document.title]") == [
        2,
        0,
        "Guest I/O 2026-11-23",
    ]
    with contextlib.suppress(Exception):
        pytest.fail(f"a dialog opened: {page.switch_to.alert.text}")


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_page_is_no_wider_than_the_window(see, width):
    doc = fleet(60)
    doc["guests"][0]["name"] = "x" * 200
    doc["findings"][0]["file"] = "/etc/pve/" + "y" * 300
    page = see(doc, width)
    assert page.execute_script("return document.documentElement.scrollWidth") <= width


def test_in_a_narrow_window_no_table_is_cut_off_and_no_name_without_a_value_is_shown(see):
    """Every table's rows become cards there."""
    joined = join_documents({"pve1": fleet(60, hosts=1), "pve9": None})
    page = see({**joined, "gate": {"fail_on": "error", "passed": False, "reason": "no report from pve9"}}, 390)
    cut = (
        "return [...document.querySelectorAll('.scroll')].filter((one) => one.scrollWidth > one.clientWidth).map((one)"
        " => one.outerHTML.slice(0, 80))"
    )
    assert page.execute_script(cut) == []
    bare = (
        "return [...document.querySelectorAll('.cards td')].filter((one) => one.offsetHeight && !one.textContent.trim()"
        " && !one.querySelector('svg')).length"
    )
    assert page.execute_script(bare) == 0
    assert page.find_element(By.CSS_SELECTOR, ".verdict").text.startswith("Gate failed")


def test_numbers_have_thousands_separators(see):
    page = see(document([guest(str(number)) for number in range(1000, 3000)]))
    assert status(page, "guests") == "2,000 guests"
    assert "Rows 1 to 25 of 2,000" in page.find_element(By.CSS_SELECTOR, "#guests .pager").text
    one = see(document([guest("1", "to_change")], [finding("1")]))
    assert status(one, "guests") == "1 guest" and status(one, "findings") == "1 finding"
    assert "1 disk, 0 compliant" in one.find_element(By.CSS_SELECTOR, ".facts").text


def test_a_name_of_thousands_of_characters_does_not_fill_the_page(see):
    long = "x" * 3000
    page = see(
        document(
            [guest("1", "to_change", name=long), guest("2", "to_change")],
            [finding("1", name=long, message=long, actual=long)],
        )
    )
    heights = page.execute_script(
        "return [...document.querySelectorAll('#guests tbody tr, #findings tbody tr')].map((row) => row.offsetHeight)"
    )
    assert len(heights) == 3 and max(heights) < 350
    assert page.find_element(By.CSS_SELECTOR, "#guests td.name [title]").get_attribute("title") == long


def test_the_line_number_stays_with_its_file(see):
    page = see(
        document([guest("1", "to_change")], [finding("1", file="/etc/pve/nodes/pve1/qemu-server/1.conf", line=10)])
    )
    assert page.find_element(By.CSS_SELECTOR, "#findings .where .nowrap").text == "1.conf:10"


def test_a_waived_guest_names_its_waiver_and_leads_to_its_findings(see):
    page = see(document([guest("1", "waived")], [finding("1", waived=waiver())]))
    assert column(page, "guests", "Why") == ["waived\nW-1 until 2027-03-31: vendor appliance, lsi driver only"]
    assert column(page, "guests", "Findings") == ["1 waived"]
    page.find_element(By.CSS_SELECTOR, "#guests tbody a").click()
    assert status(page, "findings").startswith("1 finding") and len(column(page, "findings", "Rule")) == 1


CONTRAST = """
const rgb = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
const light = (c) => { const [r, g, b] = c.map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const ratio = (a, b) => { const [x, y] = [light(rgb(a)), light(rgb(b))].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
const under = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!/, 0\\)$/.test(c)) return c; } };
const low = [];
for (const e of document.querySelectorAll('body *')) {
  const box = e.getBoundingClientRect();
  if (!box.width || e.closest('[hidden], option, .skip')) continue;
  const style = getComputedStyle(e);
  if (e.matches('path, rect')) { const r = ratio(style.fill, under(e)); if (r < 3) low.push([e.getAttribute('class'), r]); continue; }
  if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
  const r = ratio(e instanceof SVGElement ? style.fill : style.color, under(e));
  if (r < 4.5) low.push([e.tagName + '.' + e.className, e.textContent.slice(0, 20), r]);
}
return low;
"""


@pytest.mark.parametrize("dark", [False, True])
def test_contrast_is_enough(see, dark):
    """WCAG 2.2 AA: 4.5 for text, 3 for what a picture says."""
    assert see(fleet(60), dark=dark).execute_script(CONTRAST) == []


def test_light_and_dark_follow_the_system_and_the_button(see):
    def background(page):
        return page.execute_script("return getComputedStyle(document.body).backgroundColor")

    light, dark = background(see(fleet(8))), background(see(fleet(8), dark=True))
    assert light == "rgb(255, 255, 255)" and dark != light
    page = see(fleet(8))
    button = page.find_element(By.ID, "theme")
    assert button.text == "Dark"
    button.click()
    assert background(page) == dark and button.text == "Light"


def test_every_section_has_a_heading_and_every_control_a_name(see):
    page = see(fleet(60))
    nodes = page.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = ("button", "link", "searchbox", "combobox", "table", "region", "listbox", "navigation", "columnheader")
    unnamed = [
        json.dumps(node.get("role"))
        for node in nodes
        if not node.get("ignored") and node["role"]["value"] in roles and not node.get("name", {}).get("value")
    ]
    assert unnamed == []
    levels = [int(tag.tag_name[1]) for tag in page.find_elements(By.CSS_SELECTOR, "h1, h2, h3, h4, h5, h6")]
    assert levels[0] == 1 and levels.count(1) == 1 and 3 in levels
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:])), "no level is left out"
    assert page.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"


FASTEST = """
const [section, text] = arguments;
const box = document.querySelector(section + ' input');
let best = Infinity;
for (let n = 0; n < 8; n++) {
  box.value = n % 2 ? '' : text;
  const start = performance.now();
  box.dispatchEvent(new Event('input'));
  document.body.offsetHeight;
  if (n % 2 === 0) best = Math.min(best, performance.now() - start);
}
return best;
"""


def test_five_thousand_guests_are_a_small_page_that_opens_and_filters_without_a_pause(see, tmp_path):
    """The best of several, because the machine may be busy with something else."""
    doc = fleet(5000, disks=4, hosts=20)
    page = see(doc)
    assert (tmp_path / "page.html").stat().st_size < 4_300_000
    loads = []
    for _again in range(4):
        page.refresh()
        loads.append(page.execute_script("return performance.getEntriesByType('navigation')[0].loadEventEnd"))
    searches = {
        (section, text): page.execute_script(FASTEST, section, text)
        for section in ("#findings", "#guests")
        for text in ("i", "pve1 scsi2", "guest4999", "nothing")
    }
    print(f"load {min(loads):.0f} ms, slowest search {max(searches.values()):.0f} ms")
    assert min(loads) < 1000
    assert max(searches.values()) < 100
