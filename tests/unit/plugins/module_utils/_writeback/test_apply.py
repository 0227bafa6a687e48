# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Reading, assessing and carrying out the plan, on trees on disk."""

from __future__ import annotations

import os
import signal

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.tree import Tree
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._writeback import apply, paths
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._writeback.host import (
    assess,
    harden,
    host_tree,
    kernel,
    snapshot,
)

ZZ = "/etc/sysctl.d/99-zz.conf"
LATE = "# keep me\nvm.dirty_ratio = 40\nnet.ipv4.ip_forward = 1"


def test_a_fresh_host_is_set_once(tmp_path):
    root = host_tree(tmp_path)
    assert harden(root)["work"].changed
    assert kernel(root) == {
        "dirty_ratio": 2,
        "dirty_bytes": 0,
        "dirty_background_ratio": 1,
        "dirty_background_bytes": 0,
    }
    before = snapshot(root)
    second = harden(root)
    assert (second["status"], second["work"], second["findings"]) == ("compliant", None, [])
    assert snapshot(root) == before


@pytest.mark.parametrize(
    ("root", "words"),
    [("", "is not a directory"), ("/nonexistent", "is not a directory"), ("{file}", "is not a directory")],
)
def test_a_root_that_is_not_a_directory_is_refused(tmp_path, root, words):
    """An empty one would be the machine itself, and a mistyped one be made."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=words):
        Tree(root.format(file=tmp_path / "file"))


@pytest.mark.parametrize("target", ["/dev/null", "90-other.conf"])
def test_a_link_in_place_of_the_roles_file_is_refused_before_anything_is_written(tmp_path, target):
    """A link to /dev/null is how a file of sysctl.d is masked: what it leads to is not the role's to replace."""
    root = host_tree(
        tmp_path, {paths.FILE: f"-> {target}", "/dev/null": "", "/etc/sysctl.d/90-other.conf": "kernel.sysrq = 1\n"}
    )
    before = snapshot(root)
    with pytest.raises(apply.Refused, match=f"is a link to {target}: nothing was written"):
        harden(root)
    assert snapshot(root) == before


@pytest.mark.parametrize("mode", ["ratio", "bytes"])
def test_absent_puts_everything_back(tmp_path, mode):
    root = host_tree(
        tmp_path,
        {
            ZZ: LATE,
            "/etc/sysctl.d/99-zzz.conf": "vm.dirty_bytes=1000000\n",
            "/usr/lib/sysctl.d/99-zzzz.conf": "vm.dirty_background_ratio = 7\n",
            "/etc/sysctl.d/99-sysctl.conf": "-> ../sysctl.conf",
            "/etc/sysctl.conf": "kernel.sysrq=1\nvm.dirty_ratio=50\n",
        },
        dirty_bytes=1000000,
        dirty_ratio=0,
    )
    (root / ZZ.lstrip("/")).chmod(0o600)
    before, was = snapshot(root), kernel(root)
    assert harden(root, mode=mode, take_over=True)["work"].changed
    assert assess(root, mode=mode)["status"] == "compliant"
    assert kernel(root) != was
    harden(root, state="absent")
    assert snapshot(root) == before
    assert harden(root, state="absent")["plan"] is None


def test_absent_leaves_no_folder_unless_the_guests_journal_is_in_it(tmp_path):
    folder = tmp_path / "var/lib/hypervisor-io-hardening"
    root = host_tree(tmp_path)
    harden(root)
    assert folder.is_dir()
    harden(root, state="absent")
    assert not folder.exists()
    harden(root)
    (folder / "journal").mkdir()
    harden(root, state="absent")
    assert [place.name for place in folder.iterdir()] == ["journal"]


def test_the_limits_of_before_survive_a_change_of_mode(tmp_path):
    root = host_tree(tmp_path)
    harden(root)
    harden(root, mode="bytes")
    assert kernel(root)["dirty_bytes"] == 256 << 20
    harden(root, state="absent")
    assert kernel(root)["dirty_ratio"] == 20


