# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations


class ModuleDocFragment:
    """The options of a module that names hypervisors."""

    DOCUMENTATION = r"""
options:
  hypervisor:
    description:
      - The hypervisor whose guests are meant, Proxmox VE (V(pve)) or libvirt. V(auto) means all that the host has.
      - It fails where the one that is named is not there.
    type: str
    choices: [auto, pve, libvirt]
    default: auto
    version_added: 0.1.0
  libvirt_uris:
    description:
      - The connections to libvirt whose guests are meant, V(qemu:///system) and V(qemu:///session).
      - The second one has the guests of the user who runs the module, and root has none there.
    type: list
    elements: str
    default: ["qemu:///system"]
    version_added: 0.1.0
"""
