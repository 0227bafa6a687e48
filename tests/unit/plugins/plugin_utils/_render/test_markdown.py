# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Rendered by a library that knows CommonMark, GitHub's tables and bare links: what a guest is called comes out as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._text import visible
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.markdown import (
    block,
    cell,
    code,
    escaped,
    table,
)
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_sarif import RULES
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import COMMANDS, HOSTILE

RENDERER = MarkdownIt("gfm-like", {"html": True})
PLAIN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
#: What Markdown is made of, in any order.
MARKUP = st.text(alphabet="`|\\ab1*_~[]()<>!&#@:/.-+=$\n\t \u00a0é", max_size=20)


def inline(text, kind="inline"):
    """The tokens within the one paragraph, or the one cell of the body, that a text makes."""
    tokens = RENDERER.parse(text)
    return [token.children for token in tokens if token.type == kind]


def literally(value):
    """What is to be seen of a value."""
    return visible(value).rstrip()


@pytest.mark.parametrize("name", [*HOSTILE, *COMMANDS, "x" * 100])
def test_a_name_is_one_code_span(name):
    ((token,),) = inline(code(name))
    assert (token.type, token.content) == ("code_inline", literally(name))


@pytest.mark.parametrize("name", [*HOSTILE, *COMMANDS])
def test_a_name_is_one_cell(name):
    head, first, last = inline("\n".join(table(["a", "b"], [[cell(name), "1"]], 1)))[1:]
    assert [(token.type, token.content) for token in first] == [("code_inline", literally(name))]
    assert last[0].content == "1" and head[0].content == "b"


@given(MARKUP)
def test_whatever_it_is_called(name):
    if not literally(name):
        assert code(name) == cell(name) == ""
        return
    ((token,),) = inline(code(name))
    assert (token.type, token.content) == ("code_inline", literally(name))
    cells = inline("\n".join(table(["a", "b"], [[cell(name), "1"]], 1)))
    assert [(token.type, token.content) for token in cells[2]] == [("code_inline", literally(name))]
    assert len(cells) == 4


@given(MARKUP)
def test_a_block_ends_at_its_end(text):
    (token,) = RENDERER.parse(block(text))
    assert token.type == "fence" and token.content.rstrip("\n") == text.rstrip("\n")


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_the_rules_own_words_have_no_markup(rule):
    for text in filter(None, (rule.title, rule.reason, rule.source, rule.dissent, rule.evidence)):
        # Without bare links: only www. and https:// make one, not Blockdev.pm.
        (tokens,) = [token.children for token in PLAIN.parse(escaped(text)) if token.type == "inline"]
        assert {token.type for token in tokens} <= {"text", "text_special"}
        assert "".join(token.content for token in tokens) == text


def test_nothing_is_nothing():
    assert code(None) == code("") == cell("  ") == ""


def test_a_long_value_is_cut():
    assert code("x" * 200) == "`" + "x" * 127 + "~`" and len(code("x" * 200, 20)) == 22
