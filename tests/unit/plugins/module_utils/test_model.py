# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The small functions that every room needs."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._model.disk_io import (
    differing,
    refused_at_start,
)
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._text import (
    amount,
    exact_amount,
    failed_guests,
    natural_key,
    one_line,
    visible,
)


def values(aio="threads", cache="none", iothread=True):
    return {"driver": "file", "aio": aio, "cache": cache, "iothread": iothread}


def test_only_what_differs_and_is_known_on_both_sides():
    assert differing(values(), values()) == {}
    assert differing(values("native", "writeback", False), values()) == {
        "iothread": (False, True),
        "aio": ("native", "threads"),
        "cache": ("writeback", "none"),
    }
    assert differing(values("native", "writeback"), values(), ["cache"]) == {"cache": ("writeback", "none")}
    assert differing(values(aio=None, iothread=None), values()) == {}
    assert differing(None, values()) == differing(values(), None) == {}


def test_native_with_a_cached_mode_is_what_qemu_refuses():
    assert (
        refused_at_start("scsi0", values("native", "writeback"))
        == "scsi0 would have aio native with cache writeback, which QEMU refuses"
    )
    assert (
        refused_at_start("scsi0", values("native", "none"))
        is refused_at_start("scsi0", values("threads", "writeback"))
        is None
    )
    assert refused_at_start("scsi0", values("native", None)) is refused_at_start("scsi0", None) is None


def test_numbers_of_any_length_are_ordered_and_shown():
    """Python refuses to read or to print a number of more than 4,300 digits."""
    names = ["scsi", "scsi0", "scsi2", "scsi10", "scsi" + "1" * 5000, "scsi2" + "0" * 5000]
    assert sorted(reversed(names), key=natural_key) == names
    assert natural_key("007") == natural_key("7")
    assert visible(10**5000) == visible([10**5000]) == "a number too long to print"


def test_lines_become_one_and_nothing_else_does():
    assert one_line("a\n\n  b\r\nc\n") == "a; b; c" and one_line("\x1b\ta") == "\\x1b\\ta" and one_line(None) == ""
    assert visible("a\nb") == "a\\nb"


def test_failed_guests_are_named_up_to_a_number_and_with_their_node_where_two_have_the_same():
    failed = [
        {"guest": guest, "node": node, "reason": "not_proven"} for guest, node in (("1", "a"), ("1", "b"), ("2", "a"))
    ]
    assert failed_guests(failed) == "3 guests failed (not proven: 1 on a, 1 on b, 2)"
    assert failed_guests([{**failed[2], "reason": None}]) == "1 guest failed (no reason given: 2)"
    assert (
        failed_guests([*failed, {**failed[2], "guest": "3", "reason": "busy"}], most=1)
        == "4 guests failed (not proven: 1 on a and 2 more; busy: 3)"
    )


@pytest.mark.parametrize(
    ("number", "rounded", "exact"),
    [
        (268435456, "256 MiB", "256 MiB"),
        (268435457, "256 MiB", "268435457 bytes"),
        (64 << 30, "64 GiB", "64 GiB"),
        (3 << 29, "1.5 GiB", "1536 MiB"),
        (131072, "131072 bytes", "131072 bytes"),
        (0, "0 bytes", "0 bytes"),
    ],
)
def test_bytes_are_read_as_mib_and_no_setting_is_rounded(number, rounded, exact):
    assert (amount(number), exact_amount(number)) == (rounded, exact)
