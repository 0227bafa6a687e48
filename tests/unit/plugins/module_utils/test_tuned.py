# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a tuned profile does to the limits, with all it includes."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils import _tuned
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._sysctl import dirty

BASE = (
    "[main]\nsummary=x\n\n[sysctl]\n# a comment\n"
    "vm.dirty_ratio = 40 # inline\nvm.dirty_background_ratio=10\nvm.swappiness=10\n"
)


def settings(names, **texts):
    files = [
        (f"/etc/tuned/{name}/tuned.conf", name, text) for name, text in texts.items() if not name.startswith("lib_")
    ]
    files += [
        (f"/usr/lib/tuned/{name[4:]}/tuned.conf", name[4:], text)
        for name, text in texts.items()
        if name.startswith("lib_")
    ]

    def _find(name, done):
        return next(((path, text) for path, its, text in files if its == name and path not in done), None)

    options, missing = _tuned.load(names, _find)
    return [
        (one["section"], one["key"], one["value"], one["file"].split("/")[-2], one["line"])
        for one in _tuned.settings(options)
    ], missing


def reapplies(text, main=""):
    return _tuned.reapplies(_tuned.parse(text), main)


def test_a_profile_overrides_what_it_includes_and_the_rest_is_inherited():
    found, missing = settings("host", host="[main]\ninclude=base\n[sysctl]\nvm.dirty_background_ratio = 5\n", base=BASE)
    assert found == [("sysctl", "dirty_ratio", "40", "base", 6), ("sysctl", "dirty_background_ratio", "5", "host", 4)]
    assert missing == []


def test_a_profile_may_include_its_namesake_of_the_distribution():
    found, _missing = settings("base", base="[main]\ninclude=base\n[sysctl]\nvm.dirty_ratio=2\n", lib_base=BASE)
    assert ("sysctl", "dirty_ratio", "2", "base", 4) in found
    assert ("sysctl", "dirty_background_ratio", "10", "base", 7) in found


def test_a_key_counts_in_whatever_section_it_is():
    """As one of the plugin vm or sysctl, which a section of any name can be by its type."""
    text = "[vm]\ndirty_bytes=40%\n[mine]\ntype=vm\ndirty_background_bytes='10%'\n[s]\nvm/dirty_ratio=3\n"
    found, _missing = settings("a", a=text + "[x]\nnet.dirty_ratio=1\nvm.dirty_writeback_centisecs=2\n")
    assert [one[:3] for one in found] == [
        ("vm", "dirty_bytes", "40%"),
        ("mine", "dirty_background_bytes", "10%"),
        ("s", "dirty_ratio", "3"),
    ]


@pytest.mark.parametrize("line", ["replace=1", "enabled=false", "drop=vm.dirty_ratio"])
def test_a_setting_that_another_profile_cancels_is_reported_too(line):
    found, _missing = settings("a", a=f"[main]\ninclude=base\n[sysctl]\n{line}\n", base=BASE)
    assert ("sysctl", "dirty_ratio", "40", "base", 6) in found


def test_missing_profiles_are_named_unless_they_are_optional():
    assert settings("a b", a="[main]\ninclude=c, -d\n")[1] == ["c", "b"]


def test_a_profile_that_includes_itself_ends():
    assert settings("a", a="[main]\ninclude=a\n[vm]\ndirty_ratio=3\n")[0][0][:3] == ("vm", "dirty_ratio", "3")


@pytest.mark.parametrize("main", ["", "reapply_sysctl = 1\n", "reapply_sysctl=True"])
def test_the_files_are_applied_if_a_profile_has_a_section_for_sysctls(main):
    assert reapplies("[vm]\ndirty_ratio=40\n[sysctl]\nvm.swappiness=10\n", main)
    assert not reapplies("[vm]\ndirty_ratio=30\n", main)
    assert not reapplies("[sysctl.thunderx]\ntype=sysctl\nuname_regex=aarch64\nkernel.numa_balancing=0\n", main)


@pytest.mark.parametrize("main", ["daemon = 1\nreapply_sysctl = 0\n", "reapply_sysctl=off"])
def test_the_files_are_not_applied_if_that_is_switched_off(main):
    assert not reapplies("[sysctl]\nvm.swappiness=1\n", main)


def after_start(settings_, reapplies_, text):
    """The limits after tuned has started on a host of 2/1 with one file."""
    state = {"dirty_ratio": 2, "dirty_bytes": 0, "dirty_background_ratio": 1, "dirty_background_bytes": 0}
    facts = {"settings": settings_, "reapplies": reapplies_}
    state, deciders = dirty.write_all(state, _tuned.writes(facts, [{"assignments": dirty.parse_relevant(text)}]))
    return dirty.in_force(state), {pair: one["value"] for pair, one in deciders.items() if one is not None}


BY_SYSCTL = [{"section": "sysctl", "key": "dirty_ratio", "value": "40"}]
BY_VM = [{"section": "vm", "key": "dirty_bytes", "value": "40%"}]


def test_whoever_comes_last_has_the_last_word():
    ours = "vm.dirty_ratio=2\nvm.dirty_background_ratio=1\n"
    assert after_start(BY_SYSCTL, True, ours)[0]["dirty_ratio"] == 2
    assert after_start(BY_SYSCTL, False, ours)[0]["dirty_ratio"] == 40
    assert after_start(BY_VM, True, ours)[0]["dirty_ratio"] == 2
    assert after_start(BY_VM, False, ours)[0]["dirty_ratio"] == 40
    assert after_start([], True, "vm.dirty_bytes=1000000\n") == (
        {"dirty_bytes": 1000000, "dirty_background_ratio": 1},
        {"dirty": "1000000"},
    )


def test_tuned_ignores_all_but_plain_assignments():
    for line in ("-vm.dirty_ratio=40", "-vm.dirty_ratio", "vm.dirty_*=40", "vm.dirty_ratio=40%"):
        assert after_start([], True, line)[1] == {}, line
    assert after_start([], True, "vm/dirty_ratio=40")[1] == {"dirty": "40"}


def test_tuned_prefers_run_to_etc_ignores_usr_and_applies_sysctl_conf_last():
    listed = {
        "/etc/sysctl.d": ["50-b.conf", "10-a.conf", ".hidden.conf", "README"],
        "/run/sysctl.d": ["50-b.conf"],
        "/usr/lib/sysctl.d": ["60-c.conf"],
    }
    assert _tuned.reapplied_paths(listed) == [
        "/etc/sysctl.d/.hidden.conf",
        "/etc/sysctl.d/10-a.conf",
        "/run/sysctl.d/50-b.conf",
        "/etc/sysctl.conf",
    ]
