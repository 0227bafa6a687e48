# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Print one line for each file a role could touch: kind, mode, owner, time, content. Run on a test host."""

from __future__ import annotations

import hashlib
import os

TREES = ("/etc", "/usr/lib/sysctl.d", "/usr/lib/tuned", "/usr/local", "/run/qemu-server", "/run/sysctl.d", "/var/lib")

# They change by themselves: the login's traces, systemd's own notes, time spent.
NOT = ("/var/lib/systemd", "/var/lib/sudo", "/var/lib/private")

KERNEL = tuple(f"/proc/sys/vm/dirty_{name}" for name in ("ratio", "bytes", "background_ratio", "background_bytes"))


def paths():
    """Yield every path below the trees, and the kernel's values."""
    for top in TREES:
        yield top
        for directory, folders, files in os.walk(top):
            folders[:] = [name for name in folders if os.path.join(directory, name) not in NOT]
            yield from (os.path.join(directory, name) for name in folders + files)
    yield from KERNEL


def line(path):
    """Return what is worth knowing of a path, in one line."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return f"{path} absent"
    kernel = path in KERNEL
    fields = [path, f"{status.st_mode:o}", status.st_uid, status.st_gid, 0 if kernel else status.st_mtime_ns]
    if os.path.islink(path):
        fields.append(os.readlink(path))
    elif os.path.isfile(path):
        with open(path, "rb") as stream:
            fields.append(hashlib.sha256(stream.read()).hexdigest())
    return " ".join(map(str, fields))


print("\n".join(sorted(map(line, set(paths())))))
