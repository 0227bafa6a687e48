# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What to do about a finding on Proxmox VE: sentences that name its commands and config keys."""

from __future__ import annotations

#: Cause of a finding → the sentence, with facts in braces. ``plugin_utils/_policy/hypervisors.py`` has all causes.
HINTS = {
    "controller": "Set scsihw={wanted}.",
    "iothread": "Set iothread=1.",
    "storage_unknown": (
        "Add the storage to storage.cfg, or set {unset} on the drive itself, where it applies on every storage."
    ),
    "storage_missing": "First add its storage to storage.cfg: qm does not write a disk without one.",
    "no_aio": "Nothing to set; limit the load of backups and migrations on this storage. rbd with krbd has aio modes.",
    "copy_on_write": "Remove the cache option by hand, or store the image without copy-on-write (option nocow).",
    "start_snapshot": "Remove snapshot=1, or set a machine version below 10.0.",
    "unsafe_line": "Fix or remove the line by hand: Proxmox VE drops it on its next write.",
    "unknown_setting": (
        "Check the spelling: an older Proxmox VE drops settings that it does not know. On a live node it is asked."
    ),
    "locked": "If no job is running: qm unlock {id}.",
    "cold_start": (
        "Stop and start the guest (qm shutdown and qm start, or qm reboot); a reboot inside the guest is not enough."
    ),
}
