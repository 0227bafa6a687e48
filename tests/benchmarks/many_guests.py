# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A directory tree of as many guests as asked for: the sample fleet's, over and over.

python tests/benchmarks/many_guests.py 5000 DIRECTORY
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

SAMPLE = Path(__file__).resolve().parents[2] / "sample_fleet/root"


def make(count: int, directory: Path) -> None:
    """Make a tree of ``count`` guests on the sample fleet's nodes; the directory must not be there."""
    pve = directory / "etc/pve"
    shutil.copytree(SAMPLE, directory, ignore=shutil.ignore_patterns("*.conf.*", "[0-9]*.conf"))
    samples = sorted((SAMPLE / "etc/pve/nodes").glob("*/qemu-server/*.conf"))
    texts = [(path.parent.parent.name, path.read_bytes()) for path in samples]
    for number in range(count):
        node, text = texts[number % len(texts)]
        target = pve / "nodes" / node / "qemu-server" / f"{1000 + number}.conf"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text)


if __name__ == "__main__":
    make(int(sys.argv[1]), Path(sys.argv[2]))
