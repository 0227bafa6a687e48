# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The hardened sample fleet is rolled back with ansible-playbook, to the byte, but for what somebody changed since."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ansible_collections.hypervisor.io_hardening.tests.fleet.playbook import ROOT, play

CONFIGS = "root/etc/pve/nodes/{}/qemu-server/{}.conf"

# Has aio=native with cache=writeback, which QEMU does not start with: nobody puts that back.
NEVER_STARTED = CONFIGS.format("pve2", 213)
# In these, somebody changes something after the hardening.
OTHER_SETTING = CONFIGS.format("pve1", 102)
SAME_OPTION = CONFIGS.format("pve2", 201)


def configs(tree: Path) -> dict[str, bytes]:
    return {path.relative_to(tree).as_posix(): path.read_bytes() for path in (tree / "root/etc").rglob("*.conf")}


def journals(tree: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in tree.rglob("*.jsonl")}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    """Before, hardened and meddled with, after a check run of the roll back, rolled back: the tree's configs, and what
    was said.
    """
    tree = tmp_path_factory.mktemp("fleet") / "copy"
    subprocess.run([ROOT / "sample_fleet/copy", tree], check=True)
    seen = {"tree": tree, "before": configs(tree)}
    code, seen["hardening"] = play(tree, "harden_io")
    assert code == 0, seen["hardening"]
    for name, old, new in ((OTHER_SETTING, b"memory: ", b"memory: 1"), (SAME_OPTION, b"aio=threads", b"aio=io_uring")):
        text = (tree / name).read_bytes()
        assert old in text
        (tree / name).write_bytes(text.replace(old, new, 1))
    seen["meddled"], seen["journals"] = configs(tree), journals(tree)
    seen["check_code"], seen["checked"] = play(tree, "rollback_io", "--check", "--diff")
    seen["after_check"], seen["journals_after_check"] = configs(tree), journals(tree)
    seen["one_code"], seen["one"] = play(tree, "rollback_io", "--extra-vars", '{"rollback_guests": [104]}')
    seen["after_one"] = configs(tree)
    seen["code"], seen["rolled"] = play(tree, "rollback_io")
    seen["after"], seen["journals_after"] = configs(tree), journals(tree)
    return seen


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> set[str]:
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}


def test_the_hardening_leaves_one_journal_for_the_whole_fleet(fleet):
    assert len(fleet["journals"]) == 1 and len(differing(fleet["before"], fleet["meddled"])) > 30


def test_the_hardening_ends_with_the_command_that_rolls_it_back(fleet):
    (run,) = fleet["journals"]
    command = f"-i sample_fleet/inventory.yml playbooks/rollback_io.yml -e rollback_run={run[: -len('.jsonl')]}\n"
    assert f"    ansible-playbook {command}" in fleet["hardening"]
    # What may be secret is not shown, and its name is.
    assert "which the commands leave out: sample_fleet_build" in " ".join(fleet["hardening"].split())


def test_check_mode_shows_it_and_touches_nothing(fleet):
    assert (
        differing(fleet["meddled"], fleet["after_check"]) == set()
        and fleet["journals_after_check"] == fleet["journals"]
    )
    assert "WOULD BE PUT BACK (" in fleet["checked"]
    assert "  pve1 104 scale-reader: controller virtio-scsi-single → virtio-scsi-pci\n" in fleet["checked"]
    assert re.search(r"^-scsihw: virtio-scsi-single$", fleet["checked"], re.MULTILINE)


def test_only_the_guest_that_was_named_is_rolled_back(fleet):
    name = CONFIGS.format("pve1", 104)
    assert fleet["one_code"] == 0, fleet["one"]
    assert (
        differing(fleet["meddled"], fleet["after_one"]) == {name} and fleet["after_one"][name] == fleet["before"][name]
    )


def test_every_config_that_nobody_changed_since_is_as_before_to_the_byte(fleet):
    assert differing(fleet["before"], fleet["after"]) == {NEVER_STARTED, OTHER_SETTING, SAME_OPTION}


def test_what_somebody_changed_since_stays_and_the_rest_of_that_guest_is_put_back(fleet):
    assert fleet["after"][OTHER_SETTING] == fleet["before"][OTHER_SETTING].replace(b"memory: ", b"memory: 1", 1)
    kept = re.findall(rb"aio=[a-z_]+", fleet["after"][SAME_OPTION])
    assert b"aio=io_uring" in kept and b"iothread" not in fleet["after"][SAME_OPTION]
    assert "aio is io_uring, the run wrote threads" in fleet["rolled"]


