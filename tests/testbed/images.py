# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Builds and caches the images of the test hosts: a tree, and disks made from it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator

from . import recipe

MIRROR = os.environ.get("IO_HARDENING_DEBIAN_MIRROR", "http://deb.debian.org/debian")


class ImageError(Exception):
    """An image could not be built; the message names the log to read."""


def tree(cache: pathlib.Path, image: recipe.Image) -> pathlib.Path:
    """Return the root directory of an image, building it where the cache has none."""
    return cached(cache / image.key(), lambda target: _build_tree(image, target))


def cached(path: pathlib.Path, build) -> pathlib.Path:
    """Return ``path``, made by ``build(folder)`` where it is missing.

    It appears whole or not at all, and two runs at once build it once.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        return path
    with _locked(path.with_name(f".{path.name}.lock")):
        if path.exists():
            return path
        for rest in path.parent.glob(f".{path.name}.new-*"):
            shutil.rmtree(rest)
        folder = pathlib.Path(tempfile.mkdtemp(prefix=f".{path.name}.new-", dir=path.parent))
        folder.chmod(0o755)
        build(folder)
        folder.rename(path)
    return path


@contextlib.contextmanager
def _locked(path: pathlib.Path) -> Iterator[None]:
    with path.open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build_tree(image: recipe.Image, target: pathlib.Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        extra = pathlib.Path(scratch)
        for name, (mode, text) in recipe.FILES.items():
            file = extra / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            file.chmod(mode)
        copy = f'cp -a {shlex.quote(str(extra))}/. "$1"/ && chown -R 0:0 "$1"/etc "$1"/usr/local && chmod 755 "$1"'
        # In namespaces of its own: what it mounts and starts goes away with it, however it ends.
        run(
            [
                "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
                "mmdebstrap", *recipe.DEBOOTSTRAP_OPTIONS, f"--include={','.join(image.all_packages())}",
                f"--essential-hook={copy}",
                f'--customize-hook=chroot "$1" sh -c {shlex.quote(recipe.FINISH)}',
                image.suite, str(target), MIRROR,
            ],
            target.with_name(f"{image.key()}.log"),
        )  # fmt: skip


def make_disk(root: pathlib.Path, target: pathlib.Path) -> None:
    """Make ``disk.qcow2``, ``vmlinuz`` and ``initrd`` in a folder from an image's tree."""
    log = target / "disk.log"
    for name, pattern in (("vmlinuz", "vmlinuz-*"), ("initrd", "initrd.img-*")):
        shutil.copyfile(max((root / "boot").glob(pattern)), target / name)
    raw = target / "disk.raw"
    run(
        [
            "mke2fs",
            "-q",
            "-t",
            "ext4",
            "-O",
            "^has_journal",
            "-m",
            "0",
            "-d",
            str(root),
            str(raw),
            f"{recipe.DISK_MEGABYTES}M",
        ],
        log,
    )
    run(["qemu-img", "convert", "-O", "qcow2", str(raw), str(target / "disk.qcow2")], log)
    raw.unlink()


def run(argv: list[str], log: pathlib.Path) -> None:
    """Run a program, its output into a log. Raises ImageError naming the log when it fails."""
    with log.open("wb") as output:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
        raise ImageError(f"{argv[0]} failed with status {done.returncode}; the end of {log}:\n{tail}")
