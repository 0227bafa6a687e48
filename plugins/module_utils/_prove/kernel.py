# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The host's own kernel for the tiny guest, and the modules that the guest needs.

Reads a kernel image and ``lib/modules/VERSION`` as Debian and Proxmox VE install them. The order in which modules must
be loaded comes from ``depends=`` in the modules themselves, so depmod need not have run.
"""

from __future__ import annotations

import glob
import gzip
import lzma
import os
import re
from collections.abc import Iterable

from .._host.whole_file import read
from . import process
from .errors import ProveError

_MOST_BYTES = 64 << 20
_SUFFIXES = (".ko", ".ko.xz", ".ko.gz", ".ko.zst")


def newest(paths: Iterable[str]) -> str | None:
    """The kernel image with the highest version, None where there is no image."""

    def version(path: str) -> list[int]:
        return [int(part) for part in re.findall(r"\d+", os.path.basename(path))]

    return max(paths, key=version, default=None)


def find(named: str | None = None, modules: str | None = None, root: str = "/") -> tuple[str, str]:
    """(path of the kernel image, path of the directory of its modules).

    The image is ``named``, else the running kernel's, else the newest in /boot. The directory is ``modules``, else
    lib/modules/VERSION next to the image's boot directory or in the root, with VERSION from the name
    ``vmlinuz-VERSION``. Raises ProveError where one of them is missing or cannot be read.
    """
    boot = os.path.join(root, "boot")
    running = os.path.join(boot, f"vmlinuz-{os.uname().release}")
    image = named or (running if os.path.exists(running) else None)
    image = image or newest(glob.glob(os.path.join(glob.escape(boot), "vmlinuz-*")))
    if image is None:
        raise ProveError(
            f"there is no kernel for the guest: {boot.rstrip('/')}/vmlinuz-* does not exist; install one"
            " (linux-image-amd64) or name one (kernel)"
        )
    if not os.access(image, os.R_OK) or not os.path.isfile(image):
        raise ProveError(
            f"the kernel image {image} does not exist or cannot be read; name another one (kernel) or run as root"
        )
    if modules is None:
        version = os.path.basename(image).partition("-")[2]
        near = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(image))), "lib", "modules", version)
        modules = near if os.path.isdir(near) else os.path.join(root, "lib", "modules", version)
    if not os.path.isdir(modules):
        raise ProveError(f"the modules of {image} are not in {modules}; name their directory (kernel_modules)")
    return image, modules


def _plain(path: str) -> bytes:
    """A module's bytes, uncompressed."""
    body = read(path, _MOST_BYTES)
    if path.endswith(".xz"):
        return lzma.decompress(body)
    if path.endswith(".gz"):
        return gzip.decompress(body)
    if path.endswith(".zst"):
        try:
            unpacked: bytes = process.run(
                ["zstd", "-dc", path], stdout=process.PIPE, stderr=process.DEVNULL, check=True
            ).stdout
            return unpacked
        except (OSError, process.CalledProcessError) as problem:
            raise ProveError(
                f"the kernel module {path} is compressed with zstd and cannot be unpacked ({problem}); install the"
                " package zstd"
            ) from problem
    return body


def depends(body: bytes) -> list[str]:
    """The names of the modules that a module needs (.modinfo, ``depends=a,b``)."""
    found = re.search(rb"(?:^|\0)depends=([^\0]*)\0", body)
    names = found.group(1).decode("ascii", "replace") if found else ""
    return [name.replace("-", "_") for name in names.split(",") if name]


def _names(text: str) -> set[str]:
    """The module names in a ``modules.builtin`` file."""
    return {os.path.basename(line).partition(".ko")[0].replace("-", "_") for line in text.split()}


def load_order(wanted: Iterable[str], directory: str) -> list[tuple[str, bytes]]:
    """[(name, bytes)] of the wanted modules and all they need, in the order to load them.

    Modules that are built into the kernel are left out. Raises ProveError for a module that the kernel does not have.
    """
    files = {}
    for folder, _folders, names in os.walk(directory):
        for name in names:
            if name.endswith(_SUFFIXES):
                files[name.partition(".ko")[0].replace("-", "_")] = os.path.join(folder, name)
    try:
        builtin = _names(read(os.path.join(directory, "modules.builtin"), _MOST_BYTES).decode("utf-8", "replace"))
    except OSError:
        builtin = set()
    order: dict[str, bytes] = {}

    def visit(name: str, needed_by: str) -> None:
        if name in order or name in builtin:
            return
        if name not in files:
            raise ProveError(
                f"the kernel of {directory} has no module {name}, which {needed_by} needs; name another kernel (kernel)"
            )
        body = _plain(files[name])
        for other in depends(body):
            visit(other, name)
        order[name] = body

    for name in wanted:
        visit(name, "the guest")
    return list(order.items())
