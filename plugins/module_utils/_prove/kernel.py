# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The host's own kernel for the tiny guest, and the modules that guest needs.

Reads a kernel image and ``lib/modules/VERSION`` as Debian and Proxmox VE install them. The
order in which modules must be loaded comes from ``depends=`` inside the modules themselves, so
a tree on which depmod never ran serves as well.
"""

from __future__ import annotations

import glob
import gzip
import lzma
import os
import re

from .._host.whole_file import read
from . import process
from .errors import ProveError

_MOST_BYTES = 64 << 20
_SUFFIXES = (".ko", ".ko.xz", ".ko.gz", ".ko.zst")


def newest(paths):
    """The kernel image with the highest version among paths, None where there is none."""

    def version(path):
        return [int(part) for part in re.findall(r"\d+", os.path.basename(path))]

    return max(paths, key=version, default=None)


def find(named=None, modules=None, root="/"):
    """(path of the kernel image, path of its modules' directory).

    named: a kernel image that the user named; else the running kernel's, else the newest in
    /boot. modules: the directory of its modules; else lib/modules/VERSION, VERSION being what
    stands after ``vmlinuz-``, looked for beside the image's own boot directory too.
    Raises ProveError where there is none or it cannot be read.
    """
    boot = os.path.join(root, "boot")
    running = os.path.join(boot, "vmlinuz-" + os.uname().release)
    if named:
        image = named
    elif os.path.exists(running):
        image = running
    else:
        image = newest(glob.glob(os.path.join(glob.escape(boot), "vmlinuz-*")))
    if image is None:
        raise ProveError(
            "there is no kernel for the guest: %s/vmlinuz-* does not exist; "
            "install one (linux-image-amd64) or name one (kernel)" % boot.rstrip("/")
        )
    if not os.access(image, os.R_OK) or not os.path.isfile(image):
        raise ProveError(
            "the kernel image %s does not exist or cannot be read; name another one (kernel) or run as root" % image
        )
    if modules is None:
        version = os.path.basename(image).partition("-")[2]
        beside = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(image))), "lib", "modules", version)
        usual = os.path.join(root, "lib", "modules", version)
        modules = beside if os.path.isdir(beside) else usual
    if not os.path.isdir(modules):
        raise ProveError("the modules of %s are not in %s; name their directory (kernel_modules)" % (image, modules))
    return image, modules


def _plain(path):
    """A module's bytes, not compressed."""
    body = read(path, _MOST_BYTES)
    if path.endswith(".xz"):
        return lzma.decompress(body)
    if path.endswith(".gz"):
        return gzip.decompress(body)
    if path.endswith(".zst"):
        try:
            return process.run(["zstd", "-dc", path], stdout=process.PIPE, stderr=process.DEVNULL, check=True).stdout
        except (OSError, process.CalledProcessError) as problem:
            raise ProveError(
                "the kernel module %s is compressed with zstd, and it cannot be unpacked "
                "(%s); install the package zstd" % (path, problem)
            ) from problem
    return body


def depends(body):
    """The names of the modules that a module says it needs (.modinfo, ``depends=a,b``)."""
    found = re.search(rb"(?:^|\0)depends=([^\0]*)\0", body)
    names = found.group(1).decode("ascii", "replace") if found else ""
    return [name.replace("-", "_") for name in names.split(",") if name]


def _names(text):
    """Module names of a ``modules.builtin`` file."""
    return {os.path.basename(line).partition(".ko")[0].replace("-", "_") for line in text.split()}


def load_order(wanted, directory):
    """[(name, bytes)] of the wanted modules and all they need, in the order to load them.

    Modules that are built into the kernel are left out. Raises ProveError for one that the
    kernel does not have.
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
    order = {}

    def visit(name, needed_by):
        if name in order or name in builtin:
            return
        if name not in files:
            raise ProveError(
                "the kernel of %s has no module %s, which %s needs; "
                "name another kernel (kernel)" % (directory, name, needed_by)
            )
        body = _plain(files[name])
        for other in depends(body):
            visit(other, name)
        order[name] = body

    for name in wanted:
        visit(name, "the guest")
    return list(order.items())
