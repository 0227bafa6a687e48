#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: io_stall_info
short_description: Watch whether running guests are blocked by storage
version_added: 0.1.0
description:
  - Watches the threads of running QEMU processes for some seconds. Returns for each guest how long its main loop, its
    vCPUs and its iothreads were blocked, in which system call and where in the kernel, and what its disks run with.
  - A thread is blocked while the kernel shows it in state C(D), a wait that cannot be interrupted, usually for storage. A
    guest freezes when its main loop or a vCPU is blocked. Blocked I/O workers are not counted, because with
    C(aio=threads) they wait in place of those.
  - Reads only C(/proc) and C(/sys). Attaches to no process, changes nothing, and talks to QEMU only with O(qmp=true).
  - Watches any QEMU process, whether Proxmox VE, libvirt or a person started it.
  - Measures its own cost, and keeps it below 2 % of one core by sampling less often if there are many guests.
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
options:
  duration:
    description: How long to watch, in seconds. In less than 5 seconds, setting up alone can cost more than 2 % of a core.
    type: float
    default: 10
  interval:
    description:
      - The wanted time between two looks, in seconds. Every look takes in all threads.
      - With many threads the looks are less frequent, to keep the cost below the limit. RV(sampling.interval) is the mean
        time between them. A shorter stretch may be missed, and RV(guests[].longest_ms) is only as exact as that.
    type: float
    default: 0.01
  guests:
    description: Ids or names of the guests to watch. By default, all that run.
    type: list
    elements: str
  qmp:
    description:
      - Whether to measure as well how long QEMU takes to answer C(query-status), once a second for each guest, or less often
        if there are more than ten.
      - A QMP socket serves one client at a time. While this module asks, Proxmox VE waits for the socket, and its own
        requests can time out. That takes about a millisecond, or up to 5 seconds if the guest is stalled.
      - Libvirt holds its socket all the time, so it cannot be used.
    type: bool
    default: false
  root:
    description: Directory that holds C(proc) and C(sys). Anything other than V(/) is for tests.
    type: path
    default: /
extends_documentation_fragment:
  - hypervisor.io_hardening.reads_only
attributes:
  idempotent:
    support: N/A
    description: Changes nothing; what it returns is what happens while it watches.
notes:
  - Kernel stacks and system calls can be read by root only. Without them C(wchan) is used, and RV(problems) says so.
seealso:
  - module: hypervisor.io_hardening.guest_io_info
"""

EXAMPLES = r"""
- name: Watch all running guests during the nightly backup
  hypervisor.io_hardening.io_stall_info:
    duration: 30
  register: stall

- name: Show one sentence for each
  ansible.builtin.debug:
    msg: "{{ stall.guests | map(attribute='verdict') }}"

- name: Watch two guests and ask their QEMU too
  hypervisor.io_hardening.io_stall_info:
    guests: ["101", web07]
    qmp: true
"""

RETURN = r"""
guests:
  description: One entry per running guest.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Proxmox VE's guest id. For other guests the name, the UUID, or V(pid-PID).
      type: str
      returned: success
      sample: "101"
    name:
      description: The guest's name, empty if it has no name.
      type: str
      returned: success
      sample: web01
    hypervisor:
      description: V(pve), V(libvirt), or V(qemu) for a process that neither started.
      type: str
      returned: success
      sample: pve
    pid:
      description: The QEMU process.
      type: int
      returned: success
      sample: 4711
    verdict:
      description: What was seen, in one sentence.
      type: str
      returned: success
      sample: >-
        guest 101: main loop blocked 71 % of 30 s in io_submit, waiting for request tags of sdb, 2921 ms at a stretch;
        its disks run without iothread, aio native
    main_blocked_share:
      description: The share of the time that the main loop was blocked, 0 to 1.
      type: float
      returned: success
      sample: 0.71
    longest_ms:
      description: The longest stretch of any thread in RV(guests[].threads), in milliseconds.
      type: int
      returned: success
      sample: 2921
    threads:
      description: The main loop, each vCPU and each iothread.
      type: list
      elements: dict
      returned: success
      contains:
        tid:
          description: The thread.
          type: int
          returned: success
          sample: 4711
        name:
          description: The thread's name, V(main loop) for the main loop. An iothread's is its object's id.
          type: str
          returned: success
          sample: CPU 0/KVM
        role:
          description:
            - V(main), V(vcpu), V(iothread), or V(unnamed) if the threads have no names.
            - An unnamed thread is returned only if it was blocked, and counts only if it was submitting I/O.
          type: str
          returned: success
          sample: main
        samples:
          description: The number of looks at it. Each stands for the time since the one before.
          type: int
          returned: success
          sample: 412
        blocked_share:
          description: The share of the time that it was blocked, 0 to 1.
          type: float
          returned: success
          sample: 0.71
        longest_ms:
          description:
            - Time from the first to the last of the samples in a row that found it blocked, in milliseconds.
            - The true stretch is longer, by up to one interval at each end. It may have been interrupted in between.
          type: int
          returned: success
          sample: 2921
        lock_share:
          description: The share of the time that the main loop waited for a lock; V(null) for other threads.
          type: float
          returned: success
          sample: 0.02
        syscall:
          description: The system call it was blocked in most; V(null) if it was not blocked or that cannot be read.
          type: str
          returned: success
          sample: io_submit
        wait:
          description: What it waited for most, in words.
          type: str
          returned: success
          sample: waiting for request tags of sdb
        stack:
          description: The kernel functions it waited in most, innermost first. Only one function if only C(wchan) can be read.
          type: list
          elements: str
          returned: success
          sample: [blk_mq_get_tag, __blk_mq_alloc_requests, blk_mq_submit_bio, iomap_dio_rw, aio_write, io_submit_one]
        device:
          description:
            - The disk it waited for. Known from the descriptor of the system call, or if all images of the guest are on one
              disk; else V(null).
          type: str
          returned: success
          sample: sdb
    disks:
      description: What its disks run with according to its command line. M(hypervisor.io_hardening.guest_io_info) checks that against its open files.
      type: list
      elements: dict
      returned: success
      contains:
        key:
          description: The disk.
          type: str
          returned: success
          sample: scsi0
        file:
          description: The image, as on the command line.
          type: str
          returned: success
          sample: /dev/pve/vm-101-disk-0
        runs:
          description: The values; V(null) if not known.
          type: dict
          returned: success
          sample: {driver: host_device, aio: native, cache: none, cache_direct: true, cache_no_flush: false, iothread: false}
    qmp:
      description:
        - Round trips through QEMU's main loop; V(null) without O(qmp).
        - C(unanswered) counts those that timed out, failed or were in progress when the watch ended; C(reason) is that of
          the last one.
        - C(longest_ms) is the longest wait for an answer, whether it came or not. A wait for the greeting counts only in
          C(unanswered), because another client may hold the socket.
      type: dict
      returned: success
      sample: {socket: /var/run/qemu-server/101.qmp, answered: 10, unanswered: 0, median_ms: 0.4, longest_ms: 2921.3, reason: null}
    stopped:
      description: Whether a signal or a debugger had stopped the process when the watch ended (state T). Then none of it ran.
      type: bool
      returned: success
      sample: false
    ended:
      description: Whether the process ended while it was watched.
      type: bool
      returned: success
      sample: false
