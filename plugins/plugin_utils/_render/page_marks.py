# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The page's small pictures, as inline SVG: a mark per state or severity, and stacked bars."""

from __future__ import annotations

from html import escape


def _octagon(radius: float) -> list:
    near, far = 0.5 - radius * 0.414, 0.5 + radius * 0.414
    low, high = 0.5 - radius, 0.5 + radius
    points = ((near, low), (far, low), (high, near), (high, far), (far, high), (near, high), (low, far), (low, near))
    return _polygon(points)


def _square(half: float) -> list:
    low, high = 0.5 - half, 0.5 + half
    return _polygon(((low, low), (high, low), (high, high), (low, high)))


def _polygon(points) -> list:
    path: list = []
    for number, (x, y) in enumerate(points):
        path += ["L" if number else "M", round(x, 3), round(y, 3)]
    return path


_CROSS = _polygon(
    (x / 10, y / 10)
    for x, y in ((0, 2), (2, 0), (5, 3), (8, 0), (10, 2), (7, 5), (10, 8), (8, 10), (5, 7), (2, 10), (0, 8), (3, 5))
)
_TRIANGLE = _polygon(((0.5, 0.03), (1, 0.95), (0, 0.95)))
_DIAMOND = _polygon(((0.5, 0), (1, 0.5), (0.5, 1), (0, 0.5)))

# name -> path in a box of 1 by 1, as (command, x, y) three by three; filled evenodd, so that two make a ring.
# What is in order is small, what needs somebody is large.
SHAPES = {
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
}


def mark(name: str) -> str:
    """The mark of a state or severity; a word always stands beside it."""
    steps = SHAPES[name]
    path = " ".join("%s%g %g" % (steps[at], steps[at + 1] * 12, steps[at + 2] * 12) for at in range(0, len(steps), 3))
    return (
        '<svg class="mark" viewBox="0 0 12 12" aria-hidden="true">'
        '<path class="%s" d="%sZ" fill-rule="evenodd"/></svg>' % (name, path)
    )


def stacked_bar(parts) -> str:
    """A stacked bar of (class, number, label); the numbers must stand in text beside it."""
    total = sum(number for _name, number, _label in parts)
    left = 0.0
    pieces = []
    for name, number, label in parts:
        if number:
            width = 100 * number / total
            pieces.append(
                '<rect class="%s" x="%.3f" width="%.3f" height="10"><title>%s</title></rect>'
                % (name, left, max(width - 0.3, 0.2), escape("%s: %d" % (label, number)))
            )
            left += width
    return '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">%s</svg>' % "".join(
        pieces
    )
