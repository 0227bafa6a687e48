# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Marks what filters return as text that is never a template."""

from __future__ import annotations

from typing import Any

try:
    # From 2.19 on, a text is a template only where it is marked as one, and nothing here does that.
    from ansible.template import trust_as_template as _marks_templates
except ImportError:
    _marks_templates = None


def untrusted(value: Any) -> Any:
    """The same value, of which Ansible evaluates nothing as a template.

    Up to ansible-core 2.18, any text is a template unless it is marked. Ansible marks what tasks return, and a filter's
    result where it sees that the input is marked; it does not see that through hostvars. So filters mark their own.
    """
    if _marks_templates:
        return value
    from ansible.utils.unsafe_proxy import wrap_var

    return wrap_var(value)
