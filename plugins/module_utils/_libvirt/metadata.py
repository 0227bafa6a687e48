# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the metadata of a domain tells: its operating system, and the tool that defines it. Pure."""

from __future__ import annotations

import re

from .xml import Element

# libosinfo's short ids of Windows → Proxmox VE's words of an ostype, which the policy's rules know.
_WINDOWS_ID = re.compile(r"http://microsoft\.com/win(?:nt)?/([0-9a-z.]+)\Z", re.ASCII)
_WINDOWS = {
    "11": "win11", "2k25": "win11", "2k22": "win11",
    "10": "win10", "2k19": "win10", "2k16": "win10",
    "8": "win8", "8.1": "win8", "2k12": "win8", "2k12r2": "win8",
    "7": "win7", "2k8r2": "win7",
    "vista": "wvista", "2k8": "w2k8",
    "xp": "wxp", "2k3": "w2k3", "2k3r2": "w2k3", "2k": "w2k",
}  # fmt: skip

# Tools that write a domain anew from what they know, by the beginning of their metadata's namespace.
_TOOLS = {
    "http://openstack.org/xmlns/libvirt/nova/": "OpenStack Nova",
    "http://ovirt.org/vm/": "oVirt",
    "http://kubevirt.io": "KubeVirt",
}
_NAMED = {
    "terraform": "Terraform",
    "opentofu": "OpenTofu",
    "tofu": "OpenTofu",
    "pulumi": "Pulumi",
    "vagrant": "Vagrant",
}
_MANAGED = re.compile(
    r"\b(?:managed|created|provisioned|deployed)\b.{0,40}\b(terraform|opentofu|tofu|pulumi|vagrant)\b", re.IGNORECASE
)
_MOST_READ = 8192


def ostype(root: Element) -> str | None:
    """The guest's Windows in Proxmox VE's words, by libosinfo's id that virt-install and Cockpit leave; None for
    another system, and where it is not said.
    """
    for metadata in root.all("metadata"):
        for element in metadata.children:
            for os in element.children:
                found = _WINDOWS_ID.match(os.attributes.get("id", ""))
                if found:
                    return _WINDOWS.get(found[1], "win11")
    return None


def made_by(root: Element) -> str | None:
    """The tool that defines the guest, and what says so: ``OpenStack Nova, by its metadata``; or None.

    Only tools that take back what is changed elsewhere: virt-manager and Cockpit change what is there.
    """
    for metadata in root.all("metadata"):
        for element in metadata.children:
            for name, space in element.attributes.items():
                if name.startswith("xmlns"):
                    for start, tool in _TOOLS.items():
                        if space.startswith(start):
                            return f"{tool}, by its metadata"
    for where in ("title", "description"):
        said = root.child(where)
        found = _MANAGED.search(said.text[:_MOST_READ]) if said is not None else None
        if found:
            return f"{_NAMED[found[1].lower()]}, by its {where}"
    return None
