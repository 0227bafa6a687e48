# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Photographs a page: python screenshot.py PAGE FOLDER."""

from __future__ import annotations

import base64
import sys
import tempfile
from pathlib import Path

from ansible_collections.hypervisor.io_hardening.tests.browser import chromium

#: File to the window's width and height.
PICTURES = {"report.png": (1280, 960), "report-phone.png": (390, 844)}


def main(page: Path, folder: Path) -> None:
    """Writes the pictures of the page into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as profile:
        browser = chromium.start(profile)
        for name, size in PICTURES.items():
            chromium.resize(browser, *size)
            browser.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
            browser.get(page.resolve().as_uri())
            (folder / name).write_bytes(base64.b64decode(browser.get_screenshot_as_base64()))
            print(f"{folder / name}: {(folder / name).stat().st_size >> 10} KiB")
        browser.quit()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
