# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the tests of this scenario look at: what files/state.sh wrote down, and what a QEMU was started with."""

from __future__ import annotations

import difflib
import json
import pathlib
import re

import pytest

SCENARIO = pathlib.Path(__file__).parents[1]

#: stem of files/guests/ → the guest's id
GUESTS = {
    path.stem: re.search("<uuid>(.*)</uuid>", path.read_text(encoding="utf-8"))[1]
    for path in sorted((SCENARIO / "files" / "guests").glob("*.xml"))
}

_READ = "import json, pathlib; print(json.dumps({p.name: p.read_text() for p in pathlib.Path('/root/%s').iterdir()}))"


@pytest.fixture(scope="module")
def state(host):
    """Read what was written down under a name, or write it down now: {file: text}."""
    known: dict[str, dict[str, str]] = {}

    def read(name: str, now: bool = False) -> dict[str, str]:
        if name not in known:
            if now:
                host.check_output(f"cd /root && sh state.sh {name}")
            known[name] = json.loads(host.check_output(f'python3 -c "{_READ % name}"'))
        return known[name]

    return read


@pytest.fixture(scope="module")
def expected(host):
    """Read the lines that a guest's XML loses and gains, written by hand. Empty where it is to stay as it is."""
    suite = host.check_output("hostname")

    def read(guest: str) -> list[str]:
        for path in (SCENARIO / "expected" / suite / f"{guest}.diff", SCENARIO / "expected" / f"{guest}.diff"):
            if path.exists():
                return path.read_text(encoding="utf-8").splitlines()
        return []

    return read


@pytest.fixture(scope="session")
def changes():
    """Compare two texts: the lines that go, with ``-``, and those that come, with ``+``, in order."""

    def compare(before: str, after: str) -> list[str]:
        lines = difflib.ndiff(before.splitlines(), after.splitlines())
        return [line[0] + line[2:] for line in lines if line[0] in "-+"]

    return compare


@pytest.fixture(scope="session")
def disks():
    """Read a QEMU's command line: {disk: (iothread, aio, cache.direct)}, None for what is not named."""

    def read(cmdline: str) -> dict[str, tuple]:
        words = cmdline.split("\n")
        named: dict[str, list[dict]] = {"-device": [], "-blockdev": []}
        for option, value in zip(words, words[1:]):
            if option in named and value.startswith("{"):
                named[option].append(json.loads(value))
        nodes = {node["node-name"]: node for node in named["-blockdev"]}
        devices = {device["id"]: device for device in named["-device"]}
        found = {}
        for device in named["-device"]:
            node = nodes.get(device.get("drive"))
            if node:
                protocol = nodes.get(node.get("file"), node)
                controller = devices.get(device.get("bus", "").split(".")[0], {})
                iothread = device.get("iothread") or controller.get("iothread")
                found[device["id"]] = (iothread, protocol.get("aio"), protocol.get("cache", {}).get("direct"))
        return found

    return read
