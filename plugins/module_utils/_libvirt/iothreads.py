# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The iothreads of a domain: how many there are, who uses them, and the text with more or fewer of them. Pure.

``<iothreads>`` says how many there are, ``<iothreadids>`` which ids they have; libvirt fills in what either leaves out
(virDomainDefParseIOThreads and virDomainIOThreadIDDefArrayInit, domain_conf.c).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from .._model.disk_io import MOST_IOTHREADS
from .._number import whole_number
from .._shown import shown
from . import devices
from .splice import EditError, Splice, lead, quote, taken_out
from .xml import Element

# What libvirt prints in front of <iothreads> (virDomainDefFormatInternalSetRootName), the nearest first.
_SOONER = (
    "vcpus",
    "vcpu",
    "memoryBacking",
    "memtune",
    "blkiotune",
    "currentMemory",
    "memory",
    "maxMemory",
    "metadata",
    "description",
    "title",
    "genid",
    "uuid",
    "name",
)


@dataclass(frozen=True)
class Iothreads:
    """The iothreads as a domain writes them: the elements ``<iothreads>`` and ``<iothreadids>``, the number of the one
    and the ids of the other, in their order.
    """

    count: Element | None
    ids: Element | None
    written: int
    listed: tuple[int, ...]

    @property
    def number(self) -> int | None:
        """How many there are; None where the domain does not say."""
        said = self.count is not None or bool(self.listed)
        return max(self.written, len(self.listed)) if said else None

    @property
    def every(self) -> tuple[int, ...]:
        """The ids of all, in libvirt's order."""
        return _filled(self.number or 0, self.listed)

    def has(self, id: int) -> bool:
        """Whether one of them has this id: it is listed, or among the lowest free ones that libvirt gives the rest."""
        lower = sum(each < id for each in self.listed)
        return id in self.listed or 0 < id - lower <= (self.number or 0) - len(self.listed)


def read(domain: Element) -> Iothreads:
    """The iothreads of a domain. Raises EditError where a number is none, or libvirt takes no such id."""
    count, ids = domain.child("iothreads"), domain.child("iothreadids")
    written = 0 if count is None else _number(count.text, "<iothreads>")
    listed = [_number(each.attributes.get("id", ""), "an id in <iothreadids>") for each in _each(ids)]
    if 0 in listed or len(set(listed)) != len(listed):
        raise EditError("<iothreadids> has an id twice, or 0; each takes another number from 1 on")
    return Iothreads(count, ids, written, tuple(listed))


def users(domain: Element, but: Iterable[Element] = ()) -> dict[int, list[str]]:
    """Id → the devices with that iothread, as a person knows them, ``but`` these."""
    found: dict[int, list[str]] = {}
    written = [device for each in domain.all("devices") for device in each.children]
    for device in written:
        if not any(device is other for other in but):
            for iothread in of(device):
                found.setdefault(iothread, []).append(name(device))
    return found


def of(device: Element) -> list[int]:
    """The iothreads of a device: that of its driver, or those that its driver maps queues to (libvirt 10.0)."""
    driver = device.child("driver")
    if driver is None:
        return []
    written = [driver.attributes.get("iothread", "0")]
    written += [each.attributes.get("id", "0") for each in driver.at("iothreads/iothread")]
    return [number for number in map(whole_number, written) if number]


def is_mapped(device: Element) -> bool:
    """Whether a device's driver maps its queues to several iothreads."""
    driver = device.child("driver")
    return driver is not None and bool(driver.at("iothreads/iothread"))


def changed(
    raw: bytes, domain: Element, number: int | None, used: dict[int, list[str]]
) -> tuple[list[Splice], tuple[int, ...]]:
    """The changes that give a domain so many iothreads, without a number none; and the ids of all of them then.

    Those that it has stay as they are. A new one gets the lowest id that is free, as libvirt itself chooses. Of fewer,
    the last ones go. Raises EditError where one of these is ``used``, is pinned to a CPU, or has settings of its own.
    """
    now = read(domain)
    if number == now.number:
        return [], now.every
    if number is None or number < (now.number or 0):
        return _fewer(raw, domain, now, number, used)
    return _more(raw, domain, now, number)


def least_used(ids: Sequence[int], used: dict[int, list[str]]) -> int:
    """The id that the fewest devices have, of several the first."""
    return min(ids, key=lambda each: len(used.get(each, ())))


