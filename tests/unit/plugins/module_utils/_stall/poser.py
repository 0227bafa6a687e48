# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Processes that look like QEMU from outside: name, command line, named threads, and real uninterruptible waits."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
import threading
import time

# The caller of posix_spawn is in state D until its child executes, and the child first opens a FIFO that nobody writes.
_CODE = """
import ctypes, os, sys, threading, time
names, fifo = os.environ["NAMES"].split(","), os.environ["FIFO"]
prctl = ctypes.CDLL(None).prctl
def stall():
    os.posix_spawn("/bin/true", ["true"], {}, file_actions=[(os.POSIX_SPAWN_OPEN, 9, fifo, os.O_RDONLY, 0)])
def run(name):
    prctl(15, name.encode(), 0, 0, 0)
    time.sleep(3600)
for name in names:
    threading.Thread(target=run, args=(name,), daemon=True).start()
time.sleep(0.2)
print("ready", flush=True)
if sys.stdin.readline():
    stall()
time.sleep(3600)
"""


class Poser:
    """One such process."""

    def __init__(self, folder, name, threads=("call_rcu", "IO io1", "CPU 0/KVM", "worker"), arguments=()):
        binary = folder / "qemu-system-x86_64"
        if not binary.exists():
            shutil.copy(os.path.realpath(sys.executable), binary)
        self._fifo = folder / f"{name}.fifo"
        os.mkfifo(self._fifo)
        # Not as arguments: QEMU takes bare ones for disk images.
        environment = {
            "NAMES": ",".join(threads),
            "FIFO": str(self._fifo),
            "PYTHONHOME": sys.base_prefix,
            "LD_LIBRARY_PATH": sysconfig.get_config_var("LIBDIR") or "",
        }
        self.process = subprocess.Popen(
            [
                binary,
                "-S",
                "-c",
                _CODE,
                "-name",
                f"guest={name},debug-threads=on",
                "-object",
                "iothread,id=io1",
                *arguments,
            ],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

        self.stalled_seconds = None

    def wait_ready(self):
        """Return once its threads have their names."""
        assert self.process.stdout.readline() == "ready\n"

    def stall(self, seconds):
        """Put its main thread in state D for so long, while the caller goes on."""
        self._began = time.monotonic()
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        threading.Timer(seconds, self._release).start()

    def _release(self):
        # Fails where nobody waits at the other end any more.
        with contextlib.suppress(OSError):
            os.close(os.open(self._fifo, os.O_WRONLY | os.O_NONBLOCK))
        self.stalled_seconds = time.monotonic() - self._began

    def end(self):
        """End it; a wait of the kind it makes can be killed."""
        self.process.kill()
        self.process.wait(10)
        self.process.stdin.close()
        self.process.stdout.close()
