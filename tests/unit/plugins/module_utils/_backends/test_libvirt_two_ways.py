# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""python3-libvirt and virsh give the same of a real libvirt: of its hypervisor for tests, and of the guests of this
machine.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[5]
# The system's own Python is the one that has Debian's python3-libvirt.
PYTHON = "/usr/bin/python3"

COMPARE = """
import json, sys, tempfile, os
top = sys.argv[1]
sys.dont_write_bytecode = True
sys.path.insert(0, top)
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import libvirt_command, libvirt_python
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.libvirt_connection import Asked, LibvirtError
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.run import command

def of(way):
    domains = way.domains()
    asked = [Asked(kind, domain.uuid) for domain in domains for kind in ("inactive", "secure", "live", "saved")]
    asked += [Asked("snapshot", domain.uuid, name) for domain in domains for name in (*domain.snapshots, "no such")]
    asked.append(Asked("inactive", "11111111-2222-4333-8444-999999999999"))
    given = [text.decode() if isinstance(text, bytes) else None for text in way.documents(asked)]
    failed = [text for text in way.documents(asked) if isinstance(text, LibvirtError)]
    assert all(str(text) for text in failed)
    return [domains, given, [way.number(domain.uuid) for domain in domains], sorted(map(bytes.decode, way.pools()))]

uri, read_only = sys.argv[2], sys.argv[3] == "ro"
library = libvirt_python.library()
if library is None:
    print(json.dumps(None))
    sys.exit()
two = [
    libvirt_python.PythonConnection(library, uri, read_only),
    libvirt_command.CommandConnection(uri, command, 60, read_only),
]
print(json.dumps([of(way) for way in two]))
"""


def ask(uri: str, read_only: str, top: Path) -> list | None:
    done = subprocess.run(
        [PYTHON, "-c", COMPARE, str(top), uri, read_only],
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    # An error that libvirt prints by itself would be there.
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    found: list | None = json.loads(done.stdout)
    return found


@pytest.fixture
def top(tmp_path):
    folder = tmp_path / "ansible_collections/hypervisor"
    folder.mkdir(parents=True)
    (folder / "io_hardening").symlink_to(PROJECT)
    return tmp_path


@pytest.mark.parametrize("read_only", ["rw", "ro"])
@pytest.mark.parametrize("uri", ["test:///default", "qemu:///system"])
def test_both_ways_give_the_same_of_this_machines_libvirt(top, uri, read_only):
    """libvirt's own hypervisor for tests has a guest that runs and a pool, and needs no daemon."""
    sockets = ("/run/libvirt/libvirt-sock", "/run/libvirt/virtqemud-sock")
    if uri == "qemu:///system" and not (any(map(os.path.exists, sockets)) and os.geteuid() == 0):
        pytest.skip("no libvirt listens on this machine, or this is not root: its guests are not read in two ways")
    if not (shutil.which("virsh") and os.path.exists(PYTHON)):
        pytest.skip("no virsh, or no /usr/bin/python3: the two ways to libvirt are not compared")
    found = ask(uri, read_only, top)
    if found is None:
        pytest.skip("/usr/bin/python3 has no python3-libvirt: the two ways to libvirt are not compared")
    by_python, by_virsh = found
    assert by_python == by_virsh
    if uri == "test:///default":
        (domain,), texts, (number,), (pool,) = by_python
        assert domain[1:3] == ["test", True] and number == 1 and "<pool" in pool
        # A connection that only reads gives no secrets.
        given = [text is not None for text in texts]
        assert given == [True, read_only == "rw", True, False, False, False]