def test_what_would_not_start_is_named_and_fails_the_run_at_its_end(fleet):
    assert fleet["after"][NEVER_STARTED] == fleet["meddled"][NEVER_STARTED]
    assert (
        fleet["code"] != 0
        and "1 guest failed (would not start: 213)" in fleet["rolled"]
        and "unreachable=0    failed=1" in fleet["rolled"]
    )


def test_the_roll_backs_are_in_the_journal_themselves(fleet):
    assert len(fleet["journals_after"]) == 3 and all(
        fleet["journals_after"][name] == text for name, text in fleet["journals"].items()
    )
    (run,) = fleet["journals"]
    for name in fleet["journals_after"].keys() - fleet["journals"].keys():
        assert f'"rolls_back":"{run[: -len(".jsonl")]}"'.encode() in fleet["journals_after"][name]


def test_damaged_journals_are_told_and_what_they_hide_fails_the_roll_back_at_its_end(fleet, tmp_path):
    tree = tmp_path / "copy"
    shutil.copytree(fleet["tree"], tree, symlinks=True)
    for name, text in fleet["meddled"].items():
        (tree / name).write_bytes(text)
    (run,) = fleet["journals"]
    # The host of libvirt has a journal of its own.
    path = next(path for path in tree.rglob(run) if "kvm1" not in path.parts)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0][:40] + b"\n" + b"".join(lines[1:]))
    (path.parent / "20200101T000000Z.jsonl").write_bytes(b"[" * 100_000)
    name = run[: -len(".jsonl")]
    code, said = play(
        tree, "rollback_io", "--limit", "pve1", "--extra-vars", f"rollback_guests=104,105 rollback_run={name}"
    )
    assert code != 0 and f"not everything that run {name} did is known" in said and "Traceback" not in said
    assert "NOT READ: " in said and "20200101T000000Z.jsonl line 1" in said
    assert configs(tree)[CONFIGS.format("pve1", 104)] == fleet["before"][CONFIGS.format("pve1", 104)]


def test_guests_that_are_none_are_refused(fleet):
    code, said = play(fleet["tree"], "rollback_io", "--limit", "pve1", "--extra-vars", "rollback_guests=")
    assert code != 0 and "rollback_guests is " in said and "TASK [Roll back the guests]" not in said


def test_without_a_name_a_run_of_which_nothing_stands_is_not_rolled_back_again(fleet):
    code, said = play(fleet["tree"], "rollback_io", "--limit", "pve1")
    assert code != 0 and "there is nothing to roll back" in said and "TASK [Roll back the guests]" not in said
    (run,) = fleet["journals"]
    name = run[: -len(".jsonl")]
    code, said = play(fleet["tree"], "rollback_io", "--limit", "pve1", "--extra-vars", f"rollback_run={name}")
    assert code == 0 and "As before the run already (" in said


def test_guests_that_the_run_changed_on_no_host_fail_the_roll_back(fleet):
    (run,) = fleet["journals"]
    name = run[: -len(".jsonl")]
    code, said = play(
        fleet["tree"],
        "rollback_io",
        "--limit",
        "pve1,pve2",
        "--extra-vars",
        f"rollback_run={name} rollback_guests=104,9999",
    )
    assert (
        code != 0
        and f"guest 9999 was not changed by run {name}; asked: pve1, pve2" in said
        and "TASK [Roll back the guests]" not in said
    )


def test_a_host_on_which_the_run_was_put_back_already_says_so_and_knows_its_guests(fleet, tmp_path):
    tree = tmp_path / "copy"
    shutil.copytree(fleet["tree"], tree, symlinks=True)
    for name in fleet["before"]:
        (tree / name).write_bytes(fleet["before" if "/pve1/" in name else "meddled"][name])
    code, said = play(tree, "rollback_io", "--check", "--limit", "pve1,pve2", "--extra-vars", "rollback_guests=102,202")
    assert code == 0, said
    assert "As before the run already (1)\n  pve1: 102\n" in said
    assert "WOULD BE PUT BACK (1)\n  pve2 202 " in said
