# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What to do about a finding on libvirt: sentences that name its commands and XML."""

from __future__ import annotations

#: Cause of a finding → the sentence, with facts in braces. ``plugin_utils/_policy/hypervisors.py`` has all causes.
HINTS = {
    "controller": "Give its controller model='virtio-scsi' (virsh edit), when the guest has the driver virtio_scsi.",
    "iothread": (
        "Add an iothread with a number that is free (virsh iothreadadd GUEST NUMBER --config), and write"
        " iothread='NUMBER' into the <driver> of {key} (virsh edit); for a disk on virtio-scsi, into the <driver> of"
        " its controller."
    ),
    "aio": "Write io='{value}' into the <driver> of {key} (virsh edit).",
    "cache": "Write cache='{value}' into the <driver> of {key} (virsh edit).",
    "storage_missing": "First define its storage pool (virsh pool-define).",
    "cold_start": (
        "Shut the guest down and start it (virsh shutdown, virsh start); a reboot is not enough, nor is resuming a"
        " saved guest."
    ),
}
