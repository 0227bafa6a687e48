# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Which thread of a QEMU process does what, by its name. No I/O.

QEMU names threads if asked to (debug-threads=on; Proxmox VE and libvirt do): "CPU 0/KVM", "IO NAME", "worker". The
kernel refuses a name of more than 15 characters, and the thread keeps that of the process: Proxmox VE's
"IO iothread-virtioscsi0" is one of those.
Source: QEMU's util/qemu-thread-posix.c, iothread.c, accel/*; names recorded on Proxmox VE 9.
"""

from __future__ import annotations

import re

_VCPU = re.compile(r"CPU \d+/")
_IO = "IO "
_MONITOR = "IO mon_iothread"
_LONGEST_NAME = 15
# Threads that do the I/O that others submitted, so waiting is their work, or that no guest waits for.
_HELPERS = re.compile(
    r"worker$|iou-wrk-|iou-sqp-|vhost-|kvm-|call_rcu$|vnc_worker|SPICE|gmain$|gdbus$|pool-|threaded-ml$"
)


def roles(pid: int, names: dict[int, str], iothreads: list[str]) -> dict[int, tuple[str, str]]:
    """{tid: (role, name)} of the threads that a guest waits for.

    The thread with the number of the process, ``pid``, is the main loop. ``names`` is {tid: comm}, ``iothreads`` are
    the ids of its iothread objects, in the order they were made.

    Roles: ``main``, ``vcpu``, ``iothread``, and ``unnamed`` for a thread that has the process's name, so that its role
    is not known: without debug-threads every thread, the workers too.
    """
    found = {pid: ("main", "main loop")}
    own = names.get(pid)
    unnamed = []
    for tid in sorted(names):
        name = names[tid]
        if tid == pid or name == _MONITOR or _HELPERS.match(name):
            continue
        if _VCPU.match(name):
            found[tid] = ("vcpu", name)
        elif name.startswith(_IO):
            found[tid] = ("iothread", _full_name(name[len(_IO) :], iothreads))
        elif name == own:
            unnamed.append(tid)
    nameless = [one for one in iothreads if len(_IO + one) > _LONGEST_NAME]
    if are_named(pid, names) and len(unnamed) == len(nameless):
        # The objects are made one after the other, and thread ids increase.
        found.update((tid, ("iothread", name)) for tid, name in zip(unnamed, nameless))
    else:
        found.update((tid, ("unnamed", f"thread {tid}")) for tid in unnamed)
    return found


def are_named(pid: int, names: dict[int, str]) -> bool:
    """Whether the process names its threads."""
    return any(tid != pid and (_VCPU.match(name) or name == "call_rcu") for tid, name in names.items())


def _full_name(name: str, iothreads: list[str]) -> str:
    matching = [one for one in iothreads if one.startswith(name)]
    return matching[0] if len(matching) == 1 else name
