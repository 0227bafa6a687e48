# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Facts and settings in, findings and plan out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._sysctl import dirty
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._sysctl.assignments import parse
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._writeback import paths
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._writeback.assess import assess, report
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._writeback.settings import SettingsError
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._writeback.host import DEFAULTS

GIB = 1 << 30
RATIOS = {"dirty_ratio": 2, "dirty_background_ratio": 1}
BYTES = {"dirty_bytes": 256 << 20, "dirty_background_bytes": 128 << 20}
IN_FORCE = {"dirty_ratio": 2, "dirty_bytes": 0, "dirty_background_ratio": 1, "dirty_background_bytes": 0}


def settings(**changes):
    return {**DEFAULTS, **changes}


def a_file(path, text, target=None, **changes):
    lines = parse(text)
    relevant = [line for line in lines if dirty.relevant(line)]
    return {
        "path": path,
        "target": target or path,
        "masks": [],
        "read_at_boot": path != "/etc/sysctl.conf",
        "read_by_tuned": path.startswith(("/etc/", "/run/")),
        "digest": paths.digest(text),
        "assignments": relevant,
        "others": len(lines) - len(relevant),
        **changes,
    }


def facts(*files, **changes):
    values = {
        "root": "/",
        "files": list(files),
        "kernel": dict(dirty.BOOT_STATE),
        "memory": {"total": 8 * GIB, "available": 4 * GIB},
        "tuned": None,
        "devices": [],
        "saved": None,
        "problems": [],
    }
    values.update(changes)
    return values


OURS = a_file(paths.FILE, paths.file_text(RATIOS))


def rules(assessment, severity=None):
    return [one["rule"] for one in assessment["findings"] if severity in (None, one["severity"])]


def test_a_fresh_host():
    found = assess(facts(), settings(), "pve1")
    assert rules(found) == ["IO201", "IO202"]
    assert all(one["host"] == "pve1" and one["fixable"] for one in found["findings"])
    assert found["plan"]["files"] == [
        {"op": "write", "path": paths.FILE, "before": None, "text": paths.file_text(RATIOS)}
    ]
    assert found["plan"]["kernel"]["writes"] == [
        {"key": "dirty_ratio", "value": 2},
        {"key": "dirty_background_ratio", "value": 1},
    ]
    assert found["plan"]["record"]["previous"] == {"dirty_ratio": 20, "dirty_background_ratio": 10}
    assert found["status"] == "to_change"


def test_nothing_is_written_if_another_file_sets_the_wanted_limits():
    found = assess(
        facts(a_file("/etc/sysctl.d/10-own.conf", "vm/dirty_ratio=2\nvm.dirty_background_ratio = 1"), kernel=IN_FORCE),
        settings(),
    )
    assert (found["plan"], found["findings"], found["status"]) == (None, [], "compliant")


def test_our_file_is_written_again_if_its_content_differs():
    found = assess(facts(a_file(paths.FILE, "vm.dirty_ratio=3\n"), kernel=IN_FORCE), settings())
    assert found["plan"]["files"][0]["before"] == paths.digest("vm.dirty_ratio=3\n")
    assert found["plan"]["kernel"] is None
    assert assess(facts(OURS, kernel=IN_FORCE), settings())["plan"] is None


def test_a_later_file_wins_and_is_named_and_not_outrun():
    late = a_file("/etc/sysctl.d/99-zz.conf", "# x\nvm.dirty_ratio = 40\nnet.ipv4.ip_forward=1\n")
    found = assess(facts(OURS, late, kernel=IN_FORCE), settings())
    assert found["plan"] is None
    assert found["status"] == "overruled"
    assert "99-zz.conf line 2" in found["detail"]
    assert [(one["rule"], one["severity"], one["file"], one["line"], one["fixable"]) for one in found["findings"]] == [
        ("IO202", "error", "/etc/sysctl.d/99-zz.conf", 2, False)
    ]


def test_take_over_keeps_the_rest_of_the_file():
    late = a_file("/etc/sysctl.d/99-zz.conf", "# x\nvm.dirty_ratio = 40\nnet.ipv4.ip_forward=1\n")
    found = assess(facts(OURS, late, kernel=IN_FORCE), settings(take_over=True))
    assert found["status"] == "to_change"
    step = found["plan"]["files"][0]
    assert (step["op"], step["lines"], step["remove"], step["path"]) == ("take_over", [2], False, late["path"])
    assert step["aside"] == late["path"] + ".before-io-hardening"


