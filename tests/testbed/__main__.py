# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""``python3 -m testbed up SCENARIO PLATFORMS FILE`` and ``python3 -m testbed down SCENARIO``, from ``tests/``.

``PLATFORMS`` is the JSON of molecule.yml's list, ``FILE`` becomes molecule's instance config.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import subprocess
import sys

from . import box, hosts, images, machine, ssh

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]


def main() -> int:
    """Do what the arguments say; return an exit status."""
    parser = argparse.ArgumentParser(prog="testbed", description="Throw-away Debian hosts for the molecule scenarios.")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start a scenario's hosts, ending those of an earlier run first")
    up.add_argument("scenario")
    up.add_argument("platforms", type=json.loads)
    up.add_argument("instance_config", type=pathlib.Path)
    down = commands.add_parser("down", help="end a scenario's hosts and remove what they wrote")
    down.add_argument("scenario")
    arguments = parser.parse_args()
    try:
        if arguments.command == "up":
            specs = [hosts.read_spec(platform) for platform in arguments.platforms]
            instances = hosts.up(CHECKOUT, arguments.scenario, specs)
            arguments.instance_config.write_text(json.dumps(instances, indent=1) + "\n", encoding="utf-8")
        else:
            hosts.down(CHECKOUT, arguments.scenario)
    except (box.BoxError, hosts.SpecError, images.ImageError, machine.MachineError, ssh.SshError) as error:
        print(error, file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(error, error.stderr or "", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
