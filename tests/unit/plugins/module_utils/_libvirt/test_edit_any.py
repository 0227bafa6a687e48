# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Any domain, edited and rolled back: nothing but what was asked for changes, and every byte comes back."""

from __future__ import annotations

import random
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._libvirt.definition import Definition
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._libvirt.edit import values
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._libvirt.lost import lost
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._libvirt.record import record
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._libvirt.splice import EditError
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._libvirt.domains import domain, wanted

REFUSED = re.compile(
    r"\w+ is on (sata|ide|usb|fdc), where a disk has no iothread"
    r"|\w+ is on SCSI controller \d+, (which the definition leaves to libvirt|whose model is (lsilogic|not set))"
    r"|\w+ has its queues mapped"
    r"|\w+ is to have an iothread and \w+ none, and they share that of their controller"
    r"|[\w ]+ has (a <driver> without attributes|cache='default' in its <driver>), which sets nothing, and which a rollback"
)


def definition(text):
    return Definition("web", None, "/web.xml", text.encode(), lambda raw: record(raw, id="web"))


def without_ours(text):
    """The text without blanks and without what an edit may change, by other means than the edit's."""
    text = re.sub(
        r"<!--.*?-->|<metadata.*?</metadata>", lambda kept: kept[0].replace("driver", "kept"), text, flags=re.DOTALL
    )
    text = re.sub(r"<iothreads>\s*\d+</iothreads>", "", text)
    text = re.sub(r"<iothreadids>|</iothreadids>", "", text)
    text = re.sub(r"""\s(io|cache|iothread)\s*=\s*('\w+'|"\w+")(?=[^<]*>)""", "", text)
    text = re.sub(r"""<iothread id\s*=\s*['"]\d+['"]\s*/>""", "", text)
    text = re.sub(r"<driver\s*/>|<driver\s*>\s*</driver>", "", text)
    text = re.sub(r"\s*/>", "/>", re.sub(r"\s*>\s*</controller>", "/>", text))
    return re.sub(r"\s+", "", text)


def taken_back(edited, before, asked):
    """What a rollback asks for, as the journal has it."""
    changes = [(key, option, before.value(key, option)) for key, options in asked.items() for option in options]
    changes += [(change["key"], change["option"], change["before"]) for change in edited.also]
    found = {}
    for key, option, value in changes:
        if value != edited.value(key, option):
            found.setdefault(key, {})[option] = value
    return found


def is_as_recorded(now):
    """Whether the values that a plan is held against are those of the guest's record."""
    found = {
        (disk["key"], option): value for disk in now.guest["disks"] for option, value in disk["configured"].items()
    }
    return {**found, ("guest", "iothreads"): now.guest["iothreads"]} == values(now.domain)


def check(chance):
    """Whether a random plan for a random domain was carried out; it may be refused for a reason that is known."""
    made = domain(chance)
    asked = wanted(chance, made)
    before = definition(made.text)
    assert is_as_recorded(before)
    try:
        edited = before.edited(asked)
    except EditError as error:
        assert REFUSED.match(str(error)), str(error)
        return False
    for key, options in asked.items():
        for option, value in options.items():
            assert edited.value(key, option) == (value or None)
    assert edited.edited(asked) is edited
    assert is_as_recorded(edited)
    assert without_ours(edited.raw.decode()) == without_ours(made.text)
    assert (edited is before) == (edited.raw == before.raw) == (before.lines() == edited.lines())
    assert edited is before or lost(before.raw, edited.raw)
    if not any(loses(before, key, options, made.by_hand) for key, options in asked.items() if key != "guest"):
        back = edited.edited(taken_back(edited, before, asked))
        assert back.raw == before.raw
    return True


def loses(before, key, options, by_hand):
    """Whether a plan takes away what a rollback cannot put back as it was: which of several iothreads a disk had, and
    where somebody wrote an attribute.
    """
    names = [name for name, value in options.items() if not value and before.value(key, name)]
    return bool(names) and (by_hand or "iothread" in names)


@settings(max_examples=500)
@given(st.integers(0, 2**64))
def test_any_domain_is_edited_and_rolled_back_to_the_byte(seed):
    check(random.Random(seed))


def test_most_plans_are_carried_out():
    assert sum(check(random.Random(f"plan {number}")) for number in range(200)) > 100
