#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: guest_io_info
short_description: Read what guests are configured with, disk by disk
version_added: 0.1.0
description:
  - Reads the guest configs and storages of a Proxmox VE node, or of a directory tree of the same layout, as plain records.
  - Reads the guests of libvirt on this host through python3-libvirt where the module's Python has it, else through C(virsh).
  - Gives for each disk what it is configured with, what is pending in C([PENDING]), and what QEMU is really given.
  - On a live Proxmox VE node it asks C(qm list) which config lines a write would drop, and C(pvesm status) which storages the node
    can use, both once and at the same time.
  - A guest that runs on the host and that neither of them knows is read from its QEMU process.
  - It decides nothing and changes nothing. The filter P(hypervisor.io_hardening.assess#filter) judges what it returns.
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
options:
  root:
    description:
      - Where the host's files are. V(/) is the host itself.
      - Any other directory holds C(etc/pve/nodes/NODE/qemu-server/VMID.conf) and C(etc/pve/storage.cfg),
        or, flat, C(VMID.conf) or C(VMID.json) and C(storage.cfg). A copy of C(/etc/pve) itself and a node's folder are read as well.
      - Of libvirt it holds C(etc/libvirt/qemu/NAME.xml), or, flat, the XML of domains in files of any name.
      - C(VMID.conf) may be what C(qm config) or C(qm pending) prints, C(VMID.json) what C(pvesh get .../config) or C(.../pending) prints.
    type: path
    default: /
  node:
    description:
      - The node whose guests are read; V(all) reads every node's.
      - Without it, the node the module runs on where O(root) is V(/), and all nodes otherwise.
    type: str
  guests:
    description:
      - Ids of the guests to read. Without it, all.
      - The id of a guest of libvirt is its name, of V(qemu:///session) V(session:NAME). Of guests that Proxmox VE does not know,
        names are taken as well.
    type: list
    elements: str
  host_roots:
    description:
      - By subject of the host itself, such as V(writeback) or V(load), the directory to read it below, for RV(host).
      - With O(api) only V(load) is read, through it, of whichever directory.
      - One call of a module takes longer than all that is read in it. M(hypervisor.io_hardening.guest_io_assess) uses it.
    type: dict
    version_added: 0.1.0
  as_text:
    description:
      - Whether to return RV(reading) in place of the other values.
      - Ansible looks at every value that a module returns. With thousands of disks this takes longer than reading them.
      - M(hypervisor.io_hardening.guest_io_assess) uses it.
    type: bool
    default: false
    version_added: 0.1.0
extends_documentation_fragment:
  - hypervisor.io_hardening.api
  - hypervisor.io_hardening.libvirt
  - hypervisor.io_hardening.reads_only
seealso:
  - module: hypervisor.io_hardening.guest_io
  - plugin: hypervisor.io_hardening.assess
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Read the guests of this node
  hypervisor.io_hardening.guest_io_info:
  register: guests

- name: Read two guests of a tree of configs
  hypervisor.io_hardening.guest_io_info:
    root: /srv/configs
    node: all
    guests: ["100", "101"]
"""

RETURN = r"""
guests:
  description: One record per guest. docs/data.md shows it whole.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The guest's id.
      type: str
      returned: success
      sample: "8006"
    name:
      description: The guest's name, empty where it has none.
      type: str
      returned: success
      sample: web01
    node:
      description: The node the config lies on, V(null) in a flat directory.
      type: str
      returned: success
      sample: pve1
    config:
      description: The config's path on the host.
      type: str
      returned: success
      sample: /etc/pve/nodes/pve1/qemu-server/8006.conf
    digest:
      description: SHA-1 of the config file, which C(qm set --digest) compares; of a guest of libvirt, SHA-256 of its definition.
      type: str
      returned: success
    lock:
      description: What holds the guest locked.
      type: str
      returned: success
      sample: backup
    running:
      description: Whether the guest runs; V(null) where that cannot be known.
      type: bool
      returned: success
    controller:
      description: The SCSI controller, C(configured), C(pending) and C(effective).
      type: dict
      returned: success
      sample: {configured: null, pending: virtio-scsi-single, effective: lsi, line: null}
    disks:
      description: Every drive with C(configured), C(pending), C(effective) and C(next), what it has after a cold start.
      type: list
      elements: dict
      returned: success
    pending:
      description: Keys that wait in C([PENDING]).
      type: list
      elements: str
      returned: success
    snapshots:
      description: Names of the guest's snapshots.
      type: list
      elements: str
      returned: success
    unsafe_lines:
      description: Lines that Proxmox VE does not understand and drops on its next write; C(drive) for a line that should define a disk.
      type: list
      elements: dict
      returned: success
    iothreads:
      description: How many iothreads the definition has; V(null) on Proxmox VE, which makes one for each disk by itself.
      type: int
      returned: success
    held:
      description: Why the guest must not be written, as far as its read has shown; V(null) where nothing speaks against it.
      type: dict
      returned: success
      sample: {reason: not_asked, detail: "qm list did not answer"}
    args_disks:
      description: What the line C(args) does to disks; C(disk) is the one of C(disks) that it changes, null where it gives the guest another.
      type: list
      elements: dict
      returned: success
      sample: [{line: 2, args: "-drive file=/dev/sdb,if=virtio", does: gives QEMU a disk that is not judged, disk: null}]
storages:
  description:
    - The storages of storage.cfg. C(active) tells whether this node can use it now; V(null) where that is not known or no live
      node was asked.
  returned: success
  type: list
  elements: dict
  sample: [{id: local, type: dir, krbd: false, nocow: false, shared: false, servers: [], disabled: false, images: /var/lib/vz/images, active: true}]
nodes:
  description: The nodes read, with their own addresses and names.
  returned: success
  type: list
  elements: dict
  sample: [{name: pve1, addresses: [10.0.0.11], names: [pve1]}]
problems:
  description: What could not be read and why.
  returned: success
  type: list
  elements: dict
  sample: [{file: /etc/pve/nodes/pve1/qemu-server/101.conf, line: null, guest: "101", node: pve1, reason: is empty}]
host:
  description:
    - By subject, its facts, as M(hypervisor.io_hardening.host_settings_info) and M(hypervisor.io_hardening.host_writeback_info)
      return them.
    - A subject whose directory cannot be read is absent. Those modules say why.
  returned: when O(host_roots) is given
  type: dict
reading:
  description: All of the above as one text of JSON.
  returned: when O(as_text) is true
  type: str
"""

import json
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import _subjects
from ..module_utils._backends import find
from ..module_utils._backends.hypervisors import OPTIONS
from ..module_utils._backends.layout import LayoutError
from ..module_utils._host.run import command
from ..module_utils._pve_api.spec import API


def main() -> None:
    """Read and return."""
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "default": "/"},
            "node": {"type": "str"},
            "guests": {"type": "list", "elements": "str"},
            "api": API,
            **OPTIONS,
            "host_roots": {"type": "dict"},
            "as_text": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    try:
        way = {name: module.params[name] for name in ("root", "node", "api", *OPTIONS)}
        reading = find.read(only=module.params["guests"], run=command, **way)
    except LayoutError as exc:
        module.fail_json(msg=str(exc))
    for path in reading.containers:
        module.warn(f"{path} is the config of a container, not of a guest: it was not read")
    returned = {
        "guests": reading.guests,
        "storages": reading.storages,
        "nodes": reading.nodes,
        "problems": reading.problems,
    }
    if module.params["host_roots"] is not None:
        unknown = sorted(set(module.params["host_roots"]) - set(_subjects.READ))
        if unknown:
            module.fail_json(msg=f"host_roots: {unknown[0]!r} is not known; it takes {', '.join(_subjects.READ)}")
        try:
            returned["host"] = _host(module.params, reading.texts)
        except LayoutError as exc:
            module.fail_json(msg=str(exc))
    module.exit_json(changed=False, **{"reading": json.dumps(returned)} if module.params["as_text"] else returned)


def _host(params: dict[str, Any], texts: dict[str, str]) -> dict[str, Any]:
    """The subjects of the host. Behind an API the files below their directories are those of another machine."""
    if params["api"] is None:
        return _subjects.read_all(params["host_roots"], texts)
    return _subjects.read_by_api(params["host_roots"], params["api"], params["node"])


if __name__ == "__main__":
    main()
