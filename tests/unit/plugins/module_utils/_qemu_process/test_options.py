# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""QEMU's option syntax."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._qemu_process.options import (
    nest,
    parse_json,
    parse_object,
    split_options,
    walk,
)


@pytest.mark.parametrize(
    ("text", "implied", "expected"),
    [
        ("a=1,b=2", None, {"a": "1", "b": "2"}),
        ("scsi-hd,id=scsi0", "driver", {"driver": "scsi-hd", "id": "scsi0"}),
        ("file=/a,,b,,,,c.raw,if=none", None, {"file": "/a,b,,c.raw", "if": "none"}),
        ("aio=native,aio=threads", None, {"aio": "threads"}),
        ("socket,server", "backend", {"backend": "socket", "server": "on"}),
        ("file=/a=b", None, {"file": "/a=b"}),
        ("", None, {}),
    ],
)
def test_options_are_split_as_qemu_splits_them(text, implied, expected):
    assert split_options(text, implied) == expected


def test_dots_nest_and_a_path_next_to_them_becomes_the_file_name():
    assert nest({"file": "/a", "file.locking": "off"}) == {"file": {"filename": "/a", "locking": "off"}}
    assert nest({"file.locking": "off", "file": "/a"}) == {"file": {"filename": "/a", "locking": "off"}}
    assert nest({"cache.direct": "on", "driver": "file"}) == {"cache": {"direct": "on"}, "driver": "file"}


@pytest.mark.parametrize("text", ["{", "{]", '{"a":' * 100000, "{1}"])
def test_json_that_cannot_be_read_is_a_value_error(text):
    with pytest.raises(ValueError):
        parse_object(text, "driver")


def test_options_without_a_value_do_not_swallow_the_next():
    argv = ["qemu", "-S", "disk.img", "--drive", "file=a", "-unheard-of", "value", "-enable-kvm", "-hda", "b", "-h"]
    assert list(walk(argv)) == [
        ("S", None),
        ("", "disk.img"),
        ("drive", "file=a"),
        ("unheard-of", "value"),
        ("enable-kvm", None),
        ("hda", "b"),
        ("h", None),
    ]


def test_a_value_may_look_like_a_number_below_zero():
    assert list(walk(["qemu", "-rtc", "-5", "-hda", "a"])) == [("rtc", "-5"), ("hda", "a")]


@pytest.mark.parametrize(
    ("text", "says"),
    [('{"a": [-%s]}' % ("1" * 20), "a number of 21 digits"), ('{"a":' * 65 + "1" + "}" * 65, "nested too deeply"), ("[" * 10**6, "nested too deeply"),
     ("[1]", "not a JSON object")],
)  # fmt: skip
def test_json_that_qemu_would_not_be_given(text, says):
    with pytest.raises(ValueError, match=says):
        parse_json(text)


def test_strings_of_json_can_be_put_out():
    assert parse_json('{"\\ud800": ["\\udfff", "ä\\ud83d\\ude00"]}') == {"\\ud800": ["\\udfff", "ä😀"]}