def test_absent_leaves_what_somebody_changed_since(tmp_path):
    root = host_tree(tmp_path, {ZZ: LATE})
    harden(root, take_over=True)
    (root / "proc/sys/vm/dirty_ratio").write_text("30\n")
    (root / ZZ.lstrip("/")).write_text("edited\n")
    work = harden(root, state="absent")["work"]
    assert kernel(root)["dirty_ratio"] == 30
    assert (root / ZZ.lstrip("/")).read_text() == "edited\n"
    assert work.left == [
        f"{ZZ} has been changed since it was taken over, and stays; the original is {ZZ}.before-io-hardening"
    ]
    assert (root / (ZZ + ".before-io-hardening").lstrip("/")).read_text() == LATE


def test_take_over_comments_out_one_line_and_keeps_the_original(tmp_path):
    root = host_tree(tmp_path, {ZZ: LATE})
    harden(root)
    assert (root / ZZ.lstrip("/")).read_text() == LATE
    harden(root, take_over=True)
    lines = (root / ZZ.lstrip("/")).read_text().split("\n")
    assert [lines[0], lines[2], lines[3]] == ["# keep me", "# vm.dirty_ratio = 40", "net.ipv4.ip_forward = 1"]
    assert (root / (ZZ + ".before-io-hardening").lstrip("/")).read_text() == LATE
    assert assess(root)["status"] == "compliant"


def test_a_line_that_somebody_restored_is_taken_over_again(tmp_path):
    root = host_tree(tmp_path, {ZZ: "vm.dirty_ratio = 40\n"})
    harden(root, take_over=True)
    assert not (root / ZZ.lstrip("/")).exists()
    (root / ZZ.lstrip("/")).write_text("vm.dirty_ratio = 41\n")
    harden(root, take_over=True)
    assert "41" in (root / ZZ.lstrip("/")).read_text()
    assert assess(root)["status"] == "compliant"
    assert (root / (ZZ + ".before-io-hardening").lstrip("/")).read_text() == "vm.dirty_ratio = 40\n"


def test_a_file_in_the_way_of_the_original_is_refused_before_anything_is_written(tmp_path):
    root = host_tree(tmp_path, {ZZ: LATE, ZZ + ".before-io-hardening": "somebody's"})
    before = snapshot(root)
    with pytest.raises(apply.Refused, match="exists already, and it is not the original"):
        harden(root, take_over=True)
    assert snapshot(root) == before


@pytest.mark.parametrize("path", [ZZ, "/proc/sys/vm/dirty_ratio", paths.FILE])
def test_a_plan_for_a_host_that_has_changed_is_refused_before_anything_is_written(tmp_path, path):
    root = host_tree(tmp_path, {ZZ: LATE})
    plan = assess(root, take_over=True)["plan"]
    (root / path.lstrip("/")).write_text("33\n")
    before = snapshot(root)
    with pytest.raises(apply.Refused, match="nothing was written; run again"):
        apply.prepare(plan, Tree(str(root)))
    assert snapshot(root) == before


def test_a_plan_that_takes_over_a_missing_file_is_refused(tmp_path):
    root = host_tree(tmp_path, {ZZ: LATE})
    plan = assess(root, take_over=True)["plan"]
    (root / ZZ.lstrip("/")).unlink()
    (step,) = [step for step in plan["files"] if step["op"] == "take_over"]
    step["before"] = None
    with pytest.raises(apply.Refused, match="nothing was written; run again"):
        apply.prepare(plan, Tree(str(root)))


def test_the_same_plan_twice_does_nothing_the_second_time(tmp_path):
    root = host_tree(tmp_path, {ZZ: LATE, "/etc/sysctl.d/99-zzz.conf": "vm.dirty_ratio=3\n"})
    plan = harden(root, take_over=True)["plan"]
    assert not apply.prepare(plan, Tree(str(root))).changed


@pytest.mark.parametrize("path", ["/usr/lib/sysctl.d/x.conf", "/etc/../boot/x", "etc/x"])
def test_a_plan_for_other_places_is_refused(tmp_path, path):
    plan = assess(host_tree(tmp_path))["plan"]
    plan["files"][0]["path"] = path
    with pytest.raises(apply.Refused, match="only files below /etc"):
        apply.prepare(plan, Tree(str(tmp_path)))


