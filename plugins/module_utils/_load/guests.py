# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What backups and limits need of the guests' configs and of their pools. Text in, values out.

Only the main section counts, and no line of it is judged here.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple, TypedDict

_NAME = re.compile(r"^(?:name|hostname):\s*(\S+)", re.ASCII | re.MULTILINE)
_LOCK = re.compile(r"^lock:\s*(\S+)", re.ASCII | re.MULTILINE)
_TEMPLATE = re.compile(r"^template:\s*1\s*$", re.ASCII | re.MULTILINE)
_VOLUME = re.compile(
    r"^(?:ide|sata|scsi|virtio|efidisk|tpmstate|mp)\d+:\s*(?:file=|volume=)?([A-Za-z][\w.\-]*):|"
    r"^rootfs:\s*(?:volume=)?([A-Za-z][\w.\-]*):",
    re.ASCII | re.MULTILINE,
)
_ADDRESS = re.compile(r"^(?:ipconfig|net)\d+:.*", re.ASCII | re.MULTILINE)
_IP = re.compile(r"[ ,]ip6?=([0-9a-fA-F.:]+)", re.ASCII)
_FLEECING = re.compile(r"^\[special:fleecing\]\s*$([^\[]*)", re.ASCII | re.MULTILINE | re.IGNORECASE)
_IMAGES = re.compile(r"^fleecing-images:\s*(\S.*?)\s*$", re.ASCII | re.MULTILINE)


class Config(NamedTuple):
    """A guest's config: ``kind`` is qemu or lxc."""

    guest: str
    kind: str
    file: str
    text: str


class LeftImages(TypedDict):
    """Fleecing images that a config names while no backup has locked it."""

    guest: str
    name: str
    file: str
    line: int
    images: list[str]


class Served(TypedDict):
    """A server of a storage that is a guest of this node, by the address or name in its config."""

    server: str
    guest: str
    name: str
    file: str


class Guests(TypedDict):
    """The guests of this node: ids of ``qemu``, without templates, and of ``lxc``, and the ``storages`` they use."""

    qemu: list[str]
    lxc: list[str]
    storages: list[str]
    left_images: list[LeftImages]
    served: list[Served]


def read(configs: list[Config], servers: Collection[str]) -> Guests:
    """Reads the configs; ``servers`` are the addresses and names of the storages' servers."""
    found: Guests = {"qemu": [], "lxc": [], "storages": [], "left_images": [], "served": []}
    storages: set[str] = set()
    for config in configs:
        main, bracket, rest = config.text.partition("\n[")
        if not _TEMPLATE.search(main):
            (found["qemu"] if config.kind == "qemu" else found["lxc"]).append(config.guest)
        storages.update(one or other for one, other in _VOLUME.findall(main))
        if bracket and "fleecing-images" in rest and not _LOCK.search(main):
            found["left_images"] += _left(config, main)
        if servers:
            found["served"] += _served(config, main, servers)
    found["storages"] = sorted(storages)
    return found


def _left(config: Config, main: str) -> list[LeftImages]:
    section = _FLEECING.search(config.text)
    images = _IMAGES.search(section[1]) if section else None
    if section is None or images is None:
        return []
    listed = [volume for volume in re.split(r"[,;\s]+", images[1]) if volume]
    line = config.text.count("\n", 0, section.start(1) + images.start(1)) + 1
    name = _name(main)
    return [{"guest": config.guest, "name": name, "file": config.file, "line": line, "images": listed}]


def _served(config: Config, main: str, servers: Collection[str]) -> list[Served]:
    name = _name(main)
    own = {address for line in _ADDRESS.findall(main) for address in _IP.findall(line)} | {name}
    return [
        {"server": server, "guest": config.guest, "name": name, "file": config.file}
        for server in sorted(servers)
        if server in own or server.split(".", 1)[0] == name
    ]


def _name(main: str) -> str:
    match = _NAME.search(main)
    return match[1] if match else ""


def pools(user_cfg: str | None) -> dict[str, list[str]] | None:
    """Pool → the guests in it (pve-access-control, user.cfg); None where the file is not there."""
    if user_cfg is None:
        return None
    found = {}
    for line in user_cfg.split("\n"):
        fields = line.split(":")
        if fields[0] == "pool" and len(fields) > 3:
            found[fields[1]] = [guest for guest in fields[3].split(",") if guest]
    return found
