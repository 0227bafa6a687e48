# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The page on paper, and without JavaScript."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess

import pytest
from selenium.webdriver.common.by import By

from ansible_collections.hypervisor.io_hardening.tests.browser.page import choose, status
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import fleet

A4 = {"paperWidth": 8.27, "paperHeight": 11.69}
# The width of A4 without the page's margins of 12 mm, in CSS pixels.
A4_WIDTH = 702
CUT = """
const right = document.documentElement.clientWidth + 1;
return [...document.querySelectorAll('main *')].filter((one) => one.getBoundingClientRect().right > right).map((one) => one.outerHTML.slice(0, 90));
"""
ROWS = """
return [...document.querySelectorAll('#' + arguments[0] + ' tbody tr')].map((row) => row.cells[2].textContent);
"""


def on_paper(page):
    page.execute_script("dispatchEvent(new Event('beforeprint'))")
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})


def test_paper_has_all_rows_in_order_and_the_screen_its_pages_again(see):
    doc = fleet(200)
    page = see(doc, A4_WIDTH)
    choose(page, "guests", "State", "All states")
    on_paper(page)
    assert len(page.execute_script(ROWS, "guests")) == 200
    assert len(page.execute_script(ROWS, "findings")) == len(doc["findings"]), "the waived ones, too"
    assert status(page, "findings") == f"{len(doc['findings']):,} findings"
    page.execute_script("dispatchEvent(new Event('afterprint'))")
    assert len(page.execute_script(ROWS, "guests")) == 25 and status(page, "guests") == "200 guests"


def test_paper_has_what_was_chosen(see):
    page = see(fleet(200), at="#guests&guests.host=pve2&guests.sort=-guest")
    on_paper(page)
    rows = page.execute_script(ROWS, "guests")
    assert rows == sorted(rows, key=int, reverse=True) and len(rows) == 50
    assert status(page, "guests") == "50 of 200 guests"


def test_a_table_that_is_too_long_for_paper_says_what_is_left_out(see):
    doc = fleet(200, disks=4)
    page = see(doc)
    page.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert [len(page.execute_script(ROWS, name)) for name in ("guests", "findings")] == [200, 1000]
    (said,) = [one.get_property("textContent") for one in page.find_elements(By.CSS_SELECTOR, ".paper:not([hidden])")]
    assert said.startswith(f"Printed are the first 1,000 of {len(doc['findings']):,} findings.")


def test_paper_is_light_without_controls_and_cuts_nothing(see):
    doc = fleet(24)
    doc["guests"][0]["name"] = "x" * 200
    doc["findings"][0]["file"] = "/etc/pve/" + "y" * 300
    page = see(doc, A4_WIDTH, dark=True)
    on_paper(page)
    assert page.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    controls = page.find_elements(By.CSS_SELECTOR, "nav, .tools, #theme, .copy, .pager, .skip")
    assert len(controls) > 8 and not any(one.is_displayed() for one in controls)
    assert page.find_element(By.CSS_SELECTOR, ".people li").is_displayed()
    assert page.execute_script(CUT) == []


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="pdftotext is absent: Debian's package poppler-utils")
def test_every_sheet_of_a_table_has_its_head(see, tmp_path):
    page = see(fleet(60))
    (tmp_path / "page.pdf").write_bytes(base64.b64decode(page.execute_cdp_cmd("Page.printToPDF", A4)["data"]))
    text = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "page.pdf", "-"], check=True, capture_output=True, text=True
    ).stdout
    sheets = text.split("\f")
    of_guests = [
        sheet for sheet in sheets if re.search(r"^\s*(Compliant|Unresolved|Waived) +pve\d", sheet, re.MULTILINE)
    ]
    assert len(of_guests) > 1 and all(re.search(r"State.*Host.*Guest", sheet) for sheet in of_guests)
    for number in range(60):
        assert re.search(rf"\b{100 + number}\b.*guest{number}\b", text)


def test_without_javascript_the_guests_are_there_and_no_control_is(see):
    page = see(fleet(60), script=False)
    text = page.find_element(By.CSS_SELECTOR, "#guests").text
    assert all(re.search(rf"\bguest{number}\b", text) for number in range(60))
    assert page.find_elements(By.CSS_SELECTOR, "main button, main select, main input") == []
    assert not page.find_element(By.ID, "theme").is_displayed()
    assert not page.find_element(By.CSS_SELECTOR, "nav a[href='#findings']").is_displayed()
    codes = page.find_elements(By.CSS_SELECTOR, ".paste code")
    assert codes and all(code.text for code in codes)
    links = page.find_elements(By.CSS_SELECTOR, "main a")
    assert links and all(link.get_attribute("href").startswith("https://") for link in links), (
        "only to the rules' texts"
    )


def test_with_javascript_the_list_gives_way_to_the_table(see):
    assert see(fleet(8)).find_elements(By.CSS_SELECTOR, ".static") == []
