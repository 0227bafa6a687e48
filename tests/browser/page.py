# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the tests ask of an open page."""

from __future__ import annotations

from selenium.webdriver.common.by import By

_COLUMN = """
const [section, head] = arguments;
const heads = [...document.querySelectorAll('#' + section + ' thead th')].map((one) => one.textContent);
return [...document.querySelectorAll('#' + section + ' tbody tr')].map((row) => row.cells[heads.indexOf(head)].innerText.trim());
"""


def column(browser, section, head):
    """The texts of a table's column as it is shown."""
    return browser.execute_script(_COLUMN, section, head)


def status(browser, section):
    """How many rows a table has, in the words of the page."""
    return browser.find_element(By.CSS_SELECTOR, f"#{section} [role=status]").text


def choose(browser, section, label, option):
    """Chooses an option of a table's filter."""
    browser.find_element(
        By.XPATH,
        f"//section[@id='{section}']//label[contains(., '{label}')]/select/option[normalize-space(.)='{option}']",
    ).click()


def head(browser, section, text):
    """The head of a column."""
    return browser.find_element(By.XPATH, f"//section[@id='{section}']//thead//th[contains(., '{text}')]")


def follow(browser, text, within="main"):
    """Follows the link with that text."""
    browser.find_element(By.XPATH, f"//{within}//a[normalize-space(.)='{text}']").click()


def fragment(browser):
    """What the address says after its #."""
    return browser.execute_script("return location.hash")
