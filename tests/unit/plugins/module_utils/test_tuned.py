# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a tuned profile does to the limits, with all it includes."""

from __future__ import annotations

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

    profiles, missing = _tuned.load(names, _find)
    return [
        (one["plugin"], one["key"], one["value"], one["file"].split("/")[-2], one["line"])
        for one in _tuned.settings(profiles)
    ], missing


def test_a_profile_overrides_what_it_includes_and_the_rest_is_inherited():
    found, missing = settings("host", host="[main]\ninclude=base\n[sysctl]\nvm.dirty_background_ratio = 5\n", base=BASE)
    assert found == [("sysctl", "dirty_ratio", "40", "base", 6), ("sysctl", "dirty_background_ratio", "5", "host", 4)]
    assert missing == []


def test_a_profile_may_include_its_namesake_of_the_distribution():
    found, _missing = settings("base", base="[main]\ninclude=base\n[sysctl]\nvm.dirty_ratio=2\n", lib_base=BASE)
    assert ("sysctl", "dirty_ratio", "2", "base", 4) in found
    assert ("sysctl", "dirty_background_ratio", "10", "base", 7) in found


def test_the_vm_plugin_by_section_or_by_type():
    found, _missing = settings("a", a="[vm]\ndirty_bytes=40%\n[mine]\ntype=vm\ndirty_background_bytes=10%\n")
    assert [one[:3] for one in found] == [("vm", "dirty_bytes", "40%"), ("vm", "dirty_background_bytes", "10%")]


def test_replace_drop_and_disabled_sections():
    assert settings("a", a="[main]\ninclude=base\n[sysctl]\nreplace=1\n", base=BASE)[0] == []
    assert settings("a", a="[main]\ninclude=base\n[sysctl]\nenabled=false\n", base=BASE)[0] == []
    found, _missing = settings("a", a="[main]\ninclude=base\n[sysctl]\ndrop=vm.dirty_ratio\n", base=BASE)
    assert [one[1] for one in found] == ["dirty_background_ratio"]


def test_what_is_missing_is_named_and_optional_ones_are_not():
    assert settings("a b", a="[main]\ninclude=c, -d\n")[1] == ["c", "b"]


def test_a_profile_that_includes_itself_ends():
    assert settings("a", a="[main]\ninclude=a\n[vm]\ndirty_ratio=3\n")[0][0][:3] == ("vm", "dirty_ratio", "3")


def test_the_files_have_the_last_word_over_the_sysctl_section_only():
    files = dirty.parse_relevant("vm.dirty_ratio=2\nvm.dirty_background_ratio=1\n")
    start, _unused = dirty.replay(files)
    by_sysctl = [{"plugin": "sysctl", "key": "dirty_ratio", "value": "40"}]
    by_vm = [{"plugin": "vm", "key": "dirty_bytes", "value": "40%"}]
    assert _tuned.outcome(start, by_sysctl, files)["dirty_ratio"] == 2
    assert _tuned.outcome(start, by_sysctl, [])["dirty_ratio"] == 40
    assert _tuned.outcome(start, by_vm, files)["dirty_ratio"] == 40
