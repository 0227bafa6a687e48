#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: guest_io
short_description: Carry out a plan of changes to guests' disks and controllers
version_added: 0.1.0
description:
  - Carries out the C(plan) that the filter P(hypervisor.io_hardening.assess#filter) made, and nothing else.
  - On a live Proxmox VE node it writes each guest with one C(qm set), with its digest and whole drive strings, so that no option
    is lost and nobody else's change is overwritten. Below another O(root) it writes each file atomically.
  - Before it writes the first guest of a live node it asks C(qm list) once which config lines C(qm) would drop, and C(pvesm status)
    which storages are available, in check mode too. It skips a guest that would lose a line, and fails one on a storage that is
    not available, without touching it.
  - A guest of libvirt is written through libvirt, by its UUID. Its definition is compared once more just before the write, because
    libvirt takes no digest.
  - After each write it reads the config back and proves the result.
  - Before and after each write it adds a line to a journal on the host, from which C(playbooks/rollback_io.yml) rolls back.
    It does not write a guest where it cannot write the journal. A run that changes nothing leaves no journal.
  - It never restarts a guest. Changes of a running guest wait for its next cold start; the result says so.
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
options:
  plan:
    description: The entries to carry out, as in docs/data.md.
    type: list
    elements: dict
    required: true
    suboptions:
      hypervisor:
        description: The guest's hypervisor. An entry for a hypervisor that this host does not have is refused.
        type: str
        default: pve
      host:
        description: The inventory name of the guest's host. Not used; it is part of the findings document.
        type: str
      guest:
        description: The guest's id.
        type: str
        required: true
      name:
        description: The guest's name, for the result.
        type: str
      node:
        description: The node the guest was read on.
        type: str
      config:
        description: The config's path on the host.
        type: str
        required: true
      digest:
        description: The digest of the config that the plan was made from. A guest with another digest fails and is not written.
        type: str
        required: true
      running:
        description: Whether the guest ran when it was read. Not used; the module looks up whether it runs now.
        type: bool
      changes:
        description: What to set.
        type: list
        elements: dict
        required: true
        suboptions:
          key:
            description: The disk, V(controller), or V(guest).
            type: str
            required: true
          option:
            description: The disk's option, the controller's V(type), or how many V(iothreads) the guest has.
            type: str
            choices: [aio, cache, iothread, iothreads, type]
            required: true
          before:
            description: The value it was planned from.
            type: raw
          after:
            description: The value to set. V(null) removes the option.
            type: raw
            required: true
  root:
    description: Where the host's files are. V(/) is the host itself, where guests are written with C(qm), or through libvirt.
    type: path
    default: /
  max_parallel:
    description:
      - How many guests are written at the same time, 1 or more.
      - The default is 2, because each C(qm) takes a processor of its node, and 4 with O(api) and with libvirt alone.
    type: int
  apply_foreign_pending:
    description:
      - On a stopped guest C(qm set) also applies what somebody else has left in C([PENDING]).
      - Such a guest is skipped, unless this is V(true).
    type: bool
    default: false
  timeout:
    description:
      - Seconds after which a C(qm set) that gives no answer is ended.
      - Where O(root) is not V(/), seconds to wait for another run that writes in the same directories.
    type: int
    default: 300
  journal:
    description: The directory of the journal, below O(root). Each run has a file of its own there.
    type: path
    default: /var/lib/hypervisor-io-hardening/journal
  run:
    description:
      - The name of this run in the journal, to roll it back by. It takes letters, digits, dots, dashes and underscores.
      - Several hosts and several calls may share a name. The default is the time of the call.
    type: str
  policy:
    description: The policy that the plan was made from, for the journal.
    type: str
  rolls_back:
    description: The run that this one rolls back, for the journal.
    type: str
extends_documentation_fragment:
  - hypervisor.io_hardening.api
  - hypervisor.io_hardening.libvirt
attributes:
  check_mode:
    support: full
    description: Writes nothing, and reports exactly what a real run would change or skip.
  diff_mode:
    support: full
    description: Shows the config lines of each guest before and after.
  idempotent:
    support: full
    description: A plan changes nothing where the config has its changes already.
seealso:
  - module: hypervisor.io_hardening.guest_io_info
  - module: hypervisor.io_hardening.guest_io_journal_info
"""

EXAMPLES = r"""
- name: Read the guests
  hypervisor.io_hardening.guest_io_info:
  register: read

- name: Carry out what the policy asks for
  hypervisor.io_hardening.guest_io:
    plan: "{{ (read | hypervisor.io_hardening.assess(guest_io_policy)).plan }}"
"""

RETURN = r"""
results:
  description: One result per guest of the plan, in its order.
  returned: always
  type: list
  elements: dict
  contains:
    guest:
      description: The guest's id.
      type: str
      returned: always
    name:
      description: The guest's name.
      type: str
      returned: always
    node:
      description: The node it was read on.
      type: str
      returned: always
    status:
      description: V(changed), V(unchanged), V(skipped) or V(failed).
      type: str
      returned: always
    changes:
      description: What was changed.
      type: list
      elements: dict
      returned: always
    restart_pending:
      description: Whether the changes wait for a cold start of the guest.
      type: bool
      returned: always
    reason:
      description:
        - Why it was skipped (V(locked), V(foreign_pending), V(needs_root), V(unsafe_lines)) or failed (V(digest_moved), V(moved),
          V(not_asked), V(read_only), V(by_hand), V(busy), V(storage_offline), V(refused), V(would_not_start), V(journal), V(not_proven), V(error)).
      type: str
      returned: always
    detail:
      description: The reason in a sentence; C(qm)'s own words where it refused.
      type: str
      returned: always
    digest:
      description: The config's digest afterwards.
      type: str
      returned: always
run:
  description: The name of this run in the journal.
  returned: always
  type: str
  sample: 20261123T223005Z
msg:
  description: Which guests failed, by reason. RV(results) has the details.
  returned: failure
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._backends import find
from ..module_utils._backends.apply import Options, apply
from ..module_utils._backends.hypervisors import OPTIONS
from ..module_utils._backends.layout import LayoutError
from ..module_utils._host.run import command
from ..module_utils._journal.file import DIRECTORY, Journal, in_tree
from ..module_utils._pve_api.spec import API
from ..module_utils._text import failed_guests


def argument_spec() -> dict:
    """The module's options."""
    change = {
        "key": {"type": "str", "required": True, "no_log": False},
        "option": {"type": "str", "choices": ["aio", "cache", "iothread", "iothreads", "type"], "required": True},
        "before": {"type": "raw"},
        "after": {"type": "raw", "required": True},
    }
    entry = {
        "hypervisor": {"type": "str", "default": "pve"},
        "guest": {"type": "str", "required": True},
        "name": {"type": "str"},
        "node": {"type": "str"},
        "config": {"type": "str", "required": True},
        "digest": {"type": "str", "required": True},
        "host": {"type": "str"},
        "running": {"type": "bool"},
        "changes": {"type": "list", "elements": "dict", "required": True, "options": change},
    }
    return {
        "plan": {"type": "list", "elements": "dict", "required": True, "options": entry},
        "root": {"type": "path", "default": "/"},
        "api": API,
        **OPTIONS,
        "max_parallel": {"type": "int"},
        "apply_foreign_pending": {"type": "bool", "default": False},
        "timeout": {"type": "int", "default": 300},
        "journal": {"type": "path", "default": DIRECTORY},
        "run": {"type": "str"},
        "policy": {"type": "str"},
        "rolls_back": {"type": "str"},
    }


def main() -> None:
    """Carry out the plan and return its results."""
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    if params["max_parallel"] is not None and params["max_parallel"] < 1:
        module.fail_json(msg=f"max_parallel is {params['max_parallel']}; it takes 1 or more")
    try:
        journal = Journal(
            in_tree(params["root"], params["journal"]),
            params["run"],
            params["policy"],
            params["rolls_back"],
            top=params["root"],
        )
        backends = find.backends(
            params["root"],
            run=command,
            timeout=params["timeout"],
            apply_foreign_pending=params["apply_foreign_pending"],
            api=params["api"],
            writes=[entry["guest"] for entry in params["plan"]],
            **{name: params[name] for name in OPTIONS},
        )
    except (ValueError, LayoutError) as exc:
        module.fail_json(msg=str(exc))
    outcomes = apply(params["plan"], backends, Options(module.check_mode, params["max_parallel"], journal))
    results = [outcome.result for outcome in outcomes]
    returned = {
        "changed": any(result["status"] == "changed" for result in results),
        "results": results,
        "run": journal.run,
        "diff": [
            {
                "before_header": f"guest {entry['guest']} {entry['config']}",
                "after_header": f"guest {entry['guest']} {entry['config']}",
                **outcome.diff,
            }
            for entry, outcome in zip(params["plan"], outcomes)
            if outcome.diff
        ],
    }
    failed = [result for result in results if result["status"] == "failed"]
    if failed:
        module.fail_json(msg=failed_guests(failed), **returned)
    module.exit_json(**returned)


if __name__ == "__main__":
    main()
