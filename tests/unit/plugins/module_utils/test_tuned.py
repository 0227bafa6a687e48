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
    found, _reapply_after = _tuned.settings(profiles)
    return [
        (one["plugin"], one["key"], one["value"], one["file"].split("/")[-2], one["line"]) for one in found
    ], missing


def reapply_after(text):
    """How many settings of a profile come before tuned applies the sysctl files; None where it does not."""
    return _tuned.settings([{"name": "a", "path": "/a/tuned.conf", "options": _tuned.parse(text)}])[1]


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


def test_a_section_that_is_replaced_keeps_its_place_and_one_is_switched_on_by_being_there():
    base = "[vm]\ndirty_ratio=40\n[sysctl]\nvm.dirty_background_ratio=5\n[x]\ntype=vm\nenabled=0\ndirty_bytes=1\n"
    own = "[main]\ninclude=base\n[vm]\nreplace=1\ndirty_ratio=30\n[x]\ntype=vm\ndirty_background_bytes=9\n"
    found, _missing = settings("a", a=own, base=base)
    assert [one[:3] for one in found] == [
        ("vm", "dirty_ratio", "30"),
        ("sysctl", "dirty_background_ratio", "5"),
        ("vm", "dirty_bytes", "1"),
        ("vm", "dirty_background_bytes", "9"),
    ]


def test_the_files_are_applied_when_the_last_sysctl_section_is_done():
    assert reapply_after("[vm]\ndirty_ratio=40\n[sysctl]\nvm.swappiness=10\n") == 1
    assert reapply_after("[sysctl]\nvm.dirty_ratio=40\n[vm]\ndirty_ratio=30\n") == 1
    assert reapply_after("[sysctl]\nvm.swappiness=1\n[vm]\ndirty_ratio=30\n") == 0
    assert reapply_after("[vm]\ndirty_ratio=30\n") is None
    assert reapply_after("[sysctl]\nenabled=0\nvm.swappiness=1\n") is None
    assert reapply_after("[sysctl.thunderx]\ntype=sysctl\nuname_regex=aarch64\nkernel.numa_balancing=0\n") is None


def after_start(settings_, at, text, exclude=()):
    """The limits after tuned has started on a host of 2/1 with one file."""
    state = {"dirty_ratio": 2, "dirty_bytes": 0, "dirty_background_ratio": 1, "dirty_background_bytes": 0}
    files = [{"assignments": dirty.parse_relevant(text)}]
    facts = {"settings": settings_, "reapply_after": at, "reapply_exclude": list(exclude)}
    state, deciders = _tuned.replay(state, facts, files)
    return dirty.in_force(state), {pair: one["value"] for pair, one in deciders.items()}


BY_SYSCTL = [{"plugin": "sysctl", "key": "dirty_ratio", "value": "40"}]
BY_VM = [{"plugin": "vm", "key": "dirty_bytes", "value": "40%"}]


def test_whoever_comes_last_has_the_last_word():
    ours = "vm.dirty_ratio=2\nvm.dirty_background_ratio=1\n"
    assert after_start(BY_SYSCTL, 1, ours)[0]["dirty_ratio"] == 2
    assert after_start(BY_SYSCTL, None, ours)[0]["dirty_ratio"] == 40
    assert after_start(BY_VM, 1, ours)[0]["dirty_ratio"] == 2
    assert after_start(BY_VM, 0, ours)[0]["dirty_ratio"] == 40
    assert after_start([], 0, "vm.dirty_bytes=1000000\n") == (
        {"dirty_bytes": 1000000, "dirty_background_ratio": 1},
        {"dirty": "1000000"},
    )


def test_tuned_passes_over_what_is_not_a_plain_assignment():
    for line in ("-vm.dirty_ratio=40", "-vm.dirty_ratio", "vm.dirty_*=40", "vm.dirty_ratio=40%"):
        assert after_start([], 0, line)[1] == {}, line
    assert after_start([], 0, "vm.dirty_ratio=40", ["vm.dirty_*"])[1] == {}
    assert after_start([], 0, "vm/dirty_ratio=40", ["net.*"])[1] == {"dirty": "40"}


def test_the_files_that_are_applied_run_before_etc_none_of_usr_and_sysctl_conf_in_the_end():
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
