# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What systemd reads, in which order it writes. The expectations were seen on systemd-sysctl 252."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._sysctl.assignments import (
    comment_out,
    matches,
    normalize_key,
    parse,
    precedence,
    write_order,
)

KEYS = ["vm/dirty_ratio", "vm/dirty_bytes", "vm/dirty_background_ratio", "vm/dirty_background_bytes"]


def written(*texts):
    assignments = [one for text in texts for one in parse(text)]
    return [(key.partition("/")[2], one["value"]) for key, one in write_order(assignments, KEYS)]


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("vm.dirty_ratio=2", "vm/dirty_ratio", "2"),
        ("  vm.dirty_ratio \t= 2 \r", "vm/dirty_ratio", "2"),
        ("vm/dirty_ratio = 2", "vm/dirty_ratio", "2"),
        ("/vm//dirty_ratio = 2", "vm/dirty_ratio", "2"),
        ("-vm.dirty_ratio = 2", "vm/dirty_ratio", "2"),
        ("-vm.dirty_ratio", "vm/dirty_ratio", None),
        ("vm.dirty_ratio = 2 # a comment is part of the value", "vm/dirty_ratio", "2 # a comment is part of the value"),
        ("vm.dirty_ratio =", "vm/dirty_ratio", ""),
        ("net.ipv4.conf.eth0/10.forwarding=1", "net/ipv4/conf/eth0.10/forwarding", "1"),
        ("net/ipv4/conf/eth0.10/forwarding=1", "net/ipv4/conf/eth0.10/forwarding", "1"),
    ],
)
def test_lines_that_assign(text, key, value):
    assert [(one["key"], one["value"]) for one in parse(text)] == [(key, value)]


@pytest.mark.parametrize("text", ["", "  ", "# vm.dirty_ratio=2", " ; vm.dirty_ratio=2", "vm.dirty_ratio 2", "=2", "-"])
def test_lines_that_do_not(text):
    assert parse(text) == []


def test_line_numbers_count_every_line():
    assert [one["line"] for one in parse("# x\n\nvm.a=1\nodd\nvm.b=2\n")] == [3, 5]


def test_the_last_assignment_wins():
    assert written("vm.dirty_ratio=40", "vm.dirty_ratio=2") == [("dirty_ratio", "2")]


def test_another_value_moves_to_the_end_and_the_same_value_does_not():
    assert written("vm.dirty_ratio=2", "vm.dirty_bytes=9", "vm.dirty_ratio=3") == [
        ("dirty_bytes", "9"),
        ("dirty_ratio", "3"),
    ]
    assert written("vm.dirty_ratio=2", "vm.dirty_bytes=9", "vm.dirty_ratio=2") == [
        ("dirty_ratio", "2"),
        ("dirty_bytes", "9"),
    ]


def test_globs_do_not_set_named_keys_and_are_written_in_the_order_of_names():
    assert written("vm.dirty_ratio=2\nvm.dirty_*=5") == [
        ("dirty_ratio", "2"),
        ("dirty_background_bytes", "5"),
        ("dirty_background_ratio", "5"),
        ("dirty_bytes", "5"),
    ]
    assert written("-vm.dirty_ratio\nvm/dirty_r*=5") == []


def test_an_exclusion_takes_back_an_earlier_assignment():
    assert written("vm.dirty_ratio=2", "-vm.dirty_ratio") == []
    assert written("-vm.dirty_ratio", "vm.dirty_ratio=2") == [("dirty_ratio", "2")]


def test_a_star_does_not_cross_a_slash():
    assert matches("*/dirty_ratio", "vm/dirty_ratio")
    assert not matches("*dirty_ratio", "vm/dirty_ratio")
    assert not matches("vm/dirty_[^r]*", "vm/dirty_ratio")


def test_precedence_masks_by_name_and_sorts_across_directories():
    assert precedence(
        {
            "/usr/lib/sysctl.d": ["50-default.conf", "99-x.conf", "README"],
            "/run/sysctl.d": ["99-x.conf", "10-run.conf"],
            "/etc/sysctl.d": ["99-x.conf", "60-etc.conf", ".60-etc.conf", "60-etc.conf~"],
        }
    ) == [
        ("/run/sysctl.d/10-run.conf", []),
        ("/usr/lib/sysctl.d/50-default.conf", []),
        ("/etc/sysctl.d/60-etc.conf", []),
        ("/etc/sysctl.d/99-x.conf", ["/run/sysctl.d/99-x.conf", "/usr/lib/sysctl.d/99-x.conf"]),
    ]


def test_names_sort_as_bytes():
    names = ["99-a.conf", "99-Z.conf", "99-\u00e9.conf", "99.conf", "9-a.conf"]
    assert [path.rpartition("/")[2] for path, _masked in precedence({"/etc/sysctl.d": names})] == [
        "9-a.conf",
        "99-Z.conf",
        "99-a.conf",
        "99-\u00e9.conf",
        "99.conf",
    ]


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line), max_size=6), st.sets(st.integers(1, 6)))
def test_commenting_out_keeps_every_other_byte(lines, numbers):
    raw = b"\n".join(lines)
    kept = comment_out(raw, numbers, "why").split(b"\n")
    expected = []
    for number, line in enumerate(raw.split(b"\n"), start=1):
        expected += [b"# why", b"# " + line] if number in numbers else [line]
    assert kept == expected


@given(st.text(max_size=200))
def test_any_text_parses_and_what_is_commented_out_is_gone(text):
    lines = parse(text)
    numbers = {one["line"] for one in lines}
    raw = comment_out(text.encode("utf-8", "surrogatepass"), numbers, "why")
    assert parse(raw.decode("utf-8", "surrogatepass")) == []


@given(st.text(alphabet="ab./", max_size=12))
def test_a_normalized_slash_key_stays(key):
    once = normalize_key(key)
    if "/" in once and "." not in once.partition("/")[0]:
        assert normalize_key(once) == once
