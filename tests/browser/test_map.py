# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The map by keyboard and by pointer."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from ansible_collections.hypervisor.io_hardening.tests.browser.page import fragment, status
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import fleet

STOPS = "return [...document.querySelectorAll('#map *')].filter((one) => one.tabIndex >= 0).length"


def into_the_map(page):
    """To the map by keyboard alone, from the control before it."""
    page.execute_script("[...document.querySelectorAll('.tiles a')].pop().focus()")
    ActionChains(page).send_keys(Keys.TAB).perform()
    assert page.switch_to.active_element.get_attribute("aria-label") == "Map of all guests"


def active(page):
    """The guest that a screen reader reads."""
    return page.execute_script(
        "return document.getElementById(document.activeElement.getAttribute('aria-activedescendant')).getAttribute('aria-label')"
    )


def press(page, *keys):
    ActionChains(page).send_keys(*keys).perform()
    return active(page)


@pytest.mark.parametrize("width", [1280, 390])
def test_arrow_keys_go_from_guest_to_guest_and_enter_shows_it(see, width):
    page = see(fleet(200), width)
    assert page.execute_script(STOPS) == 1
    into_the_map(page)
    assert active(page).startswith("pve1 100 guest0, Compliant")
    assert press(page, Keys.RIGHT).startswith("pve1 104 guest4, ")
    assert press(page, Keys.RIGHT, Keys.LEFT).startswith("pve1 104 ")
    assert press(page, Keys.PAGE_DOWN).startswith("pve2 101 ")
    assert press(page, Keys.END).startswith("pve4 299 ")
    assert press(page, Keys.HOME).startswith("pve1 100 ") and press(page, Keys.UP).startswith("pve1 100 ")
    page.switch_to.active_element.send_keys(Keys.RIGHT, Keys.ENTER)
    assert status(page, "guests") == "1 of 200 guests, only pve1 104 guest4"
    assert fragment(page) == "#guests&guests.guest=pve1%2F104"
    assert page.switch_to.active_element.get_attribute("id") == "h-guests"


def test_up_and_down_stay_in_the_column(see):
    page = see(fleet(200), 390)
    into_the_map(page)
    press(page, Keys.RIGHT, Keys.RIGHT)
    ring = "const ring = document.querySelector('.ring:not([hidden])'); return [ring.style.left, parseFloat(ring.style.top)]"
    seen = [page.execute_script(ring)]
    for _row in range(5):
        press(page, Keys.DOWN)
        seen.append(page.execute_script(ring))
    assert {left for left, _top in seen} == {seen[0][0]}
    assert [top for _left, top in seen] == sorted({top for _left, top in seen}) and len(seen) == 6
    press(page, *[Keys.UP] * 5)
    assert page.execute_script(ring) == seen[0]


def test_the_guest_is_seen_and_its_place_in_all_is_known(see):
    page = see(fleet(200))
    into_the_map(page)
    press(page, Keys.RIGHT)
    ring = page.find_element(By.CSS_SELECTOR, ".ring:not([hidden])")
    assert ring.is_displayed() and ring.get_attribute("role") == "option"
    assert (ring.get_attribute("aria-posinset"), ring.get_attribute("aria-setsize")) == ("2", "200")
    assert page.find_element(By.ID, "tip").text == ring.get_attribute("aria-label")
    ActionChains(page).send_keys(Keys.TAB).perform()
    assert not ring.is_displayed() and not page.find_element(By.ID, "tip").is_displayed()


def test_a_pointer_shows_the_guest_below_it(see):
    page = see(fleet(200))
    picture = page.find_element(By.CSS_SELECTOR, "#map svg")
    page.execute_script("arguments[0].scrollIntoView()", picture)
    area = picture.rect
    ActionChains(page).move_to_element_with_offset(
        picture, int(-area["width"] / 2) + 157, int(-area["height"] / 2) + 8
    ).perform()
    assert page.find_element(By.ID, "tip").text.startswith("pve1 100 guest0, ")
