# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Containers: a whole Debian with its own init, on this machine's kernel."""

from __future__ import annotations

import pathlib

from . import box, images, recipe

PORT = 22

BOOT_PATIENCE = 60.0


def start(
    cage: box.Box, cache: pathlib.Path, image: recipe.Image, folder: pathlib.Path, public_key: pathlib.Path
) -> int:
    """Start a container in a box and return its process id.

    What it writes is kept in memory and gone when it ends; the image stays as it is. Its ``/srv`` is a folder on this
    machine's disk, because memory takes direct I/O only from Linux 6.6 on.
    """
    srv = folder / "srv"
    srv.mkdir(exist_ok=True)
    root = images.tree(cache, image)
    argv = [
        "systemd-nspawn",
        "--quiet", "--boot", "--console=pipe",
        # The box is its cgroup and its network; no other manager is asked, there may be none.
        "--register=no", "--keep-unit", "--network-namespace-path=/proc/self/ns/net",
        f"--machine={cage.label}", f"--hostname={image.suite}",
        f"--directory={root}", "--volatile=overlay",
        f"--bind={_escaped(srv)}:/srv",
        f"--bind-ro={_escaped(public_key)}:/etc/ssh/testbed.pub",
    ]  # fmt: skip
    return cage.start(argv, folder)


def _escaped(path: pathlib.Path) -> str:
    return str(path).replace(":", r"\:")
