# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""A node for tests: a directory tree, and the stand-ins for ``qm``, ``pvesh`` and ``pvesm`` that act on it."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import py_compile
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

STAND_INS = Path(__file__).resolve().parents[2] / "stand_ins"
QM = STAND_INS / "qm"

STORAGE_CFG = """\
dir: local
\tpath /var/lib/vz
\tcontent images,iso

lvm: lvm1
\tvgname vg1
\tcontent images

rbd: ceph1
\tpool rbd
\tmonhost 192.0.2.21
\tcontent images

nfs: nfs1
\tpath /mnt/pve/nfs1
\tserver 192.0.2.30
\texport /srv/images
\tcontent images

btrfs: btr1
\tpath /butter
\tcontent images
"""


@functools.lru_cache(maxsize=None)
def _compiled() -> tempfile.TemporaryDirectory[str]:
    """A folder with the stand-ins' bytecode as ``qm``, ``pvesh`` and ``pvesm``: Python compiles a program anew at each
    of its hundreds of starts.
    """
    folder = tempfile.TemporaryDirectory(prefix="qm-stand-in-")
    for name in ("qm", "pvesh"):
        py_compile.compile(str(STAND_INS / name), cfile=f"{folder.name}/{name}", doraise=True)
    Path(folder.name, "pvesm").symlink_to("pvesh")
    return folder


class QmHost:
    """``run("qm", "set", …)`` as on the node ``pve1``; ``close()`` ends the guests that were started."""

    def __init__(self, root: Path, second: float = 0.05) -> None:
        self.root = root
        _compiled()  # two threads would each make a folder, and one of them be removed
        self.log = root / "qm.log"
        self.environment = {
            **os.environ,
            "QM_ROOT": str(root),
            "QM_NODE": "pve1",
            "QM_LOG": str(self.log),
            "QM_SECOND": str(second),
            "QM_GUEST_SECONDS": "120",
        }
        self.configs = root / "etc/pve/nodes/pve1/qemu-server"
        self.configs.mkdir(parents=True)
        (root / "etc/pve/storage.cfg").write_text(STORAGE_CFG)
        self.install_qemu("10.1.2 (pve-qemu-kvm_10.1.2-1)")

    def install_qemu(self, version: str) -> None:
        """A binary that says this version, as far as reading it tells."""
        binary = self.root / "usr/bin/kvm"
        binary.parent.mkdir(parents=True, exist_ok=True)
        binary.write_text(f"QEMU emulator version {version}\n\0")

    def config(self, vmid: int | str) -> Path:
        return self.configs / f"{vmid}.conf"

    def declare(self, name: str, *entries: str) -> None:
        """Fills one of the files that say what a tree cannot show (see the stand-in's own text)."""
        path = self.root / "var/lib/qm-stand-in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{entry}\n" for entry in entries))

    def run(self, command: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, f"{_compiled().name}/{command}", *arguments],
            env={**self.environment, **environment},
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
            timeout=60,
        )

    def calls(self) -> list[dict]:
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def close(self) -> None:
        for path in (self.root / "var/run/qemu-server").glob("*.pid"):
            with contextlib.suppress(OSError, ValueError):
                os.kill(int(path.read_text()), signal.SIGKILL)
            path.unlink()

    def on_path(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make the stand-ins the ``qm``, ``pvesh`` and ``pvesm`` of this process."""
        folder = self.root / "usr/local/stand-in"
        folder.mkdir(parents=True)
        for name in ("qm", "pvesh", "pvesm"):
            program = folder / name
            program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{_compiled().name}/{name}" "$@"\n')
            program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        for name, value in self.environment.items():
            if name.startswith("QM_"):
                monkeypatch.setenv(name, value)