def test_take_over_sets_aside_a_file_with_nothing_else():
    late = a_file("/etc/sysctl.d/99-zz.conf", "vm.dirty_ratio = 40\nvm.dirty_background_ratio=20\n")
    step = assess(facts(OURS, late), settings(take_over=True))["plan"]["files"][0]
    assert (step["lines"], step["remove"]) == ([1, 2], True)


def test_take_over_masks_a_file_outside_etc():
    late = a_file("/usr/lib/sysctl.d/99-zz.conf", "vm.dirty_ratio = 40\n")
    step = assess(facts(OURS, late), settings(take_over=True))["plan"]["files"][0]
    assert (step["source"], step["path"], step["aside"], step["remove"]) == (
        "/usr/lib/sysctl.d/99-zz.conf",
        "/etc/sysctl.d/99-zz.conf",
        None,
        False,
    )


def test_take_over_does_not_change_patterns_or_links_out_of_etc():
    glob = a_file("/etc/sysctl.d/99-zz.conf", "vm.dirty_background_b* = 100000\n")
    link = a_file("/etc/sysctl.d/99-zzz.conf", "vm.dirty_ratio = 40\n", target="/srv/x.conf")
    found = assess(facts(OURS, glob, link, kernel=IN_FORCE), settings(take_over=True))
    assert found["plan"] is None
    assert rules(found, "error") == ["IO202", "IO202"]
    assert found["status"] == "overruled"


def test_sysctl_conf_wins_through_its_link_and_is_a_note_without_it():
    by_link = a_file("/etc/sysctl.d/99-sysctl.conf", "vm.dirty_bytes = 1000000\n", target="/etc/sysctl.conf")
    found = assess(facts(OURS, by_link, kernel=IN_FORCE), settings(take_over=True))
    assert found["findings"][0]["file"] == "/etc/sysctl.conf"
    assert found["plan"]["files"][0]["path"] == "/etc/sysctl.conf"
    assert found["plan"]["files"][0]["remove"] is False
    alone = a_file("/etc/sysctl.conf", "vm.dirty_bytes = 1000000\n")
    found = assess(facts(OURS, alone, kernel=IN_FORCE), settings())
    assert [(one["severity"], one["line"]) for one in found["findings"]] == [("note", 1)]
    assert found["status"] == "compliant"


def test_an_earlier_file_wins_where_systemd_keeps_the_early_place_of_our_value():
    early = a_file("/etc/sysctl.d/10-a.conf", "vm.dirty_ratio = 2\n")
    between = a_file("/etc/sysctl.d/20-b.conf", "vm.dirty_bytes = 1000000\n")
    found = assess(facts(early, between, OURS, kernel=IN_FORCE), settings())
    assert [(one["rule"], one["file"]) for one in found["findings"]] == [("IO202", "/etc/sysctl.d/20-b.conf")]


def test_an_exclusion_after_our_file_is_found():
    late = a_file("/etc/sysctl.d/99-zz.conf", "-vm.dirty_ratio\n")
    found = assess(facts(OURS, late, kernel=IN_FORCE), settings())
    assert [(one["rule"], one["actual"]) for one in found["findings"]] == [("IO202", "-vm.dirty_ratio")]


def test_bytes_in_force_and_ratios_wanted():
    state = {"dirty_ratio": 0, "dirty_bytes": 1 << 20, "dirty_background_ratio": 0, "dirty_background_bytes": 1 << 19}
    found = assess(facts(OURS, kernel=state), settings())
    assert found["plan"]["kernel"]["after"] == RATIOS
    assert found["plan"]["record"]["previous"] == {"dirty_bytes": 1 << 20, "dirty_background_bytes": 1 << 19}
    assert rules(found) == ["IO201"]


def test_the_first_record_survives_later_runs():
    saved = {"schema": 1, "previous": {"dirty_ratio": 20, "dirty_background_ratio": 10}, "set": RATIOS, "taken": []}
    found = assess(facts(OURS, kernel=IN_FORCE, saved=saved), settings(mode="bytes"))
    assert found["plan"]["record"]["previous"] == {"dirty_ratio": 20, "dirty_background_ratio": 10}
    assert found["plan"]["record"]["set"] == BYTES


