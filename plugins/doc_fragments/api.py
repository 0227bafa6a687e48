# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations


class ModuleDocFragment:
    """The option of a module that works through an API."""

    DOCUMENTATION = r"""
options:
  api:
    description:
      - How Proxmox VE's API is reached, in place of files and commands of this host. Needs no login on any node.
      - docs/api.md says which privileges the token needs.
    type: dict
    version_added: 0.1.0
    suboptions:
      url:
        description: The address of a node, as C(https://HOST) or C(https://HOST:PORT). The port is 8006 unless given.
        type: str
        required: true
      token_id:
        description: The token, as C(USER@REALM!TOKEN).
        type: str
        required: true
      token_secret:
        description: The token's secret. It is never shown.
        type: str
        required: true
      ca_path:
        description: A file with the CA of the node's certificate, a copy of C(/etc/pve/pve-root-ca.pem).
        type: path
      validate_certs:
        description: Whether the certificate is checked. Without that, whoever is on the way can read the token.
        type: bool
        default: true
      timeout:
        description: Seconds that one request may take.
        type: int
        default: 60
      write_unseen:
        description:
          - Whether to write a guest although its config has lines that the API does not show, or hides a C(cipassword).
          - Proxmox VE drops lines that it does not know on every write.
        type: bool
        default: false
      monitor:
        description:
          - Whether to ask the QEMU of each running guest what its disks run with.
          - It takes three more requests for each, four where the machine type is older than 10.0.
        type: bool
        default: false
"""
