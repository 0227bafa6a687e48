# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What is said about the load of a host, and what to do about it: sentences that name Proxmox VE's files and options.

They are here, and not with the guests' sentences, because backups and their limits are Proxmox VE's own: there is no
neutral word for a job of vzdump.
"""

from __future__ import annotations

from ...module_utils._load.jobs_cfg import Job

FLEECING = "with it, a guest's writes go to that storage and do not wait for the backup's target"
WAITS = "a guest's write to what is not backed up yet waits until the target has the old data"
WORKERS = "each worker's request waits ahead of a guest's write"
TAKE_FLEECING_OUT = "Take fleecing out of the job, or name the storage there as well: the two are not merged."
FLEECING_STORAGE = (
    "Choose a storage for fleecing that is on this machine, fast, and thin (LVM-thin, ZFS with sparse, or a directory)."
)
BWLIMIT = (
    "it slows the backup's own reads, not the copy that a guest's write waits for, and a longer backup makes more"
    " writes wait; it helps where it is below the target's rate"
)
IONICE = (
    "it is the priority of vzdump's compressor under the scheduler BFQ; the guests' disks are read by QEMU, which does"
    " not have it"
)
NO_LIMIT = "such a copy takes all that the disk gives, and guests on it wait"
OLD_JOB = "It is in vzdump.cron: save it in the web interface, which makes a job of it that can be set."


def set_job(job: Job, option: str) -> str:
    """What sets an option of a job."""
    return OLD_JOB if job["old"] else f"Set {option} in the job."


def without_fleecing(remote: bool, many: bool, has_fleecing: bool | None, has_workers: bool | None) -> str:
    """What to do where a backup runs without fleecing."""
    fewer = ""
    if many and has_workers is not False:
        fewer = "Set performance: max-workers=1, which made the wait ten times shorter where it was measured"
    elif many and not remote:
        return "Proxmox VE 7.3 brings performance: max-workers."
    if not remote:
        return f"{fewer}." if fewer else ""
    if has_fleecing is False:
        brings = "Proxmox VE 7.3 brings max-workers, and 8.2 fleecing." if has_workers is False else ""
        brings = brings or "Proxmox VE 8.2 brings fleecing."
        return f"{fewer}. {brings}" if fewer else brings
    storage = "fleecing: enabled=1,storage=ID with a fast local storage, which alone stands a target that hangs"
    return f"{fewer}, and {storage}." if fewer else f"Set {storage}."
