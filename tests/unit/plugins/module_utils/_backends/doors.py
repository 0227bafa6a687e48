# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The backends and the journal of a root, put together as the module guest_io does."""

from __future__ import annotations

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import find
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.apply import Options, apply
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._journal import file as _journal


def apply_below(root, plan, run=None, timeout=300, apply_foreign_pending=False, **options):
    """The outcomes of a plan, through the backends of a root."""
    backends = find.backends(str(root), None, run, timeout, apply_foreign_pending)
    return apply(plan, backends, Options(**options))


def journal_of(root, run, policy=None, rolls_back=None, directory=_journal.DIRECTORY):
    """The journal of a run, below a root."""
    return _journal.Journal(_journal.in_tree(str(root), directory), run, policy, rolls_back, top=str(root))


def read_journal(root, problems, directory=_journal.DIRECTORY):
    """What is in the journal below a root."""
    return _journal.read(_journal.in_tree(str(root), directory), problems)
