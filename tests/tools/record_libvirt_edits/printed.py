# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""In the root of a Debian with libvirt: domains as JSON in, what libvirt prints of each out."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import time


def virsh(*words: str) -> str:
    """What a command of virsh prints."""
    done = subprocess.run(["virsh", "-q", "-c", "qemu:///system", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"virsh {' '.join(words)}: {done.stderr}")
    return done.stdout


pathlib.Path("/etc/libvirt/qemu.conf").write_text(
    'cgroup_controllers = []\nsecurity_driver = "none"\nuser = "root"\ngroup = "root"\nremember_owner = 0\nnamespaces = []\n',
    "ascii",
)
for daemon in ("virtlogd", "libvirtd"):
    subprocess.run([daemon, "-d"], check=True, stdout=subprocess.DEVNULL)
for _second in range(60):
    if not subprocess.run(["virsh", "-c", "qemu:///system", "list"], capture_output=True, check=False).returncode:
        break
    time.sleep(1)
found = {"version": virsh("version", "--daemon").rpartition("daemon:")[2].strip()}
for name, text in json.load(sys.stdin).items():
    path = pathlib.Path("/tmp/domain.xml")
    path.write_text(text, "utf-8")
    virsh("define", str(path))
    found[name] = virsh("dumpxml", "--inactive", "--security-info", name)
    virsh("undefine", name)
json.dump(found, sys.stdout)
