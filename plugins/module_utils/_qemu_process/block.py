# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""QEMU's block graph: from the node a device uses down to the node that opens the image. No I/O.

What a disk runs with is decided at the protocol node, the one that opens the file or device:
``aio`` is an option of that node alone, ``cache.direct`` and ``cache.no-flush`` are its own or, where it
is written inside its parent, inherited from it. A node that is referred to by name inherits nothing.
Source: QEMU's block.c (bdrv_inherited_options, bdrv_temp_snapshot_options), block/file-posix.c
(aio, default threads), blockdev.c (-drive, whose default is writeback).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypedDict

from .._model.disk_io import AIO_DRIVERS, CACHE_MODES
from .options import MAX_DEPTH, as_bool, nest, parse_json

_PROTOCOL = re.compile(r"([^:/]+):")

# The old name of a mode that -drive still takes.
_ALIASES = {"off": "none"}


class Backend(TypedDict):
    """What opens a disk's image, and how.

    ``format`` is the image format, None where there is none between; ``file`` is the file name that QEMU was given,
    None where the driver has none. ``write_cache`` is False for writethrough and directsync of a -drive. With
    ``overlay`` writes go to a temporary, unsafe overlay, a file whatever the image is: all but ``format`` and ``file``
    are the overlay's, and the image itself is open for reading with the drive's own flags.
    """

    driver: str | None
    aio: str | None
    direct: bool
    no_flush: bool
    format: str | None
    file: str | None
    write_cache: bool
    overlay: bool


def resolve(node: Any, nodes: Mapping[str, Any]) -> Backend | None:
    """The protocol node below ``node``; None where a name is not known, or the graph has no end.

    ``node`` is a node's options or its name; ``nodes`` maps node-name to options.
    """
    direct: bool | None = None
    no_flush: bool | None = None
    image_format: str | None = None
    for _level in range(MAX_DEPTH):
        if isinstance(node, str):
            node = nodes.get(node)
            direct = no_flush = None
        if not isinstance(node, dict):
            return None
        cache = node.get("cache")
        cache = cache if isinstance(cache, dict) else {}
        direct = as_bool(cache.get("direct"), direct)
        no_flush = as_bool(cache.get("no-flush"), no_flush)
        driver = _word(node.get("driver"))
        child = node.get("file")
        if child is None:
            return {
                "driver": driver,
                "aio": (_word(node.get("aio")) or "threads") if driver in AIO_DRIVERS else None,
                "direct": bool(direct),
                "no_flush": bool(no_flush),
                "format": image_format,
                "file": _word(node.get("filename")),
                "write_cache": True,
                "overlay": False,
            }
        if image_format is None and driver in _FORMATS:
            image_format = driver
        node = child
    return None


def _word(value: object) -> str | None:
    """JSON can hold anything in place of a word; QEMU would have refused it."""
    return value if isinstance(value, str) else None


_FORMATS = frozenset(
    (
        "raw",
        "qcow2",
        "qcow",
        "qed",
        "vmdk",
        "vdi",
        "vhdx",
        "vpc",
        "parallels",
        "luks",
        "dmg",
        "bochs",
        "cloop",
    )
)


def from_drive(options: Mapping[str, str], snapshot: bool = False) -> Backend | None:
    """The same for a -drive of these ``key=value`` pairs; None for a drive without a medium.

    ``snapshot`` is QEMU's own -snapshot. Raises ValueError where its file cannot be read.
    """
    mode = options.get("cache", "")
    direct, no_flush, write_cache = CACHE_MODES.get(_ALIASES.get(mode, mode), CACHE_MODES["writeback"])
    direct = as_bool(options.get("cache.direct"), direct)
    no_flush = as_bool(options.get("cache.no-flush"), no_flush)
    write_cache = as_bool(options.get("cache.writeback"), write_cache)
    tree = nest({key: value for key, value in options.items() if key == "file" or key.startswith("file.")})
    node = tree.get("file")
    if node is None:
        return None
    node = _filename_node(node)
    found = resolve(
        {
            "driver": options.get("format") or options.get("driver"),
            "file": node,
            "cache": {"direct": direct, "no-flush": no_flush},
        },
        {},
    )
    if found is None:
        raise ValueError("its block nodes lead nowhere")
    if found["driver"] in AIO_DRIVERS and not _has_aio(node):
        found["aio"] = options.get("aio", "threads")
    found["overlay"] = as_bool(options.get("snapshot"), snapshot)
    if found["overlay"]:
        # Native needs a direct file, which an overlay is not.
        aio = found["aio"] or options.get("aio")
        found["aio"] = "threads" if aio in (None, "native") else aio
        found["driver"], found["direct"], found["no_flush"] = "file", False, True
    found["write_cache"] = write_cache
    return found


def _has_aio(node: Any) -> bool:
    for _level in range(MAX_DEPTH):
        if not isinstance(node, dict):
            return False
        if "aio" in node:
            return True
        node = node.get("file")
    return False


def _filename_node(node: Any) -> dict[str, Any]:
    """A node for the ``file`` of a -drive: a path, PROTOCOL:ADDRESS, json:{…}, or options with a driver."""
    if isinstance(node, dict):
        if "driver" in node:
            return node
        filename = node.get("filename", "")
        if not isinstance(filename, str):
            raise ValueError("its filename is not text")
        return dict(_filename_node(filename), **{k: v for k, v in node.items() if k != "filename"})
    if node.startswith("json:"):
        return nest(parse_json(node[len("json:") :]))
    protocol = _PROTOCOL.match(node)
    if protocol:
        name = protocol.group(1)
        if name in AIO_DRIVERS:
            return {"driver": name, "filename": node[protocol.end() :]}
        return {"driver": name.partition("+")[0], "filename": node}
    # QEMU looks at the file itself; a name below /dev is a device wherever it matters here.
    is_device = node.startswith("/dev/") and not node.startswith(("/dev/fd", "/dev/shm/"))
    return {"driver": "host_device" if is_device else "file", "filename": node}
