# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""How wide a text is on a terminal, and where it is cut."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render import text
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.text import columns, fit, wrap


@pytest.mark.parametrize(
    ("words", "width"),
    [
        ("plain", 5),
        ("Gr\u00fc\u00dfe", 5),
        ("\u65e5\u672c\u8a9e", 6),
        ("a\u0301", 1),
        ("\u0301", 0),
        ("\ud55c\uad6d\uc5b4", 6),
        ("\U0001f600", 2),
        ("a\u00a0b", 3),
        ("\u2192", 1),
        ("", 0),
    ],
)
def test_wide_characters_take_two_columns_and_combining_ones_none(words, width):
    assert columns(words) == width


def test_a_character_that_the_c_library_does_not_know_takes_two_columns(monkeypatch):
    """Ansible's get_text_width raises where it knows no character of a text, and counts 0 next to others."""

    def unknown(char):
        if char.isascii():
            return 1
        raise OSError(f"get_text_width could not calculate text width of {char!r}")

    monkeypatch.setattr(text, "get_text_width", unknown)
    text._columns.cache_clear()
    new = "\U0001fae8"
    assert columns(new) == 2 and columns(f"x{new}") == 3
    assert all(columns(line) <= 10 for line in wrap(f"x{new * 30}", 10)) and columns(fit(new * 30, 9)) == 9
    text._columns.cache_clear()


@pytest.mark.parametrize(
    ("guest", "words"),
    [
        ({"guest": "105", "name": "web"}, "105 web"),
        ({"guest": "105", "name": ""}, "105"),
        ({"guest": "web", "name": "web"}, "web"),
        ({"guest": "session:web", "name": "web", "on": "kvm1"}, "session:web web on kvm1"),
    ],
)
def test_a_guest_whose_name_is_its_id_is_named_once(guest, words):
    assert text.who(guest) == words
