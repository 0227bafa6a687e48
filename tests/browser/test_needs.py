# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What needs a person is at the top, and can be copied."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from ansible_collections.hypervisor.io_hardening.tests.browser.page import column, status
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import (
    document,
    fleet,
    guest,
)

READ = "const done = arguments[0]; kept.readText().then(done, (why) => done(String(why)))"
KEEP = "window.kept = navigator.clipboard;"
NO_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', { value: undefined })"
REFUSED = "navigator.clipboard.writeText = () => Promise.reject(new Error('no'))"


def waiting():
    return document([guest(str(number), "restart_pending") for number in range(1, 4)])


def copy(page, label):
    button = page.find_element(By.XPATH, f"//div[@class='paste'][span='{label}']/button")
    button.click()
    WebDriverWait(page, 3).until(lambda page: button.text != "Copy")
    return button.text


def clipboard(page):
    """What is in the clipboard; to read it, unlike to write it, takes a permission."""
    page.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite"]})
    text = page.execute_async_script(READ)
    page.execute_cdp_cmd("Browser.resetPermissions", {})
    return text


@pytest.mark.parametrize("before", ["", NO_CLIPBOARD, REFUSED], ids=["as it is", "no clipboard", "refused"])
def test_ids_and_selectors_are_copied_with_and_without_the_clipboard(see, before):
    page = see(waiting())
    page.execute_script(KEEP + before)
    assert copy(page, "Ids") == "Copied" and clipboard(page) == "1,2,3"
    assert copy(page, "Selector") == "Copied" and clipboard(page) == "contains(['1','2','3'],guest.id)"


def test_what_was_copied_is_said_to_screen_readers(see):
    page = see(waiting())
    live = page.find_element(By.ID, "live")
    assert live.get_attribute("role") == "status" and live.get_property("textContent") == ""
    copy(page, "Ids")
    WebDriverWait(page, 3).until(lambda _page: live.get_property("textContent") == "Copied: ids, Restart pending")


def test_text_that_cannot_be_copied_is_selected(see):
    page = see(waiting())
    page.execute_script(NO_CLIPBOARD + "; document.execCommand = () => false")
    assert copy(page, "Ids") == "Selected"
    assert page.execute_script("return getSelection().toString()") == "1,2,3"


def test_what_needs_a_person_is_above_all_else_and_leads_to_its_guests(see):
    page = see(fleet(60))
    sections = [one.get_attribute("id") for one in page.find_elements(By.CSS_SELECTOR, "main > section")]
    assert sections[:3] == ["needs", "guests", "findings"]
    page.find_element(By.XPATH, "//li[@class='need'][.//h3='Locked by another job']//p[@class='count']/a").click()
    assert set(column(page, "guests", "Why")) == {"locked by another job\nthe guest is locked (backup)"}
    assert status(page, "guests").endswith("of 60 guests")


def test_the_contents_lead_to_every_section_in_order(see):
    page = see(fleet(60))
    links = [
        one.get_attribute("hash")[1:] for one in page.find_elements(By.CSS_SELECTOR, "nav a") if one.is_displayed()
    ]
    sections = [one.get_attribute("id") for one in page.find_elements(By.CSS_SELECTOR, "main > section")]
    assert links == sections
    for name in links:
        page.find_element(By.CSS_SELECTOR, f"nav a[href='#{name}']").click()
        assert page.switch_to.active_element.get_attribute("id") == f"h-{name}"
        assert page.execute_script("return document.activeElement.getBoundingClientRect().bottom") > 0
