# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""What the role's variables ask for on a host. Pure, no I/O."""

from __future__ import annotations

from .._number import whole_number
from .._shown import shown
from .._text import visible

MODES = ("auto", "ratio", "bytes")
STATES = ("present", "absent")

SMALLEST_BYTES = 2 * 65536
"""Two pages of the largest page size; the kernel refuses dirty_bytes below two pages."""

_MIB = 1024 * 1024


class SettingsError(ValueError):
    """A setting that cannot be meant: says which, what it is and what is allowed."""


def check_settings(settings):
    """The settings with whole numbers, checked as a whole.

    :param settings: ``{mode, state, take_over, ratio, background_ratio, limit_bytes, background_limit_bytes}``, numbers
        also as text
    :raises SettingsError: with the variable's name, a piece of its value and what is allowed
    """
    settings = dict(settings)
    for name, allowed in (("mode", MODES), ("state", STATES)):
        if settings[name] not in allowed:
            raise SettingsError(
                "host_writeback_{} is {}; allowed are {}".format(name, shown(settings[name]), ", ".join(allowed))
            )
    for upper, lower, least, most, unit in (
        ("ratio", "background_ratio", 1, 100, "percent"),
        ("limit_bytes", "background_limit_bytes", SMALLEST_BYTES, 2**43, "bytes"),
    ):
        for name in (upper, lower):
            value = whole_number(settings[name]) if isinstance(settings[name], str) else settings[name]
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise SettingsError(
                    "host_writeback_%s is %s; allowed are whole %s from %d to %d"
                    % (name, shown(settings[name]), unit, least, most)
                )
            settings[name] = value
        if settings[lower] >= settings[upper]:
            raise SettingsError(
                "host_writeback_%s (%d) is not below host_writeback_%s (%d); the kernel would halve it by itself:"
                " choose a smaller %s" % (lower, settings[lower], upper, settings[upper], lower)
            )
    return settings


def wanted_limits(settings, total):
    """The limits the settings ask for on a host, and why.

    ``auto`` decides by the *installed* memory, not by the available memory the kernel takes its
    percentages of: available memory moves with every guest that starts, and a decision that moves with
    it would rewrite the host on every second run.

    :param total: MemTotal in bytes, ``None`` where unknown; then ``auto`` takes the ratios
    :returns: ``(limits, reason)``
    """
    ratios = {"dirty_ratio": settings["ratio"], "dirty_background_ratio": settings["background_ratio"]}
    amounts = {"dirty_bytes": settings["limit_bytes"], "dirty_background_bytes": settings["background_limit_bytes"]}
    if settings["mode"] == "ratio":
        return ratios, "mode ratio"
    if settings["mode"] == "bytes":
        return amounts, "mode bytes"
    if total is None:
        return ratios, "mode auto: the installed memory is not known, so the ratios are taken"
    for ratio, limit in (("dirty_ratio", "dirty_bytes"), ("dirty_background_ratio", "dirty_background_bytes")):
        if total * ratios[ratio] // 100 > amounts[limit]:
            return amounts, "mode auto: %d %% of %s is more than %s" % (
                ratios[ratio],
                amount(total),
                amount(amounts[limit]),
            )
    return ratios, "mode auto: %d %% of %s is within %s" % (
        ratios["dirty_ratio"],
        amount(total),
        amount(amounts["dirty_bytes"]),
    )


def shortened(text):
    """A line out of a file for a person: one line, every character of which can be seen, of no more than a hundred."""
    return visible(text if len(text) <= 100 else f"{text[:97]}...")


def amount(number):
    """A number of bytes for a person."""
    if number >= 1024 * _MIB:
        return "%.1f GiB" % (number / (1024.0 * _MIB))
    return "%d MiB" % (number // _MIB) if number >= _MIB else "%d bytes" % number