@pytest.mark.parametrize(
    ("total", "wanted"),
    [
        (8 * GIB, RATIOS),
        (int(12.5 * GIB) + 49, RATIOS),
        (int(12.5 * GIB) + 50, BYTES),
        (1024 * GIB, BYTES),
        (None, RATIOS),
    ],
)
def test_auto_decides_by_installed_memory(total, wanted):
    memory = None if total is None else {"total": total, "available": total // 2}
    assert assess(facts(memory=memory), settings(mode="auto"))["wanted"] == wanted


@given(st.integers(1, 1 << 44), st.integers(1, 1 << 44), st.integers(1, 1 << 44))
def test_auto_does_not_move_with_the_available_memory(total, one, other):
    first = assess(facts(memory={"total": total, "available": one}), settings(mode="auto"))
    second = assess(facts(memory={"total": total, "available": other}), settings(mode="auto"))
    assert first["wanted"] == second["wanted"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"mode": "percent"}, "mode is 'percent'; allowed are auto, ratio, bytes"),
        ({"ratio": 0}, "ratio is 0; allowed are whole percent from 1 to 100"),
        ({"ratio": True}, "ratio is true"),
        ({"ratio": "1" * 5000}, f"ratio is '{'1' * 58}…; allowed are whole percent from 1 to 100"),
        ({"ratio": 10**5000}, "ratio is a very large number; allowed"),
        ({"limit_bytes": "256 MiB"}, "limit_bytes is '256 MiB'; allowed are whole bytes from"),
        ({"background_ratio": ""}, "background_ratio is ''; allowed"),
        ({"ratio": "-2"}, "ratio is '-2'; allowed"),
        ({"mode": "x" * 100_000}, f"mode is '{'x' * 58}…; allowed"),
        ({"background_ratio": 2}, "background_ratio (2) is not below ratio (2)"),
        ({"limit_bytes": 8192}, "limit_bytes is 8192; allowed are whole bytes from 131072"),
        ({"background_limit_bytes": 512 << 20}, "is not below limit_bytes"),
    ],
)
def test_invalid_settings_are_refused(changes, says):
    with pytest.raises(SettingsError) as error:
        assess(facts(), settings(**changes))
    assert says in str(error.value)


def test_an_invalid_setting_is_named_as_its_user_spells_it():
    with pytest.raises(SettingsError, match=r"^role_background_ratio \(2\) is not below role_ratio \(2\);"):
        assess(facts(), settings(background_ratio=2), prefix="role_")


def test_numbers_may_be_text_as_they_come_from_a_command_line():
    text = {"ratio": "5", "background_ratio": "3"}
    assert assess(facts(), settings(**text)) == assess(facts(), settings(ratio=5, background_ratio=3))


def tuned(section="vm", key="dirty_bytes", value="40%", **changes):
    values = {
        "profile": "virtual-host",
        "running": True,
        "enabled": True,
        "reapplies": section == "sysctl",
        "settings": [
            {"section": section, "key": key, "value": value, "file": "/usr/lib/tuned/x/tuned.conf", "line": 7}
        ],
    }
    values.update(changes)
    return values


def test_tuned_that_undoes_the_limits_is_an_error():
    found = assess(facts(OURS, kernel=IN_FORCE, tuned=tuned()), settings())
    assert [(one["rule"], one["severity"], one["file"], one["line"]) for one in found["findings"]] == [
        ("IO203", "error", "/usr/lib/tuned/x/tuned.conf", 7)
    ]
    assert "include=virtual-host" in found["findings"][0]["hint"]
    assert found["status"] == "overruled"


@pytest.mark.parametrize("section", ["sysctl", "vm"])
def test_the_effect_of_a_profile_is_unknown_if_the_sysctl_files_follow_it(section):
    by_sysctl = tuned(section, "dirty_ratio", "40", reapplies=True)
    found = assess(facts(OURS, kernel=IN_FORCE, tuned=by_sysctl), settings())
    assert (rules(found), rules(found, "warning"), found["status"]) == (["IO203"], ["IO203"], "compliant")
    assert "; not known: whether tuned's profile virtual-host leaves them when it starts" in found["detail"]
    found = assess(facts(OURS, kernel=IN_FORCE, tuned=dict(by_sysctl, reapplies=False)), settings())
    assert (rules(found, "error"), found["status"]) == (["IO203"], "overruled")


