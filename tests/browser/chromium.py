# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A Chromium without a window that sends nothing."""

from __future__ import annotations

import os
import shutil

from selenium import webdriver

_CHROMIUM, _DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
IS_THERE = bool(_CHROMIUM and _DRIVER)

_FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()


def start(profile: str | os.PathLike[str]) -> webdriver.Chrome:
    """The browser, with its profile in that empty folder."""
    options = webdriver.ChromeOptions()
    for flag in [*_FLAGS, f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    options.binary_location = _CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(_DRIVER))


def resize(browser: webdriver.Chrome, width: int, height: int) -> None:
    """The window's size in CSS pixels; a narrow one is a phone's."""
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500},
    )
