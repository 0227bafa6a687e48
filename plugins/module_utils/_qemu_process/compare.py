# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a disk runs with, held against what it should run with. No I/O."""

from __future__ import annotations

from .._model import OPTIONS


def differences(runs, expected):
    """[{option, runs, configured}] for aio, cache and iothread of one disk.

    Both arguments have the keys of "runs" and "effective" in docs/data.md, or are None (not known). A value
    that is not known on either side is no difference.
    """
    if runs is None or expected is None:
        return []
    return [
        {"option": option, "runs": runs[option], "configured": expected[option]}
        for option in OPTIONS
        if runs[option] is not None and expected[option] is not None and runs[option] != expected[option]
    ]


def compare(disks, against="effective"):
    """[{key, option, runs, configured}] over the disks of a guest record (docs/data.md).

    `against` is "effective" (the config the guest should have been started from) or "next" (what a cold
    start would bring, which is the same where nothing waits).
    """
    found = []
    for disk in disks:
        expected = disk["effective"]
        if against == "next" and disk["next"] is not None:
            expected = disk["next"]
        found.extend(dict(difference, key=disk["key"]) for difference in differences(disk["runs"], expected))
    return found
