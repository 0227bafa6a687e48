# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Where two texts of one domain differ, and the proof that a write lost nothing. Pure.

Blanks, the form of a text, and the order of attributes and of devices other than disks do not count; all else does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from .._shown import shown
from . import devices
from .edit import ATTRIBUTES
from .xml import Element, parse

_COMMENT = re.compile(rb"<!\[CDATA\[.*?\]\]>|<\?.*?\?>|(<!--.*?-->)", re.DOTALL)

_DEVICE = re.compile(r"(?:disk|controller) ")

#: The attributes of a driver that a plan sets.
OURS = (*ATTRIBUTES.values(), "iothread")

# What may be shown; anything else in a definition may be a password.
_SHOWN = (*(f"@{name}" for name in OURS), "iothreads")


class Difference(NamedTuple):
    """The place of a difference, names of elements and at last ``@`` an attribute, and what stands there on each side:
    text, an element that the other side does not have, or None.
    """

    place: tuple[str, ...]
    old: str | Element | None
    new: str | Element | None


def lost(written: bytes, after: bytes) -> list[str]:
    """A sentence for each thing that reads back otherwise than it was written; none proves the write.

    Raises XmlError.
    """
    found = [_sentence(each) for each in differences(parse(written), parse(after))]
    if _comments(written) != _comments(after):
        found.append("the comments are not what they were")
    return found


def differences(old: Element, new: Element, place: tuple[str, ...] = ()) -> Iterator[Difference]:
    """Where two elements differ."""
    for name in dict.fromkeys([*old.attributes, *new.attributes]):
        values = old.attributes.get(name), new.attributes.get(name)
        if values[0] != values[1]:
            yield Difference((*place, f"@{name}"), *values)
    texts = " ".join(old.text.split()), " ".join(new.text.split())
    if texts[0] != texts[1]:
        yield Difference(place, *texts)
    before, after = _named(old), _named(new)
    for name, child in before.items():
        if name in after:
            yield from differences(child, after[name], (*place, name))
        else:
            yield Difference((*place, name), child, None)
    for name, child in after.items():
        if name not in before:
            yield Difference((*place, name), None, child)
    order = _disks(before), _disks(after)
    if order[0] != order[1] and sorted(order[0]) == sorted(order[1]):
        yield Difference((*place, "the order of the disks"), ", ".join(order[0]), ", ".join(order[1]))


def is_ours(difference: Difference) -> bool:
    """Whether a difference is of a kind that an edit makes."""
    place = difference.place
    if place[:1] in (("iothreads",), ("iothreadids",)):
        return True
    of_driver = len(place) > 2 and place[0] == "devices" and _DEVICE.match(place[1]) and place[2] == "driver"
    if of_driver and len(place) == 3:
        driver = difference.old or difference.new
        return isinstance(driver, Element) and not driver.children and set(driver.attributes) <= set(OURS)
    return bool(of_driver) and len(place) == 4 and place[3][1:] in OURS


def _named(element: Element) -> dict[str, Element]:
    """The children by names that tell them apart."""
    found: dict[str, Element] = {}
    times: Counter[str] = Counter()
    for child in element.children:
        name = _name(child)
        times[name] += 1
        found[name if times[name] == 1 else f"{name} ({times[name]})"] = child
    return found


def _name(element: Element) -> str:
    if element.name == "disk":
        return f"disk {devices.key(element)}"
    words = {"controller": ("type", "index"), "iothread": ("id",)}.get(element.name, ())
    return " ".join([element.name, *(element.attributes[word] for word in words if word in element.attributes)])


def _disks(named: dict[str, Element]) -> list[str]:
    # A guest may boot from the first one. libvirt 9.0 itself moves a controller that it added before (recorded).
    return [name for name, element in named.items() if element.name == "disk"]


def _sentence(difference: Difference) -> str:
    *place, last = difference.place or ("the domain",)
    what = "/".join([*place, last])
    if last.startswith("@"):
        what = f"{last[1:]} of {'/'.join(place) or 'the domain'}"
    if difference.new is None:
        return f"{what} is gone"
    if difference.old is None:
        return f"{what} is new"
    if last in _SHOWN:
        return f"{what} reads back as {shown(difference.new)}, {shown(difference.old)} was written"
    return f"{what} is not what was written"


def _comments(raw: bytes) -> list[list[bytes]]:
    return [found[1].split() for found in _COMMENT.finditer(raw) if found[1]]
