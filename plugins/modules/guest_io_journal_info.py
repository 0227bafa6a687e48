#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: guest_io_journal_info
short_description: Read the journal of what was changed on guests
version_added: 0.1.0
description:
  - Reads what the runs of M(hypervisor.io_hardening.guest_io) have written to the guests of this host.
  - M(hypervisor.io_hardening.guest_io_rollback_plan) makes the plan of a rollback from it.
  - It also looks at the guests, to tell which changes of each run are still there.
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
options:
  root:
    description: Where the host's files are. V(/) is the host itself.
    type: path
    default: /
  journal:
    description: The directory of the journal, below O(root).
    type: path
    default: /var/lib/hypervisor-io-hardening/journal
  node:
    description:
      - The node to look at the guests of, as for M(hypervisor.io_hardening.guest_io_info).
      - The default is this node where O(root) is V(/), and all nodes of the tree otherwise.
    type: str
  host_root:
    description: Where the host's own files and the journal of its settings are. The default is O(root).
    type: path
  run:
    description: The run to return the entries of. V(last) is the latest run, other than a rollback, with changes that are still there.
    type: str
    default: last
extends_documentation_fragment:
  - hypervisor.io_hardening.api
  - hypervisor.io_hardening.libvirt
  - hypervisor.io_hardening.reads_only
seealso:
  - module: hypervisor.io_hardening.guest_io
  - module: hypervisor.io_hardening.guest_io_rollback_plan
"""

EXAMPLES = r"""
- name: Read what the last run changed
  hypervisor.io_hardening.guest_io_journal_info:
  register: journal

- name: Name the runs that can be rolled back
  ansible.builtin.debug:
    msg: "{{ journal.runs | map(attribute='run') }}"
"""

RETURN = r"""
runs:
  description: Every run in the journal, the earliest first.
  returned: success
  type: list
  elements: dict
  contains:
    run:
      description: The run's name.
      type: str
      returned: success
      sample: 20261123T223005Z
    file:
      description: Its file.
      type: str
      returned: success
      sample: /var/lib/hypervisor-io-hardening/journal/20261123T223005Z.jsonl
    started:
      description: When it began to write its first guest, UTC.
      type: str
      returned: success
      sample: "2026-11-23T22:30:05Z"
    ended:
      description: When it began to write its last guest, UTC.
      type: str
      returned: success
      sample: "2026-11-23T22:31:40Z"
    policies:
      description: The policies that its plans were made from, of the guests and of the host.
      type: list
      elements: str
      returned: success
    rolls_back:
      description: The run that it rolled back, V(null) where it was not a rollback.
      type: str
      returned: success
    guests:
      description: How many guests it wrote, or may have written.
      type: int
      returned: success
    unknown:
      description: Guests that may or may not have been written, because the run was killed.
      type: list
      elements: str
      returned: success
    stands:
      description:
        - Guests that a rollback of the run would change, because they still have something that it wrote. Guests that cannot be
          read are among them.
        - Empty where nothing was written, or all of it was rolled back or changed by somebody since.
      type: list
      elements: str
      returned: success
    settings:
      description: The objects of the host itself, such as V(vzdump.conf), that a rollback of the run would put back.
      type: list
      elements: str
      returned: success
run:
  description: The run that RV(entries) are of, V(null) where there is none.
  returned: success
  type: str
entries:
  description:
    - What that run was to write, guest by guest, and what became of it. docs/data.md shows it whole.
    - The whole configs as they were before, which the journal keeps as well, are not among it. docs/operations.md says how to get one.
  returned: success
  type: list
  elements: dict
problems:
  description: Lines and files of the journal that could not be read, and why.
  returned: success
  type: list
  elements: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import _subjects
from ..module_utils._backends import find
from ..module_utils._backends.hypervisors import OPTIONS
from ..module_utils._backends.layout import LayoutError
from ..module_utils._backends.standing import standing
from ..module_utils._host.run import command
from ..module_utils._host.tree import Tree
from ..module_utils._journal import file as _journal
from ..module_utils._journal import lines
from ..module_utils._pve_api.spec import API
from ..module_utils._settings.undo import undo


def main() -> None:
    """Read and return."""
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "default": "/"},
            "api": API,
            **OPTIONS,
            "journal": {"type": "path", "default": _journal.DIRECTORY},
            "node": {"type": "str"},
            "host_root": {"type": "path"},
            "run": {"type": "str", "default": "last"},
        },
        supports_check_mode=True,
    )
    params = module.params
    problems: list = []
    found = _journal.read(_journal.in_tree(params["root"], params["journal"]), problems)
    try:
        way = {name: params[name] for name in ("root", "node", "api", *OPTIONS)}
        stands = standing(find.backends(run=command, **way), found)
    except LayoutError as exc:
        module.fail_json(msg=str(exc))
    host_root = params["host_root"] or params["root"]
    settings = _journal.read_settings(_journal.in_tree(host_root, params["journal"]))
    subjects = _subjects.settings(Tree(host_root)) if settings else {}
    runs = [
        lines.summary(
            run,
            _journal.file_of(params["journal"], run),
            found.get(run, []),
            settings.get(run, []),
            stands.get(run, []),
            [entry["key"] for entry in undo(settings.get(run, []), subjects)[0]],
        )
        for run in dict.fromkeys([*found, *settings])
    ]
    runs.sort(key=lambda run: (run["started"], run["run"]))
    wanted = lines.last(runs) if params["run"] == "last" else params["run"]
    module.exit_json(changed=False, runs=runs, run=wanted, entries=found.get(wanted, []), problems=problems)


if __name__ == "__main__":
    main()
