# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""A host of libvirt for tests: a directory tree, and the stand-in for ``virsh`` that acts on it."""

from __future__ import annotations

import functools
import json
import os
import py_compile
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

VIRSH = Path(__file__).resolve().parents[2] / "stand_ins/virsh"


@functools.lru_cache(maxsize=None)
def _compiled() -> tempfile.TemporaryDirectory[str]:
    """A folder with the stand-in's bytecode, as in qm_host.py."""
    folder = tempfile.TemporaryDirectory(prefix="virsh-stand-in-")
    py_compile.compile(str(VIRSH), cfile=f"{folder.name}/virsh", doraise=True)
    return folder


class VirshHost:
    """``run("list", "--all")`` as on a host with libvirt."""

    def __init__(self, root: Path) -> None:
        self.root = root
        _compiled()
        self.log = root / "virsh.log"
        self.environment = {**os.environ, "VIRSH_ROOT": str(root), "VIRSH_LOG": str(self.log)}
        self.definitions = root / "etc/libvirt/qemu"
        self.definitions.mkdir(parents=True)

    def definition(self, name: str) -> Path:
        return self.definitions / f"{name}.xml"

    def declare(self, name: str, *entries: str) -> Path:
        """Fills one of the files that say what a tree cannot show (see the stand-in's own text)."""
        path = self.root / "var/lib/virsh-stand-in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{entry}\n" for entry in entries))
        return path

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, f"{_compiled().name}/virsh", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def run(self, script: str, read_only: bool = False) -> subprocess.CompletedProcess[str]:
        only = ["--readonly"] if read_only else []
        return self.call("--quiet", *only, "--connect", "qemu:///system", script)

    def calls(self) -> list[list[str]]:
        """The arguments of each call."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [json.loads(line)["argv"] for line in lines]

    def on_path(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make the stand-in the ``virsh`` of this process."""
        folder = self.root / "usr/local/stand-in"
        folder.mkdir(parents=True)
        program = folder / "virsh"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{_compiled().name}/virsh" "$@"\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        for name in ("VIRSH_ROOT", "VIRSH_LOG"):
            monkeypatch.setenv(name, self.environment[name])
