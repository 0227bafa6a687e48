# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""Room and nameless files on the storage that is measured.

No file of a measurement ever has a name (O_TMPFILE, or unlinked at once where the file system
cannot): when the last process that holds it ends, however it ends, the kernel frees it.
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


def mib(number):
    """Bytes as a text in MiB, rounded up."""
    return "%d MiB" % -(-number // MIB)


def check_room(path, needed):
    """Raises ProveError unless path is a writable directory with needed bytes and some to spare."""
    if not os.path.isdir(path):
        raise ProveError(
            "%s is not a directory of this host; name the directory of the storage to measure (path)" % path
        )
    if not os.access(path, os.W_OK | os.X_OK):
        raise ProveError("%s cannot be written to; run as root or name another directory (path)" % path)
    room = os.statvfs(path)
    free = room.f_bavail * room.f_frsize
    if free < needed + _SPARE:
        raise ProveError(
            "%s has %s free; the image and the load need %s, and %s must stay free. Nothing was "
            "started. Make room, or ask for less (image_mb, load_mb)" % (path, mib(free), mib(needed), mib(_SPARE))
        )


def nameless(path):
    """The descriptor of a new file in the directory path, open for reading and writing, without a name."""
    try:
        return os.open(path, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        if problem.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT):
            raise ProveError("no file can be made in %s: %s" % (path, problem.strerror)) from problem
    try:
        file, name = tempfile.mkstemp(prefix=".prove-io-", dir=path)
        os.unlink(name)
    except OSError as problem:
        raise ProveError("no file can be made in %s: %s" % (path, problem.strerror)) from problem
    return file


def check_direct(path):
    """Raises ProveError where the file system does not do direct I/O."""
    file = nameless(path)
    try:
        os.close(os.open("/proc/self/fd/%d" % file, os.O_RDWR | os.O_DIRECT))
    except OSError as problem:
        raise ProveError(
            "%s does not do direct I/O (%s), so cache none and directsync are not possible there; "
            "name another directory (path)" % (path, problem.strerror)
        ) from problem
    finally:
        os.close(file)


def fill(file, size):
    """Write size bytes that do not compress, and wait until they are on the storage."""
    block = os.urandom(MIB)
    place = 0
    while place < size:
        place += os.pwrite(file, block[: size - place], place)
    os.fsync(file)


def image(path, image_format, size, qemu_img=None):
    """The descriptor of a nameless disk image of size bytes.

    raw: every block written, so nothing has to be allocated later. raw-sparse: nothing is.
    qcow2: as Proxmox VE makes it (preallocation=metadata); needs qemu_img.
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
                    qemu_img,
                    "create",
                    "-q",
                    "-f",
                    "qcow2",
                    "-o",
                    "preallocation=metadata",
                    "/proc/self/fd/%d" % file,
                    str(size),
                ],
                pass_fds=(file,),
                check=False,
                stdout=process.PIPE,
                stderr=process.STDOUT,
                universal_newlines=True,
            )
            if made.returncode:
                raise ProveError("%s cannot make a qcow2 image: %s" % (qemu_img, made.stdout.strip()))
    except OSError as problem:
        os.close(file)
        raise ProveError("the image cannot be written to %s: %s" % (path, problem.strerror)) from problem
    except ProveError:
        os.close(file)
        raise
    return file
