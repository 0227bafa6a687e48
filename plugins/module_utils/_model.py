# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The words of the field, as plain values: the ground floor, which imports nothing of ours.

docs/data.md shows every shape whole. What stands here are the closed sets of
values and the small functions that every room needs.
"""

from __future__ import annotations

import collections
import re
from collections.abc import Iterable
from typing import Any

#: The three options this collection sets on a disk.
OPTIONS = ("iothread", "aio", "cache")

#: QEMU's ways to submit I/O (``qemu(1)``, ``-blockdev``, ``aio=``).
AIO_MODES = ("threads", "io_uring", "native")

#: Cache modes by name: (O_DIRECT, flushes ignored, write cache shown to the guest).
#: Source: ``qemu(1)``, ``-drive``, table of ``cache=``.
CACHE_MODES = {
    "none": (True, False, True),
    "writeback": (False, False, True),
    "writethrough": (False, False, False),
    "directsync": (True, False, False),
    "unsafe": (False, True, True),
}

#: Modes that acknowledge a write only when it is on disk: leaving them loosens durability.
DURABLE_CACHE_MODES = ("writethrough", "directsync")

#: SCSI controllers Proxmox VE knows; an unset one is ``lsi`` (qemu-server, scsihw).
CONTROLLERS = ("lsi", "lsi53c810", "virtio-scsi-pci", "virtio-scsi-single", "megasas", "pvscsi")

#: Controllers the guest drives with its virtio_scsi driver.
VIRTIO_CONTROLLERS = ("virtio-scsi-pci", "virtio-scsi-single")

#: The one controller that gives each disk an iothread of its own.
IOTHREAD_CONTROLLER = "virtio-scsi-single"

#: QEMU block drivers that have an ``aio`` option at all (qemu-server, Blockdev.pm).
AIO_DRIVERS = ("file", "host_device", "host_cdrom")

SEVERITIES = ("error", "warning", "note")

#: The problem of a guest that was asked for and has no config here; another host may have it.
NOT_THERE = "is not there"


def cache_mode(direct: bool, no_flush: bool, write_cache: bool = True) -> str:
    """The name of the cache mode that QEMU's three switches add up to.

    Direct with flushes ignored has no name in QEMU's table; it is called
    ``unsafe``, for that is what it does to the guest's data.
    """
    if no_flush:
        return "unsafe"
    if direct:
        return "none" if write_cache else "directsync"
    return "writeback" if write_cache else "writethrough"


def native_needs_direct(aio: str | None, cache_direct: bool) -> bool:
    """True for settings QEMU refuses to start with.

    ``aio=native was specified, but it requires cache.direct=on`` is the only
    combination of the three that it refuses.
    """
    return aio == "native" and not cache_direct


def refused_at_start(key: str, settings: dict[str, Any] | None) -> str | None:
    """Why QEMU would not start with a disk's settings ("effective" or "next" of docs/data.md); None where it would, or they are not known."""
    if settings and settings["cache"] and native_needs_direct(settings["aio"], CACHE_MODES[settings["cache"]][0]):
        return f"{key} would have aio native with cache {settings['cache']}, which QEMU refuses"
    return None


def differing(old: dict[str, Any] | None, new: dict[str, Any] | None, options: Iterable[str] = OPTIONS) -> dict[str, tuple[Any, Any]]:
    """Option → (old, new) of those that differ in a disk's settings; what is not known on either side does not."""
    if old is None or new is None:
        return {}
    return {option: (old[option], new[option]) for option in options if old[option] != new[option] and None not in (old[option], new[option])}


def foreign_pending_detail(keys: Iterable[str]) -> str:
    """Why a stopped guest with these keys of somebody else in [PENDING] is not written, in a sentence."""
    return (
        f"stopped, with somebody else's pending changes ({', '.join(keys)}), which qm set would apply; "
        "start or revert them, or allow it: guest_io_apply_foreign_pending: true"
    )


def word(value: Any) -> str:
    """A setting's value for a person: ``on``, ``threads``."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def builtin(value: Any) -> Any:
    """The same value of Python's own types, for libraries that go by a type's name: a playbook's are Ansible's own."""
    if isinstance(value, dict):
        return {str(key): builtin(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [builtin(item) for item in value]
    return str.__str__(value) if isinstance(value, str) else value


def natural_key(text: str) -> tuple:
    """Sort key that puts scsi2 before scsi10 and guest 99 before guest 100."""
    head = text.rstrip("0123456789")
    tail = text[len(head):]
    digits = tail.lstrip("0")
    # Not int(): Python refuses to read a number of more than 4,300 digits.
    return (head, len(digits) if tail else -1, digits)


def plural(count: int, one: str, many: str | None = None) -> str:
    """``1 guest``, ``2 guests``."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def failed_guests(results: list[dict[str, Any]], most: int = 10) -> str:
    """``3 guests failed (refused: 101, 103; busy: 102)`` for failed results; of each reason no more than ``most`` guests are named."""
    times = collections.Counter(result["guest"] for result in results)
    reasons: dict[str, list[str]] = {}
    for result in results:
        name = f"{result['guest']} on {result['node']}" if times[result["guest"]] > 1 else result["guest"]
        reasons.setdefault(str(result["reason"] or "no reason given").replace("_", " "), []).append(name)
    words = (f"{reason}: {', '.join(names[:most])}{f' and {len(names) - most} more' if len(names) > most else ''}" for reason, names in reasons.items())
    return f"{plural(len(results), 'guest')} failed ({'; '.join(words)})"


def visible(value: Any) -> str:
    """`value` as one line of text in which every character that would not be seen is spelled as an escape.

    None becomes "", other values their `str`.
    """
    if value is None:
        return ""
    text = value if isinstance(value, str) else _text(value)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def one_line(value: Any) -> str:
    """Words for a person, such as a message or what a command printed, on one line: several lines are joined with "; ".

    A name is no such text: there a line break is shown as what it is, see ``visible``.
    """
    text = value if isinstance(value, str) else visible(value)
    if "\n" in text or "\r" in text:
        text = "; ".join(part for part in map(str.strip, re.split("[\r\n]+", text)) if part)
    return visible(text)


def _text(value: Any) -> str:
    try:
        return str(value)
    except ValueError:
        # Python refuses to print a number of more than 4,300 digits.
        return "a number too long to print"


def _escape(char: str) -> str:
    if char in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[char]
    code = ord(char)
    if code < 0x100:
        return "\\x%02x" % code
    return "\\u%04x" % code if code < 0x10000 else "\\U%08x" % code
