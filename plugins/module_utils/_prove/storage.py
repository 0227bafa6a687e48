# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""Free space and nameless files on the storage that is measured.

No file of a measurement has a name (O_TMPFILE, or unlinked at once where the file system has no O_TMPFILE): when the
last process that holds it ends, in whatever way, the kernel frees it.
"""

from __future__ import annotations

import errno
import os
import tempfile

from . import process
from .errors import ProveError

MIB = 1024 * 1024
_SPARE = 256 * MIB
FORMATS = ("raw", "raw-sparse", "qcow2")


def mib(number: int) -> str:
    """Bytes as text in MiB, rounded up."""
    return f"{-(-number // MIB)} MiB"


def check_room(path: str, needed: int) -> None:
    """Raises ProveError unless ``path`` is a writable directory with ``needed`` bytes free, and some to spare."""
    if not os.path.isdir(path):
        raise ProveError(f"{path} is not a directory of this host; name the directory of the storage to measure (path)")
    if not os.access(path, os.W_OK | os.X_OK):
        raise ProveError(f"{path} cannot be written to; run as root or name another directory (path)")
    room = os.statvfs(path)
    free = room.f_bavail * room.f_frsize
    if free < needed + _SPARE:
        raise ProveError(
            f"{path} has {mib(free)} free; the image and the load need {mib(needed)}, and {mib(_SPARE)} must stay free."
            " Nothing was started. Free some space, or ask for less (image_mb, load_mb)"
        )


def nameless(path: str) -> int:
    """The descriptor of a new file without a name in the directory ``path``, open for reading and writing."""
    try:
        return os.open(path, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        if problem.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT):
            raise ProveError(f"no file can be created in {path}: {problem.strerror}") from problem
    try:
        file, name = tempfile.mkstemp(prefix=".prove-io-", dir=path)
        os.unlink(name)
    except OSError as problem:
        raise ProveError(f"no file can be created in {path}: {problem.strerror}") from problem
    return file


def check_direct(path: str) -> None:
    """Raises ProveError where the file system does not support direct I/O."""
    file = nameless(path)
    try:
        os.close(os.open(f"/proc/self/fd/{file}", os.O_RDWR | os.O_DIRECT))
    except OSError as problem:
        raise ProveError(
            f"{path} does not support direct I/O ({problem.strerror}), so cache none and directsync are not possible"
            " there; name another directory (path)"
        ) from problem
    finally:
        os.close(file)


def fill(file: int, size: int) -> None:
    """Write ``size`` bytes that do not compress, and wait until they are on the storage."""
    block = os.urandom(MIB)
    place = 0
    while place < size:
        place += os.pwrite(file, block[: size - place], place)
    os.fsync(file)


def image(path: str, image_format: str, size: int, qemu_img: str | None = None) -> int:
    """The descriptor of a nameless disk image of ``size`` bytes.

    raw: every block is written, so nothing has to be allocated later. raw-sparse: no block is written. qcow2: as
    Proxmox VE creates it (preallocation=metadata); needs ``qemu_img``.
    """
    file = nameless(path)
    try:
        if image_format == "raw":
            fill(file, size)
        elif image_format == "raw-sparse":
            os.ftruncate(file, size)
        else:
            made = process.run(
                [
                    qemu_img or "qemu-img",
                    "create",
                    "-q",
                    "-f",
                    "qcow2",
                    "-o",
                    "preallocation=metadata",
                    f"/proc/self/fd/{file}",
                    str(size),
                ],
                pass_fds=(file,),
                check=False,
                stdout=process.PIPE,
                stderr=process.STDOUT,
                universal_newlines=True,
            )
            if made.returncode:
                raise ProveError(f"{qemu_img} cannot create a qcow2 image: {made.stdout.strip()}")
    except OSError as problem:
        os.close(file)
        raise ProveError(f"the image cannot be written to {path}: {problem.strerror}") from problem
    except ProveError:
        os.close(file)
        raise
    return file