CONF = a_file("/etc/sysctl.conf", "vm.dirty_bytes = 1000000\n")


def test_sysctl_conf_that_the_boot_does_not_read_wins_through_tuned():
    found = assess(facts(OURS, CONF, kernel=IN_FORCE, tuned=tuned("sysctl", "dirty_ratio", "40")), settings())
    assert [(one["rule"], one["severity"], one["file"], one["line"]) for one in found["findings"]] == [
        ("IO202", "error", "/etc/sysctl.conf", 1),
        ("IO203", "warning", "/usr/lib/tuned/x/tuned.conf", 7),
    ]
    assert (found["plan"], found["status"]) == (None, "overruled")
    assert "/etc/sysctl.conf line 1 wins when tuned applies it after its profile" in found["detail"]


def test_take_over_of_sysctl_conf_for_tuned_is_planned_only_if_needed():
    def _steps(*files, **one):
        found = assess(facts(OURS, *files, kernel=IN_FORCE, tuned=tuned(**one)), settings(take_over=True))
        return [(step["op"], step["path"], step["lines"]) for step in (found["plan"] or {"files": []})["files"]]

    sysctl = {"section": "sysctl", "key": "dirty_ratio", "value": "40"}
    assert _steps(CONF, **sysctl) == [("take_over", "/etc/sysctl.conf", [1])]
    # a profile that sets no limit makes tuned apply the files all the same
    assert _steps(CONF, **sysctl, settings=[]) == [("take_over", "/etc/sysctl.conf", [1])]
    assert _steps(CONF, **sysctl, running=False, enabled=False) == []
    assert _steps(CONF, **sysctl, reapplies=False) == []
    assert _steps(a_file("/etc/sysctl.conf", "vm.dirty_ratio = 2\n"), **sysctl) == []


def test_if_the_profile_decides_sysctl_conf_is_not_taken_over():
    found = assess(facts(OURS, CONF, kernel=IN_FORCE, tuned=tuned()), settings(take_over=True))
    assert [(one["rule"], one["severity"]) for one in found["findings"]] == [("IO202", "note"), ("IO203", "error")]
    assert (found["plan"], found["status"]) == (None, "overruled")


def test_a_profile_that_decides_as_wanted_is_a_note():
    by_vm = tuned("vm", "dirty_bytes", "2%")
    found = assess(facts(OURS, kernel=IN_FORCE, tuned=by_vm), settings())
    assert (rules(found, "note"), rules(found), found["status"]) == (["IO203"], ["IO203"], "compliant")


def test_our_file_is_written_if_tuned_does_not_apply_the_one_that_sets_the_wanted_limits():
    theirs = a_file("/usr/lib/sysctl.d/10-own.conf", "vm.dirty_ratio=2\nvm.dirty_background_ratio=1\n")
    by_sysctl = tuned("sysctl", "dirty_ratio", "40")
    found = assess(facts(theirs, kernel=IN_FORCE, tuned=by_sysctl), settings())
    assert [step["path"] for step in found["plan"]["files"]] == [paths.FILE]
    assert rules(found) == ["IO202", "IO203"]
    # and not where that would not help
    found = assess(facts(theirs, kernel=IN_FORCE, tuned=dict(by_sysctl, reapplies=False)), settings())
    assert (found["plan"], found["status"]) == (None, "overruled")


def test_a_file_of_run_that_tuned_applies_is_not_taken_over():
    run = a_file("/run/sysctl.d/99-zz.conf", "vm.dirty_ratio = 40\n")
    by_sysctl = tuned("sysctl", "dirty_ratio", "40")
    found = assess(facts(OURS, run, kernel=IN_FORCE, tuned=by_sysctl), settings(take_over=True))
    assert [(one["message"].split(": ")[0], one["fixable"]) for one in found["findings"] if one["rule"] == "IO202"] == [
        ("/run/sysctl.d/99-zz.conf line 1 wins at boot", False)
    ]
    assert (found["plan"], found["status"]) == (None, "overruled")
    found = assess(facts(OURS, run, kernel=IN_FORCE, tuned=dict(by_sysctl, reapplies=False)), settings(take_over=True))
    assert [step["source"] for step in found["plan"]["files"]] == ["/run/sysctl.d/99-zz.conf"]
    masked = dict(run, read_at_boot=False)
    found = assess(facts(OURS, masked, kernel=IN_FORCE, tuned=by_sysctl), settings(take_over=True))
    assert (found["plan"], found["status"]) == (None, "overruled")


