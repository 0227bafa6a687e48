# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Every link of a Markdown page leads somewhere: in the checkout, and from the collection's page on Galaxy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOME = "https://github.com/hypervisor/io_hardening"
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "roles/*/README.md", "sample_fleet/*.md")
    for path in ROOT.glob(pattern)
    # antsibull-changelog makes the one, and the other is the start page of the docs site, where README.md is not.
    if path.name not in ("CHANGELOG.md", "index.md")
)
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"\s]+)\"|^\[[^]]+\]: (\S+)", re.MULTILINE)
CODE = re.compile(r"^(```+|~~~+).*?^\1\s*$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
#: A file or folder of the checkout, by its address in the repository.
AT_HOME = re.compile(rf"{HOME}/(?:blob|tree|raw)/main/([^#]+)(#.*)?")
#: A picture of it.
PICTURE = re.compile(r"https://raw\.githubusercontent\.com/hypervisor/io_hardening/main/([^#?]+)(?:\?.*)?")


def links(page: Path) -> list[str]:
    return ["".join(link) for link in LINK.findall(CODE.sub("", page.read_text("utf-8")))]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = page.read_text("utf-8")
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    found: dict[str, int] = {}
    for heading in headings:
        name = (
            re.sub(r"[^\w\- ]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()).strip().replace(" ", "-")
        )
        found[name] = found.get(name, -1) + 1
    return {f"{name}-{number}" if number else name for name, last in found.items() for number in range(last + 1)}


def target(page: Path, link: str) -> tuple[Path, str] | None:
    """The file of the checkout that a link leads to, with its anchor; None where it leads elsewhere."""
    at_home = AT_HOME.fullmatch(link)
    if at_home:
        return ROOT / at_home[1], (at_home[2] or "").lstrip("#")
    picture = PICTURE.fullmatch(link)
    if picture:
        return ROOT / picture[1], ""
    if re.match(r"[a-z]+:", link):
        return None
    path, _sign, anchor = link.partition("#")
    return (page.parent / path if path else page), anchor


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(page):
    broken = []
    for link in links(page):
        found = target(page, link)
        if found and not (
            found[0].exists() and (not found[1] or found[0].suffix != ".md" or found[1] in anchors(found[0]))
        ):
            broken.append(link)
    assert broken == []


def test_links_of_the_readme_lead_somewhere_from_galaxy():
    """Galaxy shows README.md at an address of its own, where no relative link leads to a file. It makes no anchors."""
    assert [link for link in links(ROOT / "README.md") if not re.match(r"https?:", link)] == []
