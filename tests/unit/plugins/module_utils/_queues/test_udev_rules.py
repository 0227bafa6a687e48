# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Our file of udev's rules: what is written is read back, and nobody's lines are lost."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._queues.udev_rules import ID, edit, parse

from .machine import WWN

# These lines set sda's queue on Debian 12 (udev 252) and 13 (udev 257), when it was added and at boot.
MATCH = f'ACTION=="add|change", SUBSYSTEM=="block", ENV{{DEVTYPE}}=="disk", SYMLINK=="disk/by-id/{WWN}", '
QUEUE = MATCH + 'ATTR{queue/max_sectors_kb}="128", ATTR{queue/nr_requests}="16"\n'
SYSCTL = (
    MATCH + 'PROGRAM=="/usr/lib/systemd/systemd-sysctl --prefix=vm/dirty_bytes --prefix=vm/dirty_ratio'
    ' --prefix=vm/dirty_background_bytes --prefix=vm/dirty_background_ratio", ENV{IO_HARDENING_LIMITS}="set"\n'
)
LIMIT = MATCH + 'ATTR{bdi/max_bytes}="33554432", ATTR{bdi/strict_limit}="1"\n'
ALL = {"nr_requests": "16", "max_sectors_kb": "128", "max_bytes": "33554432", "strict_limit": "1"}

ids = st.from_regex(ID, fullmatch=True)
settings = st.dictionaries(st.sampled_from(sorted(ALL)), st.integers(1, 10**12).map(str), min_size=1)


def test_the_text_is_the_one_that_was_tried():
    header, rest = edit("", WWN, ALL).split("\n", 1)
    assert header.startswith("# Written by the hypervisor.io_hardening collection")
    assert rest == QUEUE + SYSCTL + LIMIT


def test_the_hosts_limit_comes_first_only_where_a_devices_own_follows():
    assert "PROGRAM" not in edit("", WWN, {"nr_requests": "16"})
    assert edit("", WWN, {"max_bytes": "33554432"}).count("PROGRAM") == 1


def test_lines_of_others_stay_and_the_file_goes_with_the_last_rule():
    others = '# mine\nKERNEL=="sdz", ATTR{queue/nr_requests}="8"'
    text = edit(others, WWN, ALL)
    assert text.startswith(others + "\n")
    assert edit(text, WWN, {}) == others + "\n"
    assert edit(edit("", WWN, ALL), WWN, {}) == ""


@given(st.dictionaries(ids, settings, min_size=1, max_size=5), settings)
def test_what_is_written_is_read_back_and_one_disk_does_not_touch_another(rules, other):
    text = ""
    for disk, options in rules.items():
        text = edit(text, disk, options)
    assert parse(text) == rules
    changed = next(iter(rules))
    assert parse(edit(text, changed, other)) == {**rules, changed: other}
    assert edit(edit(text, changed, other), changed, other) == edit(text, changed, other)


def test_a_line_that_somebody_edited_is_not_ours():
    assert parse(QUEUE.replace("add|change", "add")) == {}
    assert parse(MATCH + 'ATTR{queue/scheduler}="none"\n') == {}
    assert parse("\x00\n" + QUEUE) == {WWN: {"max_sectors_kb": "128", "nr_requests": "16"}}