def test_lines_of_one_file_that_two_names_lead_to_are_taken_in_one_step():
    one = a_file(
        "/etc/sysctl.d/98-a.conf", "vm.dirty_ratio=40\nvm.dirty_background_ratio=9\n", target="/etc/sysctl.conf"
    )
    other = dict(one, path="/etc/sysctl.d/99-zz.conf")
    steps = assess(facts(OURS, one, other), settings(take_over=True))["plan"]["files"]
    assert [(step["path"], step["lines"]) for step in steps] == [("/etc/sysctl.conf", [1, 2])]


def test_tuned_that_neither_runs_nor_starts_is_not_reported():
    found = assess(facts(OURS, kernel=IN_FORCE, tuned=tuned(running=False, enabled=False)), settings())
    assert found["findings"] == []


def test_limits_above_what_a_disk_queues_are_a_note():
    devices = [{"name": "sda", "queue_bytes": 160 << 20}, {"name": "nvme0n1", "queue_bytes": 1 << 40}]
    found = assess(
        facts(OURS, kernel=IN_FORCE, devices=devices, memory={"total": 24 * GIB, "available": 24 * GIB}), settings()
    )
    assert [(one["rule"], one["severity"], one["actual"]) for one in found["findings"]] == [
        ("IO204", "note", {"sda": 160 << 20})
    ]
    low = settings(mode="bytes", limit_bytes=32 << 20, background_limit_bytes=16 << 20)
    assert "IO204" not in rules(assess(facts(devices=devices), low))


def test_a_queue_that_is_short_needs_no_limit():
    devices = [device("sda", 32), device("sdb", 33)]
    found = assess(
        facts(OURS, kernel=IN_FORCE, devices=devices, memory={"total": 24 * GIB, "available": 24 * GIB}), settings()
    )
    assert [one["actual"] for one in found["findings"]] == [{"sdb": 33 << 20}]


def device(name, queue_mib, **changes):
    return {
        "name": name,
        "nr_requests": 128,
        "max_sectors_kb": queue_mib * 8,
        "queue_bytes": queue_mib << 20,
        "rotational": True,
        "images": ["local-lvm"],
        "shortened": False,
        **changes,
    }


@pytest.mark.parametrize(
    ("devices", "mib", "why"),
    [
        # 256/128 MiB, as on a host without such a disk.
        ([], 256, None),
        ([device("sda", 160, rotational=False)], 256, None),
        ([device("sda", 160, rotational=None)], 256, None),
        ([device("sda", 160, images=[])], 256, None),
        # Below the smallest queue of a rotational disk under guests.
        (
            [device("sda", 160)],
            32,
            "sda decides: it is rotational, holds guests' images of local-lvm, and queues 160 MiB",
        ),
        ([device("sda", 320), device("sdb", 80), device("sdc", 20, images=[])], 32, "sdb decides"),
        ([device("sdb", 33), device("sda", 33)], 32, "sda decides"),
        ([device("sda", 32)], 16, "sda decides"),
        ([device("sda", 16)], 8, "queues 16 MiB"),
        # Not lower: the limit is for all disks of the host.
        ([device("sda", 2)], 8, "sda decides"),
        # The run after the one that shortened the queue decides the same.
        (
            [device("sda", 2, shortened=True)],
            32,
            "sda decides: it is rotational, holds guests' images of local-lvm, and the",
        ),
        ([device("sda", 2, shortened=True), device("sdb", 160)], 32, "sdb decides"),
        ([device("sda", 2, shortened=True), device("sdb", 20)], 16, "sdb decides"),
    ],
)
def test_auto_goes_below_the_queues_of_rotational_disks_under_guests(devices, mib, why):
    memory = {"total": 24 * GIB, "available": 20 * GIB}
    found = assess(facts(memory=memory, devices=devices), settings(mode="auto"))
    assert found["wanted"] == {"dirty_bytes": mib << 20, "dirty_background_bytes": mib << 19}
    assert f"mode auto: 2 % of 24 GiB is more than {mib} MiB" in found["detail"]
    assert (why or "") in found["detail"] and ("decides" in found["detail"]) == bool(why)


