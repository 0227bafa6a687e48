# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A plan or a journal that asks for anything but a limit is refused, whoever wrote it."""

from __future__ import annotations

import re

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._load.asked import check, meaning
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._model.findings import change
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._settings.seam import SettingsError


@pytest.mark.parametrize(
    ("key", "option", "value"),
    [
        ("vzdump.conf", "bwlimit", "81920"),
        ("vzdump.conf", "ionice", "8"),
        ("vzdump.conf", "performance", "max-workers=1,pbs-entries-max=1048576"),
        ("vzdump.conf", "fleecing", "enabled=1,storage=local-lvm"),
        ("vzdump.conf", "fleecing", "0"),
        ("job nightly", "bwlimit", "0"),
        ("job 62cba808-7f6b-453a-88db-9c75299df002", "fleecing", "1,storage=local-lvm"),
        ("job --help", "ionice", None),
        ("datacenter", "bwlimit", "default=1,restore=102400.5,move=1"),
        ("storage local-lvm", "bwlimit", "restore=51200"),
        ("storage local-lvm", "bwlimit", None),
    ],
)
def test_what_can_be_set(key, option, value):
    check(change(key, option, None, value))
    check(change(key, option, "what a person wrote", value))


@pytest.mark.parametrize(
    ("key", "option", "value", "says"),
    [
        ("job", "bwlimit", "1", "job is none of vzdump.conf, datacenter, job ID, storage ID"),
        ("job a b", "bwlimit", "1", "is none of"),
        ("job a/../../access/users", "bwlimit", "1", "is none of"),
        ("job ..", "bwlimit", "1", "is none of"),
        ("job a\n", "bwlimit", "1", "is none of"),
        ("job {{ x }}", "bwlimit", "1", "is none of"),
        ("job " + 51 * "x", "bwlimit", "1", "is none of"),
        ("storage --help", "bwlimit", "move=1", "is none of"),
        ("storage local;id", "bwlimit", "move=1", "is none of"),
        ("/etc/passwd", "bwlimit", "1", "is none of"),
        (
            "vzdump.conf",
            "script",
            "/bin/evil",
            "vzdump.conf has no option 'script'; it has bwlimit, ionice, performance",
        ),
        ("job nightly", "schedule", "00:00", "job nightly has no option 'schedule'"),
        ("datacenter", "http_proxy", "x", "datacenter has no option 'http_proxy'; it has bwlimit"),
        ("vzdump.conf", "bwlimit", 81920, "bwlimit after is 81920, not the text that is stored, or null"),
        ("vzdump.conf", "bwlimit", "", "is empty"),
        ("vzdump.conf", "bwlimit", "1\nscript: /bin/evil", "has blanks"),
        ("vzdump.conf", "bwlimit", "80 MiB/s", "has blanks"),
        ("vzdump.conf", "bwlimit", "-1", "bwlimit: -1 is not 0 or more"),
        ("vzdump.conf", "bwlimit", "--delete", "is not a whole number"),
        ("vzdump.conf", "bwlimit", "restore=1", "is not a whole number"),
        ("vzdump.conf", "bwlimit", 501 * "1", "too long"),
        ("vzdump.conf", "ionice", "9", "ionice: 9 is not 0 to 8"),
        ("vzdump.conf", "performance", "max-workers=0", "max-workers: 0 is not 1 to 256"),
        ("vzdump.conf", "performance", "max-workers=1,\nscript=x", "has blanks"),
        ("vzdump.conf", "fleecing", "enabled=1", "'storage' is required"),
        ("vzdump.conf", "fleecing", "enabled=1,storage=../x", "is not a storage id"),
        ("job nightly", "fleecing", "enabled=1,storage=x\u00e4y", "beyond ASCII"),
        ("datacenter", "bwlimit", "backup=1000", "backup is not one of"),
        ("datacenter", "bwlimit", "restore=fast", "is not a number"),
        ("storage local", "bwlimit", "102400", "is a value without a key"),
    ],
)
def test_what_a_forged_journal_may_not_ask_for(key, option, value, says):
    with pytest.raises(SettingsError, match=re.escape(says)):
        check(change(key, option, None, value))


@pytest.mark.parametrize(
    ("option", "one", "other"),
    [
        ("fleecing", "1,storage=xx", "storage=xx,enabled=yes"),
        ("performance", "max-workers=1,pbs-entries-max=2", "pbs-entries-max=2,max-workers=1"),
        ("bwlimit", "restore=1,move=2", "move=2.0,restore=1"),
        ("bwlimit", "080", "80"),
        ("ionice", None, None),
    ],
)
def test_values_that_mean_the_same(option, one, other):
    assert meaning(option, one) == meaning(option, other)


@pytest.mark.parametrize(
    ("option", "one", "other"),
    [
        ("fleecing", "1,storage=xx", "0,storage=xx"),
        ("fleecing", "nonsense=1", "nonsense=2"),
        ("bwlimit", "restore=1", "default=1"),
        ("bwlimit", "fast", "slow"),
        ("bwlimit", "0", None),
        ("ionice", "8", "08x"),
    ],
)
def test_values_that_do_not(option, one, other):
    assert meaning(option, one) != meaning(option, other)
