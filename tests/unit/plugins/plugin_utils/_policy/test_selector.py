# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Whatever is given as a selector holds, or does not, or is an error with its place; and errors stay short."""

from __future__ import annotations

import contextlib
import datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._shown import path, piece, shown, some
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy import policy as _policy
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.errors import PolicyError
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.selector import Selector, guest_subject

from .fleet import guest

GUEST = guest("name: a\ntags: db;prod\nscsi0: far:1/d.raw\n")
GUEST_SUBJECT = guest_subject(GUEST)
DISK_SUBJECT = {**GUEST_SUBJECT, **GUEST["disks"][0]}
HUGE = "9" * 5000


def kind(value):
    """A test's name, where pytest would spell the value whole."""
    return type(value).__name__


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("guest.tags[0:1] == ['db']", True),
        ("guest.tags[:1] | contains(@, 'db')", True),
        ("length(guest.tags[::-1]) == `2`", True),
        ("sort_by([guest], &name)[0].name == 'a'", True),
        ("guest.tags[99999999999999999999] == `null`", True),
        ("guest.tags[99999999999999999999:] == `[]`", True),
    ],
)
def test_what_jmespath_can_do_a_selector_can(expression, holds):
    assert Selector("match", expression).matches(DISK_SUBJECT) is holds


def test_what_jmespath_says_ends_where_its_drawing_of_the_place_began():
    with pytest.raises(PolicyError, match=r"Unknown token '='$"):
        Selector("match", "guest.id = '102'")


@pytest.mark.parametrize(
    "expression",
    [
        "guest.tags[::0] == `null`",
        f"guest.tags[{HUGE}]",
        f"guest.tags[{HUGE}:]",
        f"guest.id == `{HUGE}`",
        f"`{HUGE}` < length(guest.tags)",
        "length(guest.tags) > `1e999` && abs(guest.name)",
        "(" * 20_000,
        "(" * 20_000 + "guest.id" + ")" * 20_000,
        "!" * 20_000 + "guest.template",
        "guest" + ".id" * 20_000,
        "guest.id == '1'" + " || guest.id == '1'" * 20_000,
        "`" + "[" * 50_000 + "]" * 50_000 + "` == guest.tags",
        "[" * 20_000 + "guest.id" + "]" * 20_000,
        "guest.id[0:",
        "contains()",
        "contains(guest.id)",
        "contains(guest.tags[0:1], guest.name, guest.id)",
        "guest.id == \ud800",
        '"' + "x" * 100_000 + '"',
        "nosuch" * 10_000 + "(guest.id)",
        "sum(guest.tags) > `1`",
        "to_number(guest.name) > `1` && max_by(guest.tags, &id)",
        "merge(guest, controller)",
        "[guest.id, guest.name]",
        "guest.id == '1' | [0]\n\x1b[2J",
        "@ == guest && avg(`[]`) == ceil(`null`)",
        "zip(guest)",
        "ceil(`1e999`) == `1`",
        "floor(`-1e999`) == `1`",
        "&guest.id",
        "*",
        "guest.*",
        "",
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_what_fails_is_an_error_with_its_place(expression):
    with contextlib.suppress(PolicyError):
        # Some of these only never hold.
        assert Selector("match", expression).matches(DISK_SUBJECT) is False
        return
    with pytest.raises(PolicyError, match=r"^match: ") as caught:
        Selector("match", expression).matches(DISK_SUBJECT)
    assert len(str(caught.value)) < 500 and str(caught.value).isprintable()


@pytest.mark.parametrize(
    "expression", ["(" * 20_000, "guest.template" + " || guest.template" * 20_000], ids=["brackets", "alternatives"]
)
def test_what_is_nested_too_deeply_says_so(expression):
    with pytest.raises(PolicyError, match=r"^match: is nested too deeply: "):
        Selector("match", expression)


@pytest.mark.parametrize(
    "value", [5, 10**5000, ["guest.id"], {}, None, True, 1.5, b"guest.id", datetime.date(2026, 1, 1)], ids=kind
)
def test_what_is_not_text_is_an_error_with_its_place(value):
    with pytest.raises(PolicyError, match=r"^match: is .*, it takes a JMESPath condition"):
        Selector("match", value)


WORDS = [*"guest id tags storage effective contains length sort_by '105' `1` `null` `[ ]` @ * & && || ! == < ( ) [ ] [? [] { } : , . | 0 -1".split(),
         "9" * 30, HUGE, '"', "'", "\\", "\u00e9", "\ud800", "\x00", " "]  # fmt: skip
expressions = st.one_of(st.lists(st.sampled_from(WORDS), max_size=14).map("".join), st.text(max_size=30))


@settings(max_examples=1500, deadline=None)
@given(expressions, st.booleans(), st.booleans())
@example("guest.tags[0:1][::0]", False, True)
def test_no_expression_ends_in_anything_else(expression, guests, of_disk):
    with contextlib.suppress(PolicyError):
        assert Selector("match", expression, guests).matches(DISK_SUBJECT if of_disk else GUEST_SUBJECT) in (
            True,
            False,
        )


def nested(levels):
    value = []
    for _level in range(levels):
        value = [value, {"a": value}]
    return value


@pytest.mark.parametrize(
    "value",
    ["x" * 10**6, "\x1b[2J\n\u202e\ud800", 10**5000, -(10**5000), [1] * 10**6, {n: "y" * 1000 for n in range(1000)}, nested(200), {"x" * 1000: 1},
     {10**5000: 1}, object(), b"\0" * 10**6, {"a"}, float("nan"), None, ""],
    ids=kind,
)  # fmt: skip
def test_what_an_error_shows_of_a_value_is_short_and_printable(value):
    for text in (shown(value), piece(value)):
        assert len(text) <= 60 and text.isprintable()


def test_what_an_error_shows_is_what_was_written():
    assert (
        shown(["a", {"b": 1}]) == "['a', {'b': 1}]"
        and shown("it's") == '"it\'s"'
        and piece("a b") == "a b"
        and shown([[[1]]]) == "[[[…]]]"
    )


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.builds(lambda: 10**5000), st.floats(), st.text(max_size=12), st.just("x" * 500), st.dates(),
              st.sampled_from(["threads", "none", "keep", "guest.template", "IO101", "2027-03-31", "block"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.one_of(st.text(max_size=5), st.integers()), inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip
KEYS = [
    "controller",
    "disk",
    "overrides",
    "waivers",
    "storage_types",
    "name",
    "match",
    "id",
    "rules",
    "until",
    "reason",
    "iothread",
    "aio",
    "cache",
    "loosen",
]
policies = st.recursive(
    anything,
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)),
    max_leaves=12,
)


@settings(max_examples=600, deadline=None)
@given(policies)
def test_no_policy_ends_in_anything_but_an_error_with_its_place(policy):
    with contextlib.suppress(PolicyError):
        _policy.parse(policy)


def test_paths_and_lists_are_whole_unless_they_are_without_end():
    assert (
        path("/a/" + "b" * 200) == "/a/" + "b" * 200
        and path("/" + "b" * 5000) == "/" + "b" * 253 + "…"
        and path("/\x1b") == "/\\x1b"
    )
    assert (
        some(["a", "b"]) == ["a", "b"]
        and some(list("abcdef")) == ["a", "b", "c", "d", "e", "and 1 more"]
        and some(["x" * 99]) == ["x" * 59 + "…"]
    )