def test_auto_takes_the_ratios_where_they_come_out_below_what_a_disk_allows():
    devices, memory = [device("sda", 160)], {"total": GIB, "available": GIB}
    found = assess(facts(memory=memory, devices=devices), settings(mode="auto"))
    assert found["wanted"] == {"dirty_ratio": 2, "dirty_background_ratio": 1}
    assert "2 % of 1 GiB is within 32 MiB, which sda decides" in found["detail"]


@pytest.mark.parametrize(
    ("limit", "background", "wanted"), [(24, 20, (24, 20)), (64, 8, (32, 8)), (256, 128, (32, 16)), (32, 4, (32, 4))]
)
def test_limits_that_are_asked_for_are_never_raised(limit, background, wanted):
    asked = settings(mode="auto", limit_bytes=limit << 20, background_limit_bytes=background << 20)
    memory = {"total": 24 * GIB, "available": 20 * GIB}
    found = assess(facts(memory=memory, devices=[device("sda", 160)]), asked)
    assert tuple(value >> 20 for value in found["wanted"].values()) == wanted


@pytest.mark.parametrize("mode", ["ratio", "bytes"])
def test_only_auto_looks_at_the_disks(mode):
    found = assess(facts(devices=[device("sda", 160)]), settings(mode=mode))
    assert found["detail"].endswith(f"(mode {mode})")


def test_what_cannot_be_read_is_a_finding():
    problem = {"file": "/etc/sysctl.d/99-odd.conf", "line": None, "guest": None, "reason": "Permission denied"}
    found = assess(facts(OURS, kernel=IN_FORCE, problems=[problem]), settings())
    assert [(one["severity"], one["file"]) for one in found["findings"]] == [("warning", "/etc/sysctl.d/99-odd.conf")]


def test_without_a_kernel_only_the_files_are_assessed():
    found = assess(facts(kernel=None, memory=None), settings())
    assert rules(found) == ["IO202"]
    assert found["plan"]["kernel"] is None
    assert found["plan"]["record"]["previous"] is None


SAVED = {"schema": 1, "previous": {"dirty_ratio": 20, "dirty_background_ratio": 10}, "set": RATIOS, "taken": []}


def test_absent_restores_what_was_in_force():
    found = assess(facts(OURS, kernel=IN_FORCE, saved=SAVED), settings(state="absent"))
    assert found["plan"]["kernel"]["after"] == SAVED["previous"]
    assert found["plan"]["files"] == [{"op": "remove", "path": paths.FILE, "before": OURS["digest"]}]
    assert found["plan"]["record"] is None


def test_absent_leaves_a_value_that_somebody_changed():
    moved = dict(IN_FORCE, dirty_ratio=30)
    found = assess(facts(OURS, kernel=moved, saved=SAVED), settings(state="absent"))
    assert found["plan"]["kernel"]["writes"] == [{"key": "dirty_background_ratio", "value": 10}]
    assert "somebody set vm.dirty_ratio 30 since, so that stays" in found["detail"]


def test_absent_where_nothing_was_set():
    found = assess(facts(), settings(state="absent"))
    assert (found["plan"], found["status"], found["findings"]) == (None, "compliant", [])


lines = st.sampled_from(
    [
        "vm.dirty_ratio=2",
        "vm.dirty_ratio=40",
        "vm.dirty_bytes=1000000",
        "vm.dirty_background_ratio=1",
        "vm.dirty_background_ratio=9",
        "vm.dirty_background_bytes=500000",
        "-vm.dirty_ratio",
        "-vm.dirty_bytes",
        "net.x=1",
    ]
)
names = st.sampled_from(["10-a", "50-b", "99-a", "99-zz", "99-zzz"])


def carry_out(plan, texts):
    """What a plan makes of files' lines, told in the plainest way."""
    for step in plan["files"]:
        if step["op"] == "write":
            texts[step["path"]] = step["text"].split("\n")
        else:
            texts[step["path"]] = [
                "" if number in step["lines"] else line for number, line in enumerate(texts[step["path"]], 1)
            ]


