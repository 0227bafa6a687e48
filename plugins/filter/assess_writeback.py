# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Filter assess_writeback. Documentation: assess_writeback.yml."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

from ..module_utils._writeback.assess import assess
from ..module_utils._writeback.settings import SettingsError
from ..plugin_utils._untrusted import untrusted as _untrusted

_FACTS = ("files", "kernel", "memory", "tuned", "devices", "saved", "problems")


def assess_writeback(
    facts,
    mode="auto",
    state="present",
    take_over=False,
    ratio=2,
    background_ratio=1,
    limit_bytes=268435456,
    background_limit_bytes=134217728,
    host=None,
):
    missing = [key for key in _FACTS if key not in facts] if isinstance(facts, dict) else list(_FACTS)
    if missing:
        raise AnsibleFilterError(
            "assess_writeback: the input has no {}; it must be the result of host_writeback_info".format(
                ", ".join(missing)
            )
        )
    settings = {
        "mode": mode,
        "state": state,
        "take_over": take_over,
        "ratio": ratio,
        "background_ratio": background_ratio,
        "limit_bytes": limit_bytes,
        "background_limit_bytes": background_limit_bytes,
    }
    try:
        return _untrusted(assess(facts, settings, host))
    except SettingsError as error:
        raise AnsibleFilterError(f"assess_writeback: {error}") from error


class FilterModule:
    """Ansible's entry point."""

    def filters(self):
        return {"assess_writeback": assess_writeback}
