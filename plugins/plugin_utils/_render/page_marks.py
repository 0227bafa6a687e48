# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The page's small pictures: a mark per state or severity, and stacked bars, as numbers for inline SVG."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Path = list[Any]


def _octagon(radius: float) -> Path:
    near, far = 0.5 - radius * 0.414, 0.5 + radius * 0.414
    low, high = 0.5 - radius, 0.5 + radius
    return _polygon(
        (near, low), (far, low), (high, near), (high, far), (far, high), (near, high), (low, far), (low, near)
    )


def _square(half: float) -> Path:
    low, high = 0.5 - half, 0.5 + half
    return _polygon((low, low), (high, low), (high, high), (low, high))


def _polygon(*points: tuple[float, float]) -> Path:
    return [step for number, (x, y) in enumerate(points) for step in ("L" if number else "M", round(x, 3), round(y, 3))]


_CROSS = _polygon(
    (0, 0.2), (0.2, 0), (0.5, 0.3), (0.8, 0), (1, 0.2), (0.7, 0.5),
    (1, 0.8), (0.8, 1), (0.5, 0.7), (0.2, 1), (0, 0.8), (0.3, 0.5),
)  # fmt: skip
_TICK = _polygon((0, 0.55), (0.17, 0.38), (0.38, 0.59), (0.83, 0.1), (1, 0.27), (0.38, 0.93))
_TRIANGLE = _polygon((0.5, 0.03), (1, 0.95), (0, 0.95))
_DIAMOND = _polygon((0.5, 0), (1, 0.5), (0.5, 1), (0, 0.5))

#: Name to its path in a box of 1 by 1, as (command, x, y) in threes; filled evenodd, so that two make a ring.
#: What is compliant is small, what needs attention is large.
SHAPES: dict[str, Path] = {
    "failed": _CROSS,
    "unresolved": _square(0.48) + _square(0.22),
    "restart_pending": _DIAMOND,
    "to_change": _TRIANGLE,
    "changed": _octagon(0.42),
    "waived": _octagon(0.46) + _octagon(0.22),
    "compliant": _square(0.26),
    "error": _CROSS,
    "warning": _TRIANGLE,
    "note": _octagon(0.4),
    "passed": _TICK,
}


def path(name: str) -> str:
    """The path of a mark in a box of 12 by 12."""
    steps = iter(SHAPES[name])
    return " ".join(f"{command}{x * 12:g} {y * 12:g}" for command, x, y in zip(steps, steps, steps)) + "Z"


def stacked(parts: Iterable[tuple[str, int, str]]) -> list[dict[str, Any]]:
    """The pieces of a stacked bar from (class, number, label); the numbers must be in a text next to it."""
    parts = list(parts)
    total = sum(number for _name, number, _label in parts)
    left, pieces = 0.0, []
    for name, number, label in parts:
        if number:
            width = 100 * number / total
            pieces.append(
                {
                    "class": name,
                    "x": f"{left:.3f}",
                    "width": f"{max(width - 0.3, 0.2):.3f}",
                    "label": f"{label}: {number}",
                }
            )
            left += width
    return pieces
