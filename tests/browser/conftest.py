# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A real Chromium, and a page opened in it."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_html import html_report
from ansible_collections.hypervisor.io_hardening.tests.browser import chromium


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """One browser for all tests: to start one takes a second."""
    if not chromium.IS_THERE:
        pytest.skip("Chromium is absent: Debian's packages chromium and chromium-driver")
    driver = chromium.start(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


@pytest.fixture
def see(browser, tmp_path):
    """see(document, width, dark, script, at): opens its page in a window of that width, at a fragment of its address.

    script: whether the page may run its script.
    """

    def see(doc, width=1280, dark=False, script=True, at=""):
        path = tmp_path / "page.html"
        path.write_text(html_report(doc), "utf-8")
        chromium.resize(browser, width, 800)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": [scheme]})
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not script})
        # An address that differs in its fragment alone would not be loaded anew.
        browser.get("about:blank")
        browser.get(path.as_uri() + at)
        return browser

    yield see
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert browser.get_log("browser") == [], "the console is quiet"
