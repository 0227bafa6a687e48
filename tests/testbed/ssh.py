# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""How the test hosts are logged in to: a key made for the run, through the host's network namespace."""

from __future__ import annotations

import pathlib
import subprocess
import time
from typing import NamedTuple

from . import box


class SshError(Exception):
    """A host cannot be logged in to; the message names the log to read."""


class Access(NamedTuple):
    """A host's way in: its box, a process in its network namespace, a port on that namespace's loopback, a user."""

    cage: box.Box
    pid: int
    port: int
    user: str

    def proxy(self) -> str:
        """Return the command that connects ssh with the host. It is in the box, so it ends with the host."""
        return (
            f"sh -c 'echo $$ > {self.cage.visitors}/cgroup.procs && exec nsenter --net=/proc/{self.pid}/ns/net nc"
            f" 127.0.0.1 {self.port}'"
        )


def make_key(folder: pathlib.Path) -> pathlib.Path:
    """Make a key pair ``key`` and ``key.pub`` and return the private one's path."""
    path = folder / "key"
    # The comment is fixed: a machine's saved state remembers the length of the public key.
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "testbed", "-f", str(path)], check=True)
    return path


def write_config(folder: pathlib.Path, hosts: dict[str, Access], label: str) -> pathlib.Path:
    """Write ``ssh_config``, with which every host is reached by its name, and return its path.

    ``label`` is a name that no other hosts have; connections that are shared are found by it.
    """
    text = ""
    for name, access in hosts.items():
        text += f"""Host {name}
  HostName {name}
  User {access.user}
  ProxyCommand {access.proxy()}
"""
    text += f"""Host *
  IdentityFile "{folder / "key"}"
  IdentitiesOnly yes
  IdentityAgent none
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
  ConnectTimeout 20
  ServerAliveInterval 20
  ControlPath /run/{label}.%n.%r
"""
    path = folder / "ssh_config"
    path.write_text(text, encoding="utf-8")
    return path


def run(folder: pathlib.Path, name: str, command: str, user: str = "root") -> subprocess.CompletedProcess:
    """Run a command on a host and return its result, output as text; no failure is raised."""
    return subprocess.run(
        ["ssh", "-F", str(folder / "ssh_config"), "-o", "BatchMode=yes", "-l", user, name, command],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def wait(
    folder: pathlib.Path, name: str, cage: box.Box, patience: float, log: pathlib.Path, command: str = "true"
) -> None:
    """Wait until a host lets us in and does the command. Raises SshError after ``patience`` seconds, or when it has
    ended.
    """
    deadline = time.monotonic() + patience
    while True:
        done = run(folder, name, command)
        if not done.returncode:
            return
        alive = cage.alive()
        if not alive or time.monotonic() > deadline:
            tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
            why = f"does not let us in after {patience:.0f} s: {done.stderr.strip()}" if alive else "has ended"
            raise SshError(f"test host {name} {why}; the end of {log}:\n{tail}")
        time.sleep(0.2)
