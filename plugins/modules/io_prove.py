#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: io_prove
short_description: Measure how long a guest freezes while its storage is busy
version_added: 0.1.0
description:
  - Starts a tiny guest with a temporary disk image on the named storage, puts a load on that storage, and measures how
    long the guest's heartbeat stops. Does so for each of several ways to attach the disk, in turn.
  - The guest is the host's own kernel with Perl. None of your guests is changed or restarted.
  - The load is real. Everything else on this storage is slowed down, as by a backup.
  - Its files have no names in the file system, and QEMU ends with the module. So nothing is left behind, even if the module is killed.
  - Needs an x86-64 host with QEMU, a kernel image with its modules, perl-base and util-linux. Needs root only if they or the path require it.
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
options:
  path:
    description:
      - A directory on the storage to measure, on Proxmox VE for example C(/var/lib/vz) for the storage C(local).
      - It needs free space for O(image_mb) and O(load_mb), and 256 MiB more. If there is less, nothing is started.
    type: path
    required: true
  settings:
    description:
      - The settings to compare. The first is compared with each of the others.
      - By default, a guest with Proxmox VE's defaults on a VirtIO SCSI controller (V(today)), and what the collection's policy asks for (V(hardened)).
    type: list
    elements: dict
    suboptions:
      name:
        description: The setting's name in the results.
        type: str
        required: true
      bus:
        description: The disk's bus.
        type: str
        choices: [scsi, virtio, ide, sata]
        default: scsi
      controller:
        description: The SCSI controller, as in Proxmox VE's C(scsihw). No effect on other buses.
        type: str
        choices: [virtio-scsi-single, virtio-scsi-pci, virtio-scsi, lsi, lsi53c810, megasas, pvscsi]
        default: virtio-scsi-pci
      iothread:
        description: Whether the disk has an iothread. Possible with V(virtio-scsi-single), V(virtio-scsi) and bus V(virtio).
        type: bool
        default: false
      aio:
        description: How QEMU submits requests.
        type: str
        choices: [threads, io_uring, native]
        default: io_uring
      cache:
        description: The disk's cache mode.
        type: str
        choices: [none, writeback, writethrough, directsync, unsafe]
        default: none
      during:
        description:
          - What happens to the guest every second while it is measured, through QEMU's monitor.
          - V(block_resize) sets the disk to its present size, V(block_job) starts a backup job and cancels it, in turn,
            V(query_blockstats) reads the disk's statistics.
          - With V(backup) a backup of the guest begins, once, as O(settings[].backup) says.
          - With V(disk_reset) the guest itself resets its SCSI disk every second, as its kernel does with a disk that has not responded for 30 seconds.
        type: str
        choices: [block_resize, block_job, query_blockstats, disk_reset, backup]
      backup:
        description:
          - How the backup is made, with O(settings[].during=backup). It copies the whole disk, and a write of the guest to a place that is not copied
            yet waits until the old data is in the target (copy before write), as with Proxmox VE.
          - Its files are as large as O(image_mb) and have no names.
        type: dict
        suboptions:
          max_workers:
            description: How many requests the job has on the way, 1 to 256, as Proxmox VE's C(performance), C(max-workers).
            type: int
            default: 16
          rate_mb_per_s:
            description: The job's own limit, 10^6 bytes per second, as Proxmox VE's C(bwlimit). V(0) is none.
            type: int
            default: 0
          cluster_kb:
            description:
              - The least that is copied at once, KiB, a power of two. V(4096) is what a Proxmox Backup Server takes.
              - More than V(64) needs QEMU 9.2.
            type: int
            default: 64
          target:
            description: The directory in which the backup is made. Without it the disk is read, and the data goes nowhere.
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
            description:
              - A directory for a fleecing image. The guest's writes then wait for it and not for the target.
              - Needs QEMU 8.1, as it needs Proxmox VE 8.2.
            type: path
  runs:
    description: How often each setting is measured. Settings take turns.
    type: int
    default: 3
  seconds:
    description: How long a run measures, in seconds.
    type: int
    default: 10
  warm_up:
    description:
      - The least time between the start of the load and of the measurement, in seconds.
      - The measurement then waits up to ten more seconds until the load is felt.
    type: int
    default: 3
  image_mb:
    description: Size of the disk image, MiB.
    type: int
    default: 256
  image_format:
    description:
      - In V(raw) every block is written before the first run. V(raw-sparse) and V(qcow2) (with preallocated metadata) are created anew for every run.
    type: str
    choices: [raw, raw-sparse, qcow2]
    default: raw
  load_writers:
    description: Number of buffered writers next to the guest. V(0) is no load.
    type: int
    default: 1
  load_mb:
    description: The most space that all writers together use, MiB. Each writes its part to a file, syncs it, and starts a new one.
    type: int
    default: 2048
  load_total_mb:
    description: The most that all writers together write in one run, MiB. If that ends the load early, the results say so.
    type: int
    default: 32768
extends_documentation_fragment:
  - hypervisor.io_hardening.own_qemu
  - hypervisor.io_hardening.reads_only
attributes:
  check_mode:
    support: full
    description: Checks that the host has everything that the measurement needs, and starts nothing.
seealso:
  - module: hypervisor.io_hardening.guest_io_prove
"""

EXAMPLES = r"""
- name: Compare the default with the hardened setting on the storage local
  hypervisor.io_hardening.io_prove:
    path: /var/lib/vz
  register: proof

- name: Show the report
  ansible.builtin.debug:
    msg: "{{ proof.lines }}"

- name: Measure whether an iothread alone is enough, and whether the cure helps while a disk is resized
  hypervisor.io_hardening.io_prove:
    path: /var/lib/vz
    settings:
      - {name: no iothread}
      - {name: iothread, controller: virtio-scsi-single, iothread: true}
      - {name: resized, controller: virtio-scsi-single, iothread: true, aio: threads, during: block_resize}

