#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: io_calibrate
short_description: Measure a guest under a load with other values of its disk's queue or of the load
version_added: 0.1.0
description:
  - One step of a calibration, which M(hypervisor.io_hardening.host_io_calibrate) makes of many. It measures how fast the storage is, or
    how long a guest of its own freezes under a load while the disk has other values.
  - The values hold while the step measures. What was before is put back when it ends, also by SIGTERM, SIGINT or SIGHUP. After
    SIGKILL the next step puts it back, from a record in C(/run).
  - None of your guests is changed or restarted. The load is real. Everything else on this storage is slowed down, as by a backup.
  - Needs root, and what M(hypervisor.io_hardening.io_prove) needs.
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
options:
  path:
    description: A directory on the storage to measure. It needs free space for O(image_mb), O(load_mb) and 256 MiB more.
    type: path
    required: true
  measure:
    description:
      - V(rate) is how fast the storage, and the directory of O(backup.target), read and write in sequence, for three seconds each.
      - V(writer) is a buffered writer beside the guest, while a backup of the guest begins. This backup goes nowhere, whatever its target.
      - V(backup) is a backup of the guest, and no other load.
      - V(restore) is a buffered writer, as a restore through the host's cache, and no backup.
    type: str
    choices: [rate, backup, writer, restore]
    default: writer
  hardened:
    description: Whether the guest's disk is as the collection's policy wants it, or as Proxmox VE attaches it by default.
    type: bool
    default: true
  queue:
    description: Values of each disk under O(path) while the step measures. Needs a disk with a queue of the kernel's.
    type: dict
    suboptions:
      nr_requests:
        description: How many requests the queue holds.
        type: int
      max_sectors_kb:
        description: How large a request is at most, KiB.
        type: int
  dirty:
    description: Values of the device that the file system is on, while the step measures.
    type: dict
    suboptions:
      max_bytes:
        description: How much of it may be dirty in the host's memory, bytes. Linux 6.2 has this.
        type: int
      strict_limit:
        description: V(1) makes that limit hold even while the whole host is below its own.
        type: int
        choices: [0, 1]
  backup:
    description: How the backup is made, as O(hypervisor.io_hardening.io_prove#module:settings[].backup).
    type: dict
    suboptions:
      max_workers:
        description: How many requests the job has on the way, 1 to 256.
        type: int
        default: 16
      rate_mb_per_s:
        description: The job's own limit, 10^6 bytes per second. V(0) is none.
        type: int
        default: 0
      cluster_kb:
        description: The least that is copied at once, KiB. More than V(64) needs QEMU 9.2.
        type: int
        default: 64
      target:
        description: The directory in which the backup is made. Without it, the data goes nowhere.
        type: path
      target_mb_per_s:
        description: QEMU makes the target this slow, 10^6 bytes per second. V(0) is as fast as it is.
        type: int
        default: 0
      target_requests_per_s:
        description: The same in requests per second.
        type: int
        default: 0
      fleecing:
        description: A directory for a fleecing image. Needs QEMU 8.1.
        type: path
  load_mb_per_s:
    description: The writer is held to this, 10^6 bytes per second. V(0) is no limit.
    type: int
    default: 0
  seconds:
    description: How long a run measures, in seconds.
    type: int
    default: 8
  warm_up:
    description: The least time between the start of the load and of the measurement, in seconds.
    type: int
    default: 3
  image_mb:
    description: Size of the disk image, MiB.
    type: int
    default: 128
  load_mb:
    description: The most space that the writer uses, MiB.
    type: int
    default: 1024
  load_total_mb:
    description: The most that the writer writes, MiB.
    type: int
    default: 16384
  sure:
    description: Measure on a storage that is in production, with guests on it.
    type: bool
    default: false
extends_documentation_fragment:
  - hypervisor.io_hardening.own_qemu
  - hypervisor.io_hardening.reads_only
attributes:
  check_mode:
    support: full
    description: Checks that the host has everything that the step needs, and starts and sets nothing.
seealso:
  - module: hypervisor.io_hardening.host_io_calibrate
  - module: hypervisor.io_hardening.io_prove
"""

EXAMPLES = r"""
- name: Measure the start of a backup beside a writer, with a shorter queue
  hypervisor.io_hardening.io_calibrate:
    path: /var/lib/vz
    measure: writer
    queue: {nr_requests: 16, max_sectors_kb: 128}
  register: step

- name: Show what it was with these values
  ansible.builtin.debug:
    msg: "{{ step.run | default('not measured in check mode') }}"
"""

RETURN = r"""
disk:
  description:
    - The C(device) that the file system is on, the C(disks) below it, each with its name, its name in C(/dev/disk/by-id) and its values,
      and the names of all devices C(around) them.
    - C(device) is V(null) where the file system has none of its own (ZFS, btrfs, NFS).
  type: dict
  returned: success
production:
  description: What shows that the storage is in production, a sentence each.
  type: list
  elements: str
  returned: success
left_behind:
  description: The files of C(/sys) that a killed step left changed. The next step that is not in check mode puts them back.
  type: list
  elements: str
  returned: in check mode
put_back:
  description: The files of C(/sys) that a killed step had left changed, and this one put back.
  type: list
  elements: str
  returned: success, not in check mode
rate:
  description: With O(measure=rate), 10^6 bytes per second; C(target_mb_per_s) is V(null) without O(backup.target).
  type: dict
  returned: success, not in check mode
  sample: {write_mb_per_s: 40.1, read_mb_per_s: 40.2, target_mb_per_s: null}
run:
  description:
    - The run, with the keys of RV(hypervisor.io_hardening.io_prove#module:runs), and C(disk_mb_per_s), what went through the device in 10^6
      bytes per second, and C(written_mb), what the run wrote at most.
    - V(null) with O(measure=rate).
  type: dict
  returned: success, not in check mode
accelerator:
  description: KVM or emulation, and why. V(null) with O(measure=rate).
  type: dict
  returned: success, not in check mode
cannot_set:
  description: Whether the step failed because the kernel or a disk does not take one of the values. Nothing has changed then.
  type: bool
  returned: failure
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._calibrate import kept, step
from ..module_utils._host.tree import Tree
from ..module_utils._prove import backup
from ..module_utils._prove.errors import ProveError

BACKUP = {
    key: {"type": "path"} if default is None else {"type": "int", "default": default}
    for key, default in backup.DEFAULTS.items()
}


def main() -> None:
    """Measure and return."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "measure": {"type": "str", "choices": list(step.MEASURES), "default": "writer"},
            "hardened": {"type": "bool", "default": True},
            "queue": {"type": "dict", "options": {"nr_requests": {"type": "int"}, "max_sectors_kb": {"type": "int"}}},
            "dirty": {
                "type": "dict",
                "options": {"max_bytes": {"type": "int"}, "strict_limit": {"type": "int", "choices": [0, 1]}},
            },
            "backup": {"type": "dict", "options": BACKUP},
            "load_mb_per_s": {"type": "int", "default": 0},
            "seconds": {"type": "int", "default": 8},
            "warm_up": {"type": "int", "default": 3},
            "image_mb": {"type": "int", "default": 128},
            "load_mb": {"type": "int", "default": 1024},
            "load_total_mb": {"type": "int", "default": 16384},
            "sure": {"type": "bool", "default": False},
            "accelerator": {"type": "str", "choices": ["auto", "kvm", "tcg"], "default": "auto"},
            "qemu": {"type": "path"},
            "kernel": {"type": "path"},
            "kernel_modules": {"type": "path"},
        },
        supports_check_mode=True,
    )
    kept.stop_on_signals()
    work = step.check if module.check_mode else step.take
    try:
        done = work(module.params, Tree("/"))
    except ProveError as problem:
        module.fail_json(msg=str(problem), cannot_set=isinstance(problem, kept.CannotSet))
    module.exit_json(changed=False, **done)


if __name__ == "__main__":
    main()
