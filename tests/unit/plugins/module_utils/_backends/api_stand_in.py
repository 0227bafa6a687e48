# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A cluster behind the stand-in for Proxmox VE's API, and what reaches it."""

from __future__ import annotations

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import find
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.apply import Options, apply
from ansible_collections.hypervisor.io_hardening.tests.stand_ins.pve_api import ApiStandIn, Token
from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.qm_host import STORAGE_CFG

SECRET = "5e1c7a52-6a3c-4a0e-9d3b-0d4c8a1f77aa"
TOKEN = "ops@pve!harden"
READ = {"/vms": ["VM.Audit"], "/storage": ["Datastore.Audit"], "/nodes": ["Sys.Audit"]}
WRITE = {**READ, "/vms": ["VM.Audit", "VM.Config.Disk", "VM.Config.HWType"]}
RESTART = {**READ, "/vms": [*WRITE["/vms"], "VM.PowerMgmt"]}

#: As Proxmox VE writes it: sorted, the description encoded.
GUEST = (
    "# owner%3A ops\nboot: order=scsi0\nmemory: 512\nname: web{id}\n"
    "scsi0: local:{id}/vm-{id}-disk-0.qcow2,backup=0,discard=on,serial=a%20b,size=32G,ssd=1\nscsihw: virtio-scsi-pci\n"
)
CHANGES = [
    {"key": "controller", "option": "type", "before": "virtio-scsi-pci", "after": "virtio-scsi-single"},
    {"key": "scsi0", "option": "aio", "before": None, "after": "threads"},
    {"key": "scsi0", "option": "iothread", "before": None, "after": True},
]


class ClusterTree:
    """The tree of a cluster with the nodes pve1 and pve2."""

    def __init__(self, root):
        self.root = root
        for node in ("pve1", "pve2"):
            (root / f"etc/pve/nodes/{node}/qemu-server").mkdir(parents=True)
        (root / "etc/pve/storage.cfg").write_text(STORAGE_CFG)

    def config(self, guest, node="pve1"):
        return self.root / f"etc/pve/nodes/{node}/qemu-server/{guest}.conf"

    def put(self, guest, text=GUEST, node="pve1"):
        path = self.config(guest, node)
        path.write_text(text.replace("{id}", str(guest)))
        return path

    def declare(self, name, *entries):
        path = self.root / "var/lib/qm-stand-in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{entry}\n" for entry in entries))

    def stand_in(self, folder, acl=None, **options):
        """The API; ``acl`` is what the token may, None for all."""
        return ApiStandIn(self.root, {TOKEN: Token(SECRET, acl)}, folder=folder, **options)


def options_of(api, **others):
    """A module's option ``api``."""
    return {
        "url": api.url,
        "token_id": TOKEN,
        "token_secret": SECRET,
        "ca_path": api.ca_path,
        "validate_certs": True,
        "timeout": 10,
        "write_unseen": False,
        "monitor": False,
        **others,
    }


def plan_of(guests, changes=tuple(CHANGES)):
    return [
        {
            "hypervisor": "pve",
            "guest": guest["id"],
            **{key: guest[key] for key in ("name", "node", "config", "digest")},
            "changes": changes,
        }
        for guest in guests
    ]


def apply_by(api, plan, check=False, apply_foreign_pending=False, **options):
    """(status, reason, detail) of each guest of a plan."""
    writes = [entry["guest"] for entry in plan]
    ways = find.backends(api=api, apply_foreign_pending=apply_foreign_pending, writes=writes)
    return [
        (outcome.result["status"], outcome.result["reason"], outcome.result["detail"])
        for outcome in apply(plan, ways, Options(check=check, **options))
    ]