def test_a_record_that_cannot_be_read_is_never_overwritten(tmp_path):
    root = host_tree(tmp_path, {paths.RECORD: "{"})
    before = snapshot(root)
    with pytest.raises(apply.Refused, match="is not a record of this collection"):
        harden(root)
    assert snapshot(root) == before


def test_values_that_do_not_stay_are_an_error(tmp_path, monkeypatch):
    root = host_tree(tmp_path)
    monkeypatch.setattr(apply, "_set", lambda tree, key, value: None)
    with pytest.raises(apply.Refused, match="the kernel has vm.dirty_ratio 20"):
        harden(root)


def test_a_killed_run_leaves_old_or_new_files_and_the_next_one_completes_it(tmp_path, monkeypatch):
    """SIGKILL at every call that changes the tree, one after the other."""
    files = {ZZ: LATE, "/etc/sysctl.d/99-zzz.conf": "vm.dirty_ratio=3\n"}
    done = host_tree(tmp_path / "done", files)
    original = snapshot(done)
    harden(done, take_over=True)
    expected = snapshot(done)
    for number in range(1, 100):
        root = host_tree(tmp_path / str(number), files)
        child = os.fork()
        if child == 0:
            _die_at(number)
            harden(root, take_over=True)
            os._exit(0)
        killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
        for name, content in snapshot(root).items():
            if not name.endswith(".io-hardening-new"):
                assert content in (original.get(name), expected.get(name)), (number, name)
        harden(root, take_over=True)
        assert snapshot(root) == expected, number
        harden(root, state="absent")
        assert kernel(root)["dirty_ratio"] == 20
        if not killed:
            break
    assert number > 20


def test_a_killed_removal_is_completed_by_the_next_one(tmp_path):
    files = {ZZ: LATE, "/etc/sysctl.d/99-zzz.conf": "vm.dirty_ratio=3\n"}
    for number in range(1, 100):
        root = host_tree(tmp_path / str(number), files)
        original = snapshot(root)
        harden(root, take_over=True)
        child = os.fork()
        if child == 0:
            _die_at(number)
            harden(root, state="absent")
            os._exit(0)
        killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
        harden(root, state="absent")
        assert snapshot(root) == original, number
        if not killed:
            break
    assert number > 20


def _die_at(number):
    calls = [0]

    def _count(call):
        def _wrapped(*args, **kwargs):
            calls[0] += 1
            if calls[0] == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*args, **kwargs)

        return _wrapped

    for name in ("open", "replace", "unlink", "fsync", "fchmod"):
        setattr(os, name, _count(getattr(os, name)))


TRIXIE = {
    "/etc/tuned/active_profile": "virtual-host\n",
    "/usr/lib/tuned/profiles/virtual-host/tuned.conf": (
        "[main]\ninclude=throughput-performance\n[vm]\ndirty_background_ratio = 5\n"
    ),
    "/usr/lib/tuned/profiles/throughput-performance/tuned.conf": (
        "[main]\nsummary=x\n[vm]\ndirty_ratio = 40\ndirty_background_ratio = 10\n[sysctl]\nvm.swappiness=10\n"
    ),
    "/etc/systemd/system/multi-user.target.wants/tuned.service": "-> /lib/systemd/system/tuned.service",
    "/etc/sysctl.conf": "# mine\nvm.dirty_background_bytes = 50000000\n",
}


def test_sysctl_conf_that_only_tuned_applies_is_reported_taken_over_and_restored(tmp_path):
    """Debian 13: no link in sysctl.d leads to /etc/sysctl.conf, and tuned applies it after its profile."""
    root = host_tree(tmp_path, TRIXIE)
    before = snapshot(root)
    found = harden(root)
    assert [(one["file"], one["line"]) for one in found["findings"] if one["severity"] == "error"] == [
        ("/etc/sysctl.conf", 2)
    ]
    assert assess(root)["status"] == "overruled"
    assert (root / "etc/sysctl.conf").read_text() == TRIXIE["/etc/sysctl.conf"]
    harden(root, take_over=True)
    assert not (root / "etc/sysctl.conf").exists()
    second = assess(root, take_over=True)
    assert (second["plan"], second["status"]) == (None, "compliant")
    harden(root, state="absent")
    assert snapshot(root) == before


