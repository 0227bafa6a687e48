# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The server in a process of its own, for benchmarks and a look by hand:

    python -m ansible_collections.hypervisor.io_hardening.tests.stand_ins.pve_api ROOT FOLDER [SECONDS|recorded]

prints ``{"url": …, "ca_path": …}`` (the token is ``root@pam!full`` with the secret ``secret``), then for each line of its
input what it counted since the last one, and ends with its input. SECONDS is what each call takes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .server import ApiStandIn
from .times import recorded


def main(root: str, folder: str, delay: str = "0") -> None:
    """Serve until the input ends."""
    with ApiStandIn(
        Path(root), folder=Path(folder), pvestatd=True, delay=recorded if delay == "recorded" else float(delay)
    ) as api:
        print(json.dumps({"url": api.url, "ca_path": api.ca_path}), flush=True)
        for _line in sys.stdin:
            print(json.dumps(api.counted()), flush=True)


main(*sys.argv[1:])
