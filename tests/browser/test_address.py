# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The address says what the page shows: a link can be sent, and Back goes back."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.join import join_documents
from ansible_collections.hypervisor.io_hardening.tests.browser.page import (
    choose,
    column,
    follow,
    fragment,
    head,
    status,
)
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import (
    HOSTILE,
    document,
    fleet,
    guest,
)


def shown(page):
    return (
        status(page, "guests"),
        column(page, "guests", "Guest"),
        status(page, "findings"),
        column(page, "findings", "Guest"),
    )


def test_a_link_shows_the_same_rows_in_the_same_order(see):
    doc = fleet(200)
    page = see(doc)
    choose(page, "guests", "State", "Unresolved")
    choose(page, "guests", "Host", "pve2")
    head(page, "guests", "Guest").find_element(By.TAG_NAME, "button").click()
    head(page, "guests", "Guest").find_element(By.TAG_NAME, "button").click()
    choose(page, "findings", "Rule", "IO103 aio mode can block the thread that submits")
    page.find_elements(By.CSS_SELECTOR, "#findings .pager button")[1].click()
    page.find_element(By.CSS_SELECTOR, "#findings input").send_keys("pve")
    WebDriverWait(page, 3).until(lambda page: "findings.search=pve" in fragment(page))
    sent, rows = fragment(page), shown(page)
    assert "guests.state=unresolved" in sent and "guests.host=pve2" in sent and "guests.sort=-guest" in sent
    assert shown(see(doc, at=sent)) == rows


def test_back_shows_what_was_shown_before(see):
    page = see(fleet(200))
    first = shown(page)
    choose(page, "guests", "Host", "pve3")
    second = shown(page)
    follow(page, "IO111", "section[@id='rules']")
    assert set(column(page, "findings", "Rule")) == {"IO111"} and column(page, "guests", "Guest") == second[1]
    page.back()
    WebDriverWait(page, 3).until(lambda page: shown(page) == second)
    page.back()
    WebDriverWait(page, 3).until(lambda page: shown(page) == first)
    page.forward()
    WebDriverWait(page, 3).until(lambda page: shown(page) == second)


def test_typing_leaves_one_step_to_go_back(see):
    page = see(fleet(60))
    steps = page.execute_script("return history.length")
    page.find_element(By.CSS_SELECTOR, "#guests input").send_keys("guest1")
    WebDriverWait(page, 3).until(lambda page: "guests.search=guest1" in fragment(page))
    assert page.execute_script("return history.length") == steps


def test_the_contents_keep_the_filters(see):
    page = see(fleet(60))
    choose(page, "guests", "Host", "pve3")
    follow(page, "Rules", "nav")
    assert fragment(page) == "#rules&guests.host=pve3"


def test_a_link_to_one_guest_is_by_its_name_not_its_row(see):
    page = see(document([guest("9"), guest("10")]), at="#guests&guests.guest=%2F10")
    assert status(page, "guests") == "1 of 2 guests, only 10 web01"


def test_any_host_s_name_can_be_in_a_link(see):
    page = see(join_documents({name: document([guest()]) for name in HOSTILE}))
    everything = f"{len(HOSTILE)} guests"
    for number in range(len(HOSTILE)):
        page.execute_script("document.querySelectorAll('#hosts tbody th a')[arguments[0]].click()", number)
        sent = fragment(page)
        assert status(page, "guests") == f"1 of {everything}"
        page.execute_script("location.hash = '#guests'")
        WebDriverWait(page, 3).until(lambda page: status(page, "guests") == everything)
        page.execute_script("location.hash = arguments[0]", sent)
        WebDriverWait(page, 3).until(lambda page: status(page, "guests") == f"1 of {everything}")


@pytest.mark.parametrize(
    "at",
    [
        "#guests&guests.state=<img src=x onerror=alert(1)>&guests.search=<script>alert(1)</script>",
        "#guests&guests.sort=-constructor&guests.page=-1&guests.guest=__proto__&guests.host=__proto__",
        "#findings&findings.page=99999999999&findings.sort=toString&__proto__.state=x&guests.__proto__=x",
        "#h-guests'\"><b>&%E0%A4%A&%&=&&#&guests.search=" + "a" * 100_000,
        "#javascript:alert(1)",
    ],
)
def test_a_hostile_address_does_no_harm(see, at):
    page = see(fleet(60), at=at)
    assert page.execute_script("return [document.scripts.length, document.images.length]") == [2, 0]
    assert "60 guests" in status(page, "guests") and len(column(page, "findings", "Rule")) > 0
    assert len(page.find_element(By.CSS_SELECTOR, "#guests input").get_property("value")) <= 200
    head(page, "guests", "Guest").find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
    assert fragment(page).startswith("#guests&")