def _more(raw: bytes, domain: Element, now: Iothreads, number: int) -> tuple[list[Splice], tuple[int, ...]]:
    before = now.every
    after = _filled(number, before)
    if now.count is not None:
        splices = _counted(raw, now, number)
    else:
        splices = [] if now.listed else [_count(raw, domain, number)]
    if now.listed:
        last = _each(now.ids)[-1]
        mark = quote(raw[last.start : last.open_end])
        new = [lead(raw, last) + b"<iothread id=" + mark + b"%d" % each + mark + b"/>" for each in after[len(before) :]]
        splices.append(Splice(last.end, last.end, b"".join(new)))
    return splices, after


def _fewer(
    raw: bytes, domain: Element, now: Iothreads, number: int | None, used: dict[int, list[str]]
) -> tuple[list[Splice], tuple[int, ...]]:
    going = (now.number or 0) - (number or 0)
    listed = now.listed[: max(len(now.listed) - going, 0)] if number else ()
    after = _filled(number or 0, listed)
    _refuse_used(domain, now, [each for each in now.every if each not in after], used)
    splices = []
    if now.count is not None:
        splices += [taken_out(raw, now.count)] if number is None else _counted(raw, now, number)
    if now.ids is not None and now.listed and not listed:
        splices.append(taken_out(raw, now.ids))
    else:
        splices += [taken_out(raw, each) for each in _each(now.ids)[len(listed) :]]
    return splices, after


def _filled(number: int, listed: Sequence[int]) -> tuple[int, ...]:
    """The listed ids, and the lowest free ones behind them until there are so many."""
    if max(number, len(listed)) > MOST_IOTHREADS:
        raise EditError(f"it would have {max(number, len(listed))} iothreads; {MOST_IOTHREADS} are the most")
    taken = set(listed)
    free = [each for each in range(1, number + 1) if each not in taken]
    return (*listed, *free[: max(number - len(listed), 0)])


def _counted(raw: bytes, now: Iothreads, number: int) -> list[Splice]:
    """The text of <iothreads>; one that is below the listed ids counts for nothing and stays."""
    count = now.count
    if count is None or now.written != now.number:
        return []
    start = count.open_end
    text = raw[start : count.end].rpartition(b"</")[0]
    if whole_number(text) is None:
        raise EditError(f"its <iothreads> has more in it than a number: {shown(text.decode())}")
    start += len(text) - len(text.lstrip())
    return [Splice(start, start + len(text.strip()), b"%d" % number)]


def _count(raw: bytes, domain: Element, number: int) -> Splice:
    """A new <iothreads>, at the place where libvirt prints it."""
    for name in _SOONER:
        before = domain.child(name)
        if before is not None:
            return Splice(before.end, before.end, lead(raw, before) + b"<iothreads>%d</iothreads>" % number)
    raise EditError("it has no name, so it is no definition of libvirt")


def _refuse_used(domain: Element, now: Iothreads, gone: Collection[int], used: dict[int, list[str]]) -> None:
    for each in gone:
        if used.get(each):
            raise EditError(
                f"iothread {each} cannot be taken away, {', '.join(used[each])} has it; give that another one, or none"
            )
    pinned = {whole_number(pin.attributes.get("iothread", "")) for pin in domain.at("cputune/iothreadpin")}
    if pinned.intersection(gone) or (gone and domain.at("cputune/iothreadsched")):
        raise EditError(
            f"iothread {_words(gone)} cannot be taken away, <cputune> has settings for it; take those away first"
        )
    for each, element in zip(now.listed, _each(now.ids)):
        if each in gone and (len(element.attributes) > 1 or element.children):
            raise EditError(
                f"iothread {each} cannot be taken away, it has settings in <iothreadids>; take those away first"
            )


def _each(ids: Element | None) -> list[Element]:
    return [] if ids is None else ids.all("iothread")


def _number(text: str, what: str) -> int:
    if not text:
        raise EditError(f"{what} is empty; write a number, or take it out")
    number = whole_number(text) if text == text.rstrip() else None
    if number is None:
        raise EditError(f"{what} is {shown(text)}, which is no number")
    return number


def name(device: Element) -> str:
    """What a person calls a device: ``vda``, ``scsi controller 0``."""
    if device.name == "disk":
        return devices.key(device)
    kind = device.attributes.get("type", "")
    index = device.attributes.get("index", "")
    return " ".join(word for word in (kind, device.name, index) if word)


def _words(ids: Iterable[int]) -> str:
    return ", ".join(map(str, ids))