@given(st.dictionaries(names, st.lists(lines, max_size=5), max_size=4), st.sampled_from(["ratio", "bytes"]))
def test_after_take_over_the_files_come_to_what_is_wanted(texts, mode):
    """The heart of IO202: take away the lines the plan names, add our file, and a boot gives what is wanted."""
    files = [a_file(f"/etc/sysctl.d/{name}.conf", "\n".join(texts[name])) for name in sorted(texts)]
    found = assess(facts(*files), settings(mode=mode, take_over=True))
    texts = {f"/etc/sysctl.d/{name}.conf": text for name, text in texts.items()}
    carry_out(found["plan"], texts)
    state, _unused = dirty.replay(
        [one for path in sorted(texts) for one in dirty.parse_relevant("\n".join(texts[path]))]
    )
    assert dirty.in_force(state) == found["wanted"]


@given(
    st.dictionaries(names, st.lists(lines, max_size=4), max_size=3),
    st.lists(lines, max_size=4),
    st.sampled_from(["ratio", "bytes"]),
    st.sampled_from(dirty.KEYS),
)
def test_after_take_over_a_boot_with_tuned_comes_to_what_is_wanted(texts, conf, mode, key):
    """A boot and then tuned, told once more in the plainest way: profile, every file of /etc, /etc/sysctl.conf."""
    texts = {f"/etc/sysctl.d/{name}.conf": text for name, text in texts.items()}
    texts["/etc/sysctl.conf"] = conf
    files = [a_file(path, "\n".join(texts[path])) for path in sorted(texts)]
    by_sysctl = tuned("sysctl", key, "60")
    found = assess(facts(*files, tuned=by_sysctl), settings(mode=mode, take_over=True))
    carry_out(found["plan"], texts)
    conf = texts.pop("/etc/sysctl.conf")
    in_order = [line for path in sorted(texts) for line in texts[path]]
    state, _unused = dirty.replay(dirty.parse_relevant("\n".join(in_order)))
    assert dirty.in_force(state) == found["wanted"]
    state = dirty.write(state, key, "60")
    for line in in_order + conf:
        name, _assigned, value = line.replace(" ", "").partition("=")
        if name.removeprefix("vm.") in dirty.KEYS:
            state = dirty.write(state, name.removeprefix("vm."), value)
    assert dirty.in_force(state) == found["wanted"]
    after = [a_file(path, "\n".join(text)) for path, text in sorted(texts.items())]
    after.append(a_file("/etc/sysctl.conf", "\n".join(conf)))
    kernel = {**dict.fromkeys(dirty.KEYS, 0), **found["wanted"]}
    second = assess(facts(*after, tuned=by_sysctl, kernel=kernel), settings(mode=mode, take_over=True))
    assert (second["plan"], second["status"]) == (None, "compliant")


# What sorts after ours and says what the kernel starts with

BOOT_DEFAULTS = "vm.dirty_ratio = 20\nvm.dirty_background_ratio = 10\n"


@pytest.mark.parametrize(
    "path", ["/etc/sysctl.d/99-sysctl.conf", "/usr/lib/sysctl.d/99-zz.conf", "/run/sysctl.d/zz.conf"]
)
def test_a_later_file_with_the_kernels_own_defaults_wins_too(path):
    later = a_file(path, BOOT_DEFAULTS)
    found = assess(facts(OURS, later, kernel=IN_FORCE), settings(), "pve1")
    assert (found["status"], found["plan"]) == ("overruled", None)
    assert [(one["rule"], one["severity"], one["file"], one["line"]) for one in found["findings"]] == [
        ("IO202", "error", path, 1),
        ("IO202", "error", path, 2),
    ]
    assert f"not after a reboot: {path} line 1 wins at boot: vm.dirty_ratio = 20" in found["detail"]
    assert assess(facts(OURS, later, kernel=IN_FORCE), settings(take_over=True), "pve1")["plan"]["files"][0][
        "lines"
    ] == [1, 2]


def test_one_of_the_two_defaults_is_enough():
    found = assess(
        facts(OURS, a_file("/etc/sysctl.d/99-sysctl.conf", "vm.dirty_background_ratio=10\n"), kernel=IN_FORCE),
        settings(),
        "pve1",
    )
    assert found["status"] == "overruled"


def test_a_later_file_that_sets_the_same_is_not_a_conflict():
    same = a_file("/etc/sysctl.d/99-sysctl.conf", "vm.dirty_ratio=2\nvm.dirty_background_ratio=1\n")
    assert assess(facts(OURS, same, kernel=IN_FORCE), settings(), "pve1")["status"] == "compliant"


