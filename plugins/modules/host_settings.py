#!/usr/bin/python

# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

DOCUMENTATION = r"""
module: host_settings
short_description: Carry out a plan for a host's settings, or give back what was set
version_added: 0.1.0
author:
  - The hypervisor.io_hardening contributors (@hypervisor)
description:
  - Sets what a plan asks for, object by object, and nothing else. The roles P(hypervisor.io_hardening.io_load#role) and
    P(hypervisor.io_hardening.io_host#role) make the plan.
  - Refuses an object that somebody has changed since it was read. Reads back what it wrote.
  - Notes each object in the journal before it is written, so that it can be given back.
  - Used by this collection's own playbooks and roles; its options and results can change in any release.
options:
  plan:
    description: The objects and their changes.
    type: list
    elements: dict
    suboptions:
      subject:
        description: What the object belongs to.
        type: str
        required: true
        choices: [causes, load, queues]
      key:
        description: The object, such as V(vzdump.conf).
        type: str
        required: true
      changes:
        description: Changes of its options, each with C(key), C(option), C(before) and C(after).
        type: list
        elements: dict
        required: true
  undo_run:
    description: Gives back what this run set; what somebody changed since stays.
    type: str
  undo_subjects:
    description: Gives back what all runs set of these subjects; what somebody changed since stays.
    type: list
    elements: str
    choices: [causes, load, queues]
  root:
    description: The directory that holds the host's files. With any other than V(/), only files below it are written.
    type: path
    default: /
  journal:
    description: The directory of the journal.
    type: path
    default: /var/lib/hypervisor-io-hardening/journal
  run:
    description: The name of this run in the journal. The default is the time.
    type: str
  policy:
    description: Noted in the journal.
    type: str
attributes:
  check_mode:
    support: full
    description: Writes nothing, and reports what a real run would set.
  diff_mode:
    support: full
    description: Shows the settings of each object before and after.
  idempotent:
    support: full
    description: Changes nothing where everything is set already.
seealso:
  - module: hypervisor.io_hardening.host_settings_info
  - module: hypervisor.io_hardening.guest_io_journal_info
"""

EXAMPLES = r"""
- name: Let backups work with one request at a time
  hypervisor.io_hardening.host_settings:
    plan:
      - subject: load
        key: vzdump.conf
        changes: [{key: vzdump.conf, option: performance, before: null, after: max-workers=1}]
"""

RETURN = r"""
results:
  description: One result per object, with C(subject), C(key), C(status) (changed, unchanged or failed), C(changes), C(reason) and C(detail).
  returned: always
  type: list
  elements: dict
left:
  description: What is not given back, with C(subject), C(key), C(reason) and C(detail).
  returned: always
  type: list
  elements: dict
problems:
  description: Lines and files of the journal that could not be read, and why. What they note is not given back, and the task fails.
  returned: always
  type: list
  elements: dict
run:
  description: The name of this run in the journal.
  returned: always
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import _subjects
from ..module_utils._host.tree import Tree
from ..module_utils._journal.file import DIRECTORY, Journal, in_tree, read, read_settings
from ..module_utils._journal.rollback import of_run
from ..module_utils._settings.apply import apply
from ..module_utils._settings.diff import diff
from ..module_utils._settings.undo import undo


def argument_spec() -> dict:
    """The module's options."""
    subjects = sorted(_subjects.SETTINGS)
    entry = {
        "subject": {"type": "str", "required": True, "choices": subjects},
        "key": {"type": "str", "required": True, "no_log": False},
        "changes": {"type": "list", "elements": "dict", "required": True},
    }
    return {
        "plan": {"type": "list", "elements": "dict", "options": entry},
        "undo_run": {"type": "str"},
        "undo_subjects": {"type": "list", "elements": "str", "choices": subjects},
        "root": {"type": "path", "default": "/"},
        "journal": {"type": "path", "default": DIRECTORY},
        "run": {"type": "str"},
        "policy": {"type": "str"},
    }


def main() -> None:
    """Carry out the plan, or make and carry out the one that gives back."""
    ways = ["plan", "undo_run", "undo_subjects"]
    module = AnsibleModule(
        argument_spec=argument_spec(), supports_check_mode=True, mutually_exclusive=[ways], required_one_of=[ways]
    )
    params = module.params
    place = in_tree(params["root"], params["journal"])
    try:
        tree = Tree(params["root"])
        journal = Journal(place, params["run"], params["policy"], params["undo_run"], top=params["root"])
    except OSError as error:
        module.fail_json(msg=f"root {error.filename!r} {error.strerror}")
    except ValueError as error:
        module.fail_json(msg=str(error))
    subjects = _subjects.settings(tree)
    plan, left, problems = params["plan"], [], []
    if plan is None:
        read(place, problems)
        problems = of_run(problems, params["undo_run"]) if params["undo_run"] else problems
        runs = read_settings(place)
        chosen = (
            runs.get(params["undo_run"], []) if params["undo_run"] else [one for run in runs.values() for one in run]
        )
        about = params["undo_subjects"] or list(subjects)
        plan, left = undo([entry for entry in chosen if entry["subject"] in about], subjects)
    results = apply(plan, subjects, journal, module.check_mode, back=params["plan"] is None)
    returned = {
        "changed": any(result["status"] == "changed" for result in results),
        "results": results,
        "left": left,
        "problems": problems,
        "run": journal.run,
        "diff": diff(results),
    }
    failed = [f"{result['key']}: {result['detail']}" for result in results if result["status"] == "failed"]
    failed += [f"{one['key']}: {one['detail']}" for one in left if one["reason"] == "refused"]
    failed += [f"{one['file']}{' line ' + str(one['line']) if one['line'] else ''} {one['reason']}" for one in problems]
    if failed:
        module.fail_json(msg="; ".join(failed), **returned)
    module.exit_json(**returned)


if __name__ == "__main__":
    main()