host:
  description: The host during the watch. V(null) if its kernel does not say.
  returned: success
  type: dict
  contains:
    pressure:
      description: The share of the time, 0 to 1, that at least one task (C(some)) or all that had work (C(full)) waited for I/O.
      type: dict
      returned: success
      sample: {some: 0.43, full: 0.31}
    dirty:
      description: Dirty pages before and after, in bytes.
      type: dict
      returned: success
      sample: {before: 491520, after: 251658240}
    writeback:
      description: Pages under write-back before and after, in bytes.
      type: dict
      returned: success
      sample: {before: 0, after: 10485760}
sampling:
  description: How it was sampled. Times are in seconds.
  returned: success
  type: dict
  contains:
    seconds:
      description: How long it watched.
      type: float
      returned: success
      sample: 30.0
    interval_wanted:
      description: O(interval).
      type: float
      returned: success
      sample: 0.01
    interval:
      description: The mean time between two looks.
      type: float
      returned: success
      sample: 0.0728
    longest_gap:
      description: The longest time between two looks. If it is far above RV(sampling.interval), this module did not run either.
      type: float
      returned: success
      sample: 0.091
    passes:
      description: The number of looks.
      type: int
      returned: success
      sample: 412
    threads:
      description: The number of threads watched.
      type: int
      returned: success
      sample: 600
cost:
  description: What the module itself used, from finding the guests to summing up, without the start of Python.
  returned: success
  type: dict
  contains:
    cpu_seconds:
      description: CPU time.
      type: float
      returned: success
      sample: 0.52
    share:
      description: The same as a share of one core, 0 to 1.
      type: float
      returned: success
      sample: 0.0172
problems:
  description: What could not be read, and why.
  returned: success
  type: list
  elements: dict
  sample: [{file: null, line: null, guest: "999", node: null, reason: no running guest has this id or name}]
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._stall.watch import watch


def main() -> None:
    """Watch and return."""
    module = AnsibleModule(
        argument_spec={
            "duration": {"type": "float", "default": 10.0},
            "interval": {"type": "float", "default": 0.01},
            "guests": {"type": "list", "elements": "str"},
            "qmp": {"type": "bool", "default": False},
            "root": {"type": "path", "default": "/"},
        },
        supports_check_mode=True,
    )
    values = module.params
    if not 0.1 <= values["duration"] <= 3600:
        module.fail_json(msg=f"duration is {values['duration']:g}: it must be between 0.1 and 3600 seconds")
    if not 0.001 <= values["interval"] <= values["duration"]:
        module.fail_json(
            msg=f"interval is {values['interval']:g}: it must be between 0.001 seconds and duration, {values['duration']:g}"
        )
    try:
        seen = watch(values["root"], values["duration"], values["interval"], values["guests"], values["qmp"])
    except NotADirectoryError as error:
        module.fail_json(msg=f"root {error.filename!r} {error.strerror}")
    module.exit_json(changed=False, **seen)


if __name__ == "__main__":
    main()
