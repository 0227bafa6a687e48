# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""What is asked for on a host. Pure, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._number import whole_number
from .._shown import shown
from .._text import amount, visible

MODES = ("auto", "ratio", "bytes")
STATES = ("present", "absent")

SMALLEST_BYTES = 2 * 65536
"""Two pages of the largest page size: the kernel refuses dirty_bytes below two pages."""

SHORT_BYTES = 32 << 20
"""What ``auto`` takes for rotational disks under guests, half of it in the background. Measured at a queue of 160 MB on
40 MB/s: 32/16 MiB made the longest freeze of 3.3 s one of 0.3 s, and 480/240 MB changed nothing (docs/evidence.md)."""

SHORTEST_BYTES = 8 << 20
"""The least that ``auto`` takes: the limit is for all disks of the host, and below it fast ones would starve."""


class SettingsError(ValueError):
    """A setting that is not allowed; the message names it, its value and what is allowed."""


def check_settings(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """The settings, checked together, with whole numbers.

    ``settings`` are ``{mode, state, take_over, ratio, background_ratio, limit_bytes, background_limit_bytes}``; numbers
    may be text. Raises SettingsError, which names a setting with ``prefix``, as its user spells it.
    """
    settings = dict(settings)
    for name, allowed in (("mode", MODES), ("state", STATES)):
        if settings[name] not in allowed:
            raise SettingsError(f"{prefix}{name} is {shown(settings[name])}; allowed are {', '.join(allowed)}")
    for upper, lower, least, most, unit in (
        ("ratio", "background_ratio", 1, 100, "percent"),
        ("limit_bytes", "background_limit_bytes", SMALLEST_BYTES, 2**43, "bytes"),
    ):
        for name in (upper, lower):
            value = whole_number(settings[name]) if isinstance(settings[name], str) else settings[name]
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise SettingsError(
                    f"{prefix}{name} is {shown(settings[name])}; allowed are whole {unit} from {least} to {most}"
                )
            settings[name] = value
        if settings[lower] >= settings[upper]:
            raise SettingsError(
                f"{prefix}{lower} ({settings[lower]}) is not below {prefix}{upper} ({settings[upper]});"
                f" the kernel would halve it by itself: choose a smaller {lower}"
            )
    return settings


def wanted_limits(
    settings: dict[str, Any], total: int | None, devices: Sequence[dict[str, Any]] = ()
) -> tuple[dict[str, int], str]:
    """The limits that the settings ask for on a host, and why: ``(limits, reason)``.

    ``total`` is MemTotal in bytes, None where unknown; then ``auto`` takes the ratios. ``auto`` decides by the
    *installed* memory, although the kernel's percentages are of the available memory: that changes with every guest
    that starts, and a decision that follows it would rewrite the host on every second run. ``devices`` are the host's
    disks: where guests lie on rotational ones, ``auto`` takes no more than :func:`_short_limit`.
    """
    ratios = {"dirty_ratio": settings["ratio"], "dirty_background_ratio": settings["background_ratio"]}
    amounts = {"dirty_bytes": settings["limit_bytes"], "dirty_background_bytes": settings["background_limit_bytes"]}
    if settings["mode"] == "ratio":
        return ratios, "mode ratio"
    if settings["mode"] == "bytes":
        return amounts, "mode bytes"
    if total is None:
        return ratios, "mode auto: the installed memory is not known, so the ratios are taken"
    why = ""
    short = _short_limit(devices)
    if short is not None and short[0] < amounts["dirty_bytes"]:
        limit, why = short
        background = min(amounts["dirty_background_bytes"], limit // 2)
        amounts = {"dirty_bytes": limit, "dirty_background_bytes": background}
    for ratio, limit_key in (("dirty_ratio", "dirty_bytes"), ("dirty_background_ratio", "dirty_background_bytes")):
        if total * ratios[ratio] // 100 > amounts[limit_key]:
            more = f"{ratios[ratio]} % of {amount(total)} is more than {amount(amounts[limit_key])}"
            return amounts, f"mode auto: {more}{why}"
    within = amount(amounts["dirty_bytes"])
    return ratios, f"mode auto: {ratios['dirty_ratio']} % of {amount(total)} is within {within}{why}"


def _short_limit(devices: Sequence[dict[str, Any]]) -> tuple[int, str] | None:
    """``(limit, why)`` where guests lie on rotational disks, None where they lie on none.

    It is what was measured, and half or a quarter of it where the smallest queue is shorter still. A queue that our own
    udev rules shortened says nothing about the disk: the run after the one that shortened it decides the same.
    """
    slow = [device for device in devices if device["rotational"] and device["images"]]
    if not slow:
        return None
    own = [device for device in slow if not device["shortened"]]
    disk = min(own or slow, key=lambda device: (device["queue_bytes"], device["name"]))
    limit = SHORT_BYTES
    while own and limit > SHORTEST_BYTES and limit >= disk["queue_bytes"]:
        limit //= 2
    queue = "the policy shortens its queue" if disk["shortened"] else f"queues {amount(disk['queue_bytes'])}"
    where = f"of {', '.join(disk['images'])}"
    return limit, f", which {disk['name']} decides: it is rotational, holds guests' images {where}, and {queue}"


def shortened(text: str) -> str:
    """A line of a file, for a person: one line of visible characters, at most a hundred of them."""
    return visible(text if len(text) <= 100 else f"{text[:97]}...")