def test_the_kernels_defaults_by_way_of_tuned():
    tuned = {
        "profile": "p",
        "running": True,
        "enabled": True,
        "reapplies": False,
        "settings": [
            {"section": "vm", "key": "dirty_ratio", "value": "20", "file": "/etc/tuned/p/tuned.conf", "line": 2}
        ],
    }
    found = assess(facts(OURS, kernel=IN_FORCE, tuned=tuned), settings(), "pve1")
    assert found["status"] == "overruled" and rules(found, "error") == ["IO203"]


def test_a_run_that_leaves_another_file_the_last_word_is_not_compliant_afterwards():
    later = a_file("/etc/sysctl.d/99-sysctl.conf", BOOT_DEFAULTS)
    found = assess(facts(later), settings(), "pve1")
    assert (found["status"], found["then"]) == ("to_change", "overruled")
    assert report(found, {"changed": False})["status"] == "overruled"
    assert report(found, {"changed": True})["status"] == "changed"
    assert [one["fixable"] for one in report(found, {"changed": True})["findings"]] == [False] * len(
        [one for one in found["findings"] if not one["fixable"]]
    )
    assert any(one["fixable"] for one in report(found, {"changed": True}, check_mode=True)["findings"])
    assert report(found)["subject"] == "writeback"


# What could not be read


def unread(path, **changes):
    return facts(
        OURS,
        kernel=IN_FORCE,
        problems=[{"file": path, "line": None, "guest": None, "reason": "Input/output error"}],
        **changes,
    )


SAVED = {"schema": 1, "previous": {"dirty_ratio": 20, "dirty_background_ratio": 10}, "set": RATIOS, "taken": []}


@pytest.mark.parametrize("path", [paths.RECORD, paths.FILE, "/etc/sysctl.d", "/proc/sys/vm"])
@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_plan_that_relies_on_an_unreadable_file_is_refused(path, state):
    found = assess(unread(path), settings(state=state), "pve1")
    assert (found["status"], rules(found, "error")) == ("unknown", ["IO202"])
    assert found["plan"]["refused"] == found["detail"]
    assert found["detail"].startswith(f"{path}: Input/output error; nothing was ")
    assert (found["plan"]["files"], found["plan"]["kernel"], found["plan"]["changes"]) == ([], None, [])


def test_unreadable_memory_stops_only_the_mode_that_needs_it():
    assert assess(unread("/proc/meminfo"), settings(mode="auto"), "pve1")["status"] == "unknown"
    assert assess(unread("/proc/meminfo"), settings(mode="auto"), "pve1")["plan"]["refused"]
    assert assess(unread("/proc/meminfo"), settings(mode="ratio"), "pve1")["plan"] is None


def test_a_file_that_cannot_be_read_may_have_the_last_word():
    found = assess(unread("/etc/sysctl.d/99-zz.conf"), settings(), "pve1")
    assert (found["status"], found["plan"], rules(found)) == ("unknown", None, ["IO202"])
    found = assess({**unread("/etc/sysctl.d/99-zz.conf"), "files": []}, settings(), "pve1")
    assert (found["status"], found["then"], "refused" in found["plan"]) == ("to_change", "unknown", False)


def test_the_limits_of_before_are_not_given_up_if_the_kernel_cannot_be_read():
    found = assess(facts(OURS, kernel=None, saved=SAVED), settings(state="absent"), "pve1")
    assert found["status"] == "unknown" and "/proc/sys/vm" in found["plan"]["refused"]
    assert (
        assess(facts(OURS, kernel=None, saved={**SAVED, "set": None}), settings(state="absent"), "pve1")["status"]
        == "to_change"
    )


def test_a_line_of_any_length_is_shown_in_one_short_line():
    later = a_file("/etc/sysctl.d/99-zz.conf", "vm.dirty_ratio = 40 \x1b[2J" + "x" * 100_000 + "\n")
    found = assess(facts(later), settings(take_over=True), "pve1")
    assert all(len(one["message"]) < 300 and one["message"].isprintable() for one in found["findings"])
    assert len(found["detail"]) < 500 and all(len(one["before"] or "") <= 110 for one in found["plan"]["changes"])