def test_a_tree_without_a_kernel_gets_only_the_files(tmp_path):
    assert harden(tmp_path)["plan"]["kernel"] is None


def test_a_profile_with_the_last_word_is_reported_and_nothing_more_is_written(tmp_path):
    main = {"/etc/tuned/tuned-main.conf": "daemon = 1\nreapply_sysctl = 0\n"}
    root = host_tree(tmp_path, {**TRIXIE, **main})
    found = harden(root)
    assert [one["rule"] for one in found["findings"] if one["severity"] == "error"] == ["IO203", "IO203"]
    assert harden(root)["status"] == "overruled"


# What could not be read


@pytest.mark.parametrize("path", [paths.RECORD, paths.FILE])
@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_read_that_fails_once_loses_nothing(tmp_path, monkeypatch, path, state):
    """The file can be read again when the plan is carried out: it was made without it all the same."""
    root = host_tree(tmp_path)
    harden(root)
    before = snapshot(root)
    real = Tree.read

    def fail(tree, wanted):
        if wanted == path:
            raise OSError(5, "Input/output error", wanted)
        return real(tree, wanted)

    monkeypatch.setattr(Tree, "read", fail)
    plan = assess(root, state=state, mode="bytes")["plan"]
    monkeypatch.setattr(Tree, "read", real)
    with pytest.raises(apply.Refused, match=f"{path}: Input/output error; nothing was"):
        apply.prepare(plan, Tree(str(root)))
    assert snapshot(root) == before


def test_a_kernel_that_cannot_be_read_once_keeps_its_record(tmp_path):
    root = host_tree(tmp_path)
    harden(root)
    (root / "proc/sys/vm/dirty_ratio").write_text("1" * 5000)
    before = snapshot(root)
    with pytest.raises(apply.Refused, match="/proc/sys/vm.*nothing was taken back"):
        harden(root, state="absent")
    assert snapshot(root) == before


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_record_written_by_another_run_meanwhile_is_not_lost(tmp_path, state):
    root = host_tree(tmp_path, {paths.FILE: "# of before\n"})
    plan = assess(root, state=state)["plan"]
    harden(root, mode="bytes", limit_bytes=1 << 30)
    (root / paths.FILE.lstrip("/")).write_text("# of before\n")
    host_tree(root)
    before = snapshot(root)
    if state == "present":
        plan["record"]["previous"] = {"dirty_ratio": 3, "dirty_background_ratio": 1}
    with pytest.raises(apply.Refused, match="host_writeback.json has changed since the plan was made"):
        apply.prepare(plan, Tree(str(root)))
    assert snapshot(root) == before


@pytest.mark.parametrize("text", [
    "[" * 100_000, '{"schema": 1}', '{"schema": %s}' % ("1" * 5000), "[]", "null", '{"schema": 1, "previous": [], "set": null, "taken": []}',
    '{"schema": 1, "previous": {"dirty_ratio": 20}, "set": null, "taken": []}',
    '{"schema": 1, "previous": {"dirty_ratio": "20", "dirty_background_ratio": 10}, "set": null, "taken": []}',
    '{"schema": 1, "previous": {"dirty_ratio": true, "dirty_background_ratio": 10}, "set": null, "taken": []}',
    '{"schema": 1, "previous": null, "set": null, "taken": [{}]}', '{"schema": 1, "previous": null, "set": null, "taken": {"a": 1}}',
    '{"schema": 1, "previous": null, "set": null, "taken": [{"path": 1, "aside": null, "original": null, "left": null}]}',
])  # fmt: skip
@pytest.mark.parametrize("state", ["present", "absent"])
def test_an_invalid_record_is_neither_used_nor_lost(tmp_path, text, state):
    root = host_tree(tmp_path, {paths.RECORD: text, paths.FILE: "vm.dirty_ratio=3\n"})
    before = snapshot(root)
    with pytest.raises(apply.Refused, match="is not a record of this collection"):
        harden(root, state=state)
    assert snapshot(root) == before