- name: Measure what a backup to a slow target does to the guest's writes, with 16 workers and with one
  hypervisor.io_hardening.io_prove:
    path: /var/lib/vz
    load_writers: 0
    settings:
      - {name: 16 workers, during: backup, backup: {target: /mnt/backup, target_mb_per_s: 5}}
      - {name: 1 worker, during: backup, backup: {target: /mnt/backup, target_mb_per_s: 5, max_workers: 1}}
"""

RETURN = r"""
lines:
  description: Table, chart and conclusions, for a person.
  type: list
  elements: str
  returned: success
runs:
  description: The runs, in their order.
  type: list
  elements: dict
  returned: success
  contains:
    setting:
      description: The setting's name.
      type: str
      returned: success
    round:
      description: The number of the round, from 1.
      type: int
      returned: success
    longest_gap_ms:
      description: The longest time between two heartbeats, by the guest's clock, ms. There is a heartbeat every 2 ms.
      type: float
      returned: success
      sample: 3295.1
    longest_write_ms:
      description:
        - The longest time that one write of the guest took, by the guest's clock, ms. One that was not answered at the end counts with its time until then.
        - V(null) if the guest did not report.
      type: float
      returned: success
      sample: 558.2
    backup_mb_per_s:
      description: What the backup read of the disk, 10^6 bytes per second, see O(settings[].backup). V(null) without a backup.
      type: float
      returned: success
      sample: 5.1
    backup_ended:
      description: Whether the backup ended before the measurement did.
      type: bool
      returned: success
    host_longest_gap_ms:
      description: The same as RV(runs[].longest_gap_ms), by the host's clock, from when the heartbeats arrived.
      type: float
      returned: success
    stalled_s:
      description: Sum of all gaps over 50 ms, in seconds.
      type: float
      returned: success
    gaps:
      description: The gaps over 50 ms, start and length, ms.
      type: list
      elements: list
      returned: success
    window_s:
      description: The length of the measurement, in seconds. Longer than O(seconds) if the guest was frozen at the end.
      type: float
      returned: success
    beats:
      description: Number of heartbeats.
      type: int
      returned: success
    reads:
      description: Read requests that the guest's disk completed.
      type: int
      returned: success
    writes:
      description: Write requests that the guest's disk completed.
      type: int
      returned: success
    main_blocked_percent:
      description: The percentage of the time that QEMU's main thread was in uninterruptible sleep.
      type: int
      returned: success
    commands:
      description: Number of monitor commands sent, see O(settings[].during).
      type: int
      returned: success
    complete:
      description: Whether the guest reported at the end. If not, the true figures can be worse.
      type: bool
      returned: success
    died:
      description: QEMU's last output if it died during the measurement, for instance by an assertion of its own; else V(null).
      type: str
      returned: success
    load:
      description:
        - MiB that the load wrote, and whether it ended before the measurement did.
        - C(felt_ms) is the longest time that a small read by the host took before the measurement, ms.
      type: dict
      returned: success
      sample: {mb: 512, ended_early: false, felt_ms: 812.5}
summary:
  description: >-
    One entry per setting, with median, min and max of C(longest_gap_ms), C(longest_write_ms), C(stalled_s)
    and C(backup_mb_per_s), and the medians of the rest.
  type: list
  elements: dict
  returned: success
ratios:
  description: The longest gap of the first setting divided by that of the second, for each round; 0 if QEMU died with the second.
  type: list
  elements: float
  returned: success
  sample: [298.1, 341.9, 122.7]
settings:
  description: The settings, complete.
  type: list
  elements: dict
  returned: success
accelerator:
  description: KVM or emulation, and why.
  type: dict
  returned: success
  sample: {name: tcg, reason: /dev/kvm cannot be used}
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._prove import backup, lab, setting
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
            "settings": {
                "type": "list",
                "elements": "dict",
                "options": {
                    "name": {"type": "str", "required": True},
                    "bus": {"type": "str", "choices": list(setting.BUSES), "default": "scsi"},
                    "controller": {"type": "str", "choices": list(setting.CONTROLLERS), "default": "virtio-scsi-pci"},
                    "iothread": {"type": "bool", "default": False},
                    "aio": {"type": "str", "choices": list(setting.AIO_MODES), "default": "io_uring"},
                    "cache": {"type": "str", "choices": list(setting.CACHE_MODES), "default": "none"},
                    "during": {"type": "str", "choices": list(setting.DURING)},
                    "backup": {"type": "dict", "options": BACKUP},
                },
            },
            "runs": {"type": "int", "default": 3},
            "seconds": {"type": "int", "default": 10},
            "warm_up": {"type": "int", "default": 3},
            "image_mb": {"type": "int", "default": 256},
            "image_format": {"type": "str", "choices": list(lab.FORMATS), "default": "raw"},
            "load_writers": {"type": "int", "default": 1},
            "load_mb": {"type": "int", "default": 2048},
            "load_total_mb": {"type": "int", "default": 32768},
            "accelerator": {"type": "str", "choices": ["auto", "kvm", "tcg"], "default": "auto"},
            "qemu": {"type": "path"},
            "kernel": {"type": "path"},
            "kernel_modules": {"type": "path"},
        },
        supports_check_mode=True,
    )
    options = dict(module.params, settings=module.params["settings"] or [setting.TODAY, setting.HARDENED])
    try:
        proof = lab.plan(options) if module.check_mode else lab.measure(options)
    except ProveError as problem:
        module.fail_json(msg=str(problem))
    module.exit_json(changed=False, **proof)


if __name__ == "__main__":
    main()
