# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Edits of vzdump.conf, datacenter.cfg and the files of sections keep every byte that they need not change."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._load.edit import set_pair, set_property

SHIPPED = "# vzdump default settings\n\n#tmpdir: DIR\n#bwlimit: KBPS\n"


@pytest.mark.parametrize(
    ("text", "value", "edited"),
    [
        ("", "5", "bwlimit: 5\n"),
        ("", None, ""),
        (SHIPPED, "5", SHIPPED + "bwlimit: 5\n"),
        (SHIPPED, None, SHIPPED),
        ("ionice: 7", "5", "ionice: 7\nbwlimit: 5\n"),
        ("bwlimit: 1\nionice: 7\n", "5", "bwlimit: 5\nionice: 7\n"),
        ("bwlimit: 1", "5", "bwlimit: 5"),
        ("bwlimit: 1\nionice: 7\n", None, "ionice: 7\n"),
        # Spelled as somebody liked it.
        ("  bwlimit:1 \r\nionice: 7\r\n", "5", "  bwlimit:5 \r\nionice: 7\r\n"),
        ("bwlimit:\n", "5", "bwlimit:5\n"),
        # Of two lines the last counts; without the key, neither does.
        ("bwlimit: 1\nbwlimit: 2\n", "5", "bwlimit: 1\nbwlimit: 5\n"),
        ("bwlimit: 1\nx\nbwlimit: 2\n", None, "x\n"),
        # Lines that Proxmox VE ignores, and keys that only look alike.
        ("not a line\nbwlimits: 1\nbwlimit : 1\n", "5", "not a line\nbwlimits: 1\nbwlimit : 1\nbwlimit: 5\n"),
        # A value is text, and no pattern.
        ("bwlimit: 1\n", r"\1\g<0>", "bwlimit: \\1\\g<0>\n"),
        ("script: /x {{ y }}\nbwlimit: 1\n", "5", "script: /x {{ y }}\nbwlimit: 5\n"),
    ],
)
def test_a_key_of_a_file_of_lines(text, value, edited):
    assert set_pair(text, "bwlimit", value) == edited


SECTIONS = """\
# a comment
vzdump: weekly
\tschedule sun 02:00
\tbwlimit 1

vzdump: nightly
\tcomment bwlimit 9
\tschedule mon 01:00
\t# bwlimit 8
\tbwlimits 7
"""


@pytest.mark.parametrize(
    ("old", "value", "new"),
    [
        ("", "5", "\tbwlimit 5\n"),
        ("", None, ""),
        ("\tbwlimit 1\n", "5", "\tbwlimit 5\n"),
        ("\tbwlimit 1\n\tall 1\n", None, "\tall 1\n"),
        ("   bwlimit   1 \n\tall 1\n", "5", "   bwlimit   5 \n\tall 1\n"),
        ("\tbwlimit\n", "5", "\tbwlimit 5\n"),
        # Of two lines the first counts; without the property, neither does.
        ("\tbwlimit 1\n\tall 1\n\tbwlimit 2\n", "5", "\tbwlimit 5\n\tall 1\n\tbwlimit 2\n"),
        ("\tbwlimit 1\n\tall 1\n\tbwlimit 2\n", None, "\tall 1\n"),
    ],
)
@pytest.mark.parametrize("rest", ["", "\nvzdump: other\n\tbwlimit 3\n"])
def test_a_property_of_a_section(old, value, new, rest):
    assert set_property(SECTIONS + old + rest, 6, "bwlimit", value) == SECTIONS + new + rest


def test_a_section_at_the_end_of_a_file_without_a_last_newline():
    assert set_property("dir: a\n\tpath /a", 1, "bwlimit", "move=1") == "dir: a\n\tpath /a\n\tbwlimit move=1"
