# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Limits are set, proven and given back: on a live node with the stand-ins for pvesh and pvesm, and in a tree."""

from __future__ import annotations

import errno
import os

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host import whole_file
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.lock import alone
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.tree import Tree
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._journal.file import Journal, read_settings
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._load import commands, settings
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._load.settings import LoadSettings
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._model.findings import change
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._settings.apply import apply
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._settings.undo import undo
from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.qm_host import QmHost

FILES = {
    "vzdump": "etc/vzdump.conf",
    "jobs": "etc/pve/jobs.cfg",
    "datacenter": "etc/pve/datacenter.cfg",
    "storage": "etc/pve/storage.cfg",
}
VZDUMP = "# defaults of vzdump\n#ionice: PRI\nbwlimit: 50000\nscript: /x {{ y }}\n"
JOBS = """\
vzdump: nightly
\tschedule mon 01:00
\tall 1
\tbwlimit 20000
\tenabled 1
\tfleecing 0
\tnotes-template {{guestname}}
\tstorage local

vzdump: --help
\tschedule sun 02:00
\tenabled 1
\tstorage local
\tvmid 101

"""
DATACENTER = "#notes\n\nbwlimit: restore=100000,migration=200000\nkeyboard: de\n"


class Host(QmHost):
    """A node, or the same files as a tree."""

    def __init__(self, root, live):
        super().__init__(root)
        self.live = live
        for name, text in (("vzdump", VZDUMP), ("jobs", JOBS), ("datacenter", DATACENTER)):
            self.put(name, text)
        # In the order in which Proxmox VE writes it, and nothing that it writes otherwise.
        self.put(
            "storage",
            "dir: local\n\tpath /var/lib/vz\n\tcontent images\n\nrbd: ceph1\n\tbwlimit move=1\n\tpool rbd\n\n",
        )

    def put(self, name, text):
        path = self.root / FILES[name]
        path.write_text(text)
        path.chmod(0o640)

    def text(self, name):
        return (self.root / FILES[name]).read_text()

    def texts(self):
        return {name: self.text(name) for name in FILES}

    def settings(self):
        tree = Tree(str(self.root))
        tree.live = self.live
        return LoadSettings(tree)

    def set(self, *plan, run="run1"):
        """The results of a plan, as the module carries it out."""
        return apply(plan, {"load": self.settings()}, Journal(self.journal, run))

    @property
    def journal(self):
        return str(self.root / "journal")

    def undo(self, run="run1"):
        subjects = {"load": self.settings()}
        plan, left = undo(read_settings(self.journal)[run], subjects)
        return apply(plan, {"load": self.settings()}, Journal(self.journal, f"undo-{run}")), left

    def hook(self, when, name, script):
        path = self.root / "var/lib/qm-stand-in" / when / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\ncd '{self.root}'\n{script}\n")
        path.chmod(0o755)

    def commands(self):
        return [[call["command"], *call["argv"]] for call in self.calls()]


@pytest.fixture(params=["live", "tree"])
def host(request, tmp_path, monkeypatch):
    host = Host(tmp_path, request.param == "live")
    if host.live:
        host.on_path(monkeypatch)
    yield host
    host.close()


@pytest.fixture
def live(tmp_path, monkeypatch):
    host = Host(tmp_path, True)
    host.on_path(monkeypatch)
    yield host
    host.close()


@pytest.fixture
def tree(tmp_path):
    return Host(tmp_path, False)


def entry(key, **options):
    changes = [change(key, option, *values) for option, values in options.items()]
    return {"subject": "load", "key": key, "changes": changes}


OF_VZDUMP = entry("vzdump.conf", bwlimit=("50000", "81920"), performance=(None, "max-workers=1"))
OF_JOB = entry("job nightly", bwlimit=("20000", None), fleecing=("0", "1,storage=local-lvm"), ionice=(None, "8"))
OF_DATACENTER = entry(
    "datacenter", bwlimit=("restore=100000,migration=200000", "restore=102400,migration=200000,move=51200")
)
OF_STORAGE = entry("storage local", bwlimit=(None, "restore=51200"))
PLAN = [OF_VZDUMP, OF_JOB, OF_DATACENTER, OF_STORAGE]

AFTER = {
    "vzdump": VZDUMP.replace("50000", "81920") + "performance: max-workers=1\n",
    "jobs": JOBS.replace("\tbwlimit 20000\n", "").replace("fleecing 0\n", "fleecing 1,storage=local-lvm\n\tionice 8\n"),
    "datacenter": DATACENTER.replace("restore=100000", "restore=102400").replace("=200000", "=200000,move=51200"),
}


def test_everything_is_set_and_given_back(host):
    before = host.texts()
    assert [result["status"] for result in host.set(*PLAN)] == 4 * ["changed"]
    after = host.texts()
    for name, text in AFTER.items():
        # Proxmox VE sorts the properties of a job; in a tree a new one comes last.
        assert sorted(after[name].split("\n")) == sorted(text.split("\n"))
        if host.live or name != "jobs":
            assert after[name] == text
    assert after["storage"].replace("\tbwlimit restore=51200\n", "") == before["storage"]
    assert [result["status"] for result in host.set(*PLAN, run="run2")] == 4 * ["unchanged"]
    results, left = host.undo()
    assert ([result["status"] for result in results], left) == (4 * ["changed"], [])
    assert {name: sorted(text.split("\n")) for name, text in host.texts().items()} == {
        name: sorted(text.split("\n")) for name, text in before.items()
    }


def test_each_object_takes_one_write_and_a_second_run_runs_nothing(live):
    live.set(*PLAN)
    assert [words[:3] for words in live.commands()] == [
        ["pvesh", "get", "/cluster/backup"],
        ["pvesh", "set", "/cluster/backup/nightly"],
        ["pvesh", "get", "/cluster/options"],
        ["pvesh", "set", "/cluster/options"],
        ["pvesh", "get", "/storage/local"],
        ["pvesm", "set", "local"],
    ]
    assert live.commands()[1][3:] == ["--fleecing", "1,storage=local-lvm", "--ionice", "8", "--delete", "bwlimit"]
    live.log.unlink()
    live.set(*PLAN, run="run2")
    assert live.commands() == []


def test_what_would_be_lost_is_asked_once_for_all_jobs(live):
    live.set(entry("job nightly", ionice=(None, "8")), entry("job --help", ionice=(None, "8")))
    assert [words[1] for words in live.commands()] == ["get", "set", "set"]


def test_mode_and_owner_of_a_file_stay_and_no_other_file_is_left(host):
    host.set(*PLAN)
    path = host.root / FILES["vzdump"]
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(path.parent)) == ["pve", "vzdump.conf"]


def test_now_reads_all_objects_and_runs_nothing(host):
    keys = ["vzdump.conf", "datacenter", "job nightly", "job --help", "job gone", "storage ceph1", "storage gone", "x"]
    assert host.settings().now(keys) == {
        ("vzdump.conf", "bwlimit"): "50000",
        ("vzdump.conf", "ionice"): None,
        ("vzdump.conf", "performance"): None,
        ("vzdump.conf", "fleecing"): None,
        ("datacenter", "bwlimit"): "restore=100000,migration=200000",
        ("job nightly", "bwlimit"): "20000",
        ("job nightly", "ionice"): None,
        ("job nightly", "performance"): None,
        ("job nightly", "fleecing"): "0",
        **{("job --help", option): None for option in ("bwlimit", "ionice", "performance", "fleecing")},
        ("storage ceph1", "bwlimit"): "move=1",
    }
    assert host.calls() == []


def test_files_that_are_not_there_set_nothing(host):
    for name in FILES:
        (host.root / FILES[name]).unlink()
    found = host.settings().now(["vzdump.conf", "datacenter", "job nightly", "storage local", "storage ceph1"])
    assert set(found.values()) == {None} and {key for key, _option in found} == {
        "vzdump.conf",
        "datacenter",
        "storage local",
    }
    (result,) = host.set(entry("vzdump.conf", ionice=(None, "8")))
    assert (result["status"], host.text("vzdump")) == ("changed", "ionice: 8\n")


@pytest.mark.parametrize("hand", ["enabled=yes,storage=old", "storage=old,enabled=1", "1,storage=old"])
def test_a_spelling_that_proxmox_ve_does_not_keep_is_given_back_in_meaning(live, hand):
    live.put("jobs", JOBS.replace("fleecing 0", f"fleecing {hand}"))
    (result,) = live.set(entry("job nightly", fleecing=(hand, "enabled=1,storage=new")))
    assert (result["status"], result["detail"]) == ("changed", None)
    assert "\tfleecing 1,storage=new\n" in live.text("jobs")
    (again,) = live.set(entry("job nightly", fleecing=(hand, "enabled=1,storage=new")), run="run2")
    assert again["status"] == "unchanged"
    results, left = live.undo()
    assert ([result["status"] for result in results], left) == (["changed"], [])
    assert "\tfleecing 1,storage=old\n" in live.text("jobs")


def test_of_a_key_twice_the_line_that_counts_is_changed_and_given_back(host):
    host.put("vzdump", "bwlimit: 1\nionice: 7\nbwlimit: 2\n")
    host.set(entry("vzdump.conf", bwlimit=("2", "5")))
    assert host.text("vzdump") == "bwlimit: 1\nionice: 7\nbwlimit: 5\n"
    host.undo()
    assert host.text("vzdump") == "bwlimit: 1\nionice: 7\nbwlimit: 2\n"
    host.set(entry("vzdump.conf", bwlimit=("2", None)), run="run2")
    assert host.text("vzdump") == "ionice: 7\n"


def test_bytes_that_are_no_text_stay(host):
    path = host.root / FILES["vzdump"]
    path.write_bytes(b"# K\xfcche\r\nbwlimit: 1\r\n\x00\n")
    host.set(entry("vzdump.conf", bwlimit=("1", "2")))
    assert path.read_bytes() == b"# K\xfcche\r\nbwlimit: 2\r\n\x00\n"


# --- what somebody else does meanwhile ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "name", "old", "new"),
    [
        (OF_VZDUMP, "vzdump", "50000", "60000"),
        (OF_JOB, "jobs", "20000", "60000"),
        (OF_DATACENTER, "datacenter", "restore=100000", "restore=60000"),
        (OF_STORAGE, "storage", "\tpath /var/lib/vz\n", "\tpath /var/lib/vz\n\tbwlimit move=7\n"),
    ],
)
def test_a_value_that_somebody_changed_since_the_plan_stays(host, plan, name, old, new):
    host.put(name, host.text(name).replace(old, new))
    before = host.texts()
    (result,) = host.set(plan)
    assert (result["status"], result["reason"]) == ("failed", "changed_since")
    assert host.texts() == before


@pytest.mark.parametrize(
    ("plan", "name", "old", "new"),
    [
        (OF_VZDUMP, "vzdump", "50000", "60000"),
        (OF_JOB, "jobs", "20000", "60000"),
        (OF_DATACENTER, "datacenter", "restore=100000", "restore=60000"),
        (OF_STORAGE, "storage", "\tpath /var/lib/vz\n", "\tpath /var/lib/vz\n\tbwlimit move=7\n"),
    ],
)
def test_a_value_that_changes_after_it_was_compared_stays(host, plan, name, old, new):
    """Between the generic look and the write."""
    subject = host.settings()
    host.put(name, host.text(name).replace(old, new))
    before = host.texts()
    with pytest.raises(settings.Refused) as refused:
        subject.write(plan["key"], plan["changes"])
    assert refused.value.reason == "changed_since" and "run again" in str(refused.value)
    assert host.texts() == before


def test_a_file_that_changes_just_before_the_rename_stays(host, monkeypatch):
    real = whole_file.replace

    def replace(path, raw, like=None, unless=None, mode=None):
        host.put("vzdump", VZDUMP + "lockwait: 60\n")
        real(path, raw, like, unless, mode)

    monkeypatch.setattr(whole_file, "replace", replace)
    (result,) = host.set(OF_VZDUMP)
    assert (result["reason"], result["detail"]) == (
        "changed_since",
        "/etc/vzdump.conf changed while it was being written; nothing was written",
    )
    assert host.text("vzdump") == VZDUMP + "lockwait: 60\n"


def test_a_file_system_that_takes_no_file(host, monkeypatch):
    def replace(path, raw, like=None, unless=None, mode=None):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), "/etc/.vzdump.conf.abcdefgh.io-hardening-new")

    monkeypatch.setattr(whole_file, "replace", replace)
    (result,) = host.set(OF_VZDUMP)
    assert (result["reason"], result["detail"]) == (
        "error",
        "/etc/vzdump.conf cannot be written: Read-only file system; nothing was changed",
    )


def test_a_write_to_the_datacenter_in_the_same_moment_is_said(live):
    live.hook("after-set", "datacenter.cfg", f"sed -i s/restore=102400/restore=7/ {FILES['datacenter']}")
    (result,) = live.set(OF_DATACENTER)
    assert (result["status"], result["reason"]) == ("failed", "changed_since")
    assert "bwlimit was written, and is restore=7,migration=200000,move=51200 now: somebody else" in result["detail"]


def test_another_option_that_a_colleague_sets_in_the_same_moment_is_kept(live):
    live.hook("before-set", "datacenter.cfg", f"echo 'language: de' >> {FILES['datacenter']}")
    live.hook("before-set", "jobs.cfg", f"sed -i 's/all 1/all 1\\n\\tmode stop/' {FILES['jobs']}")
    assert {result["status"] for result in live.set(OF_JOB, OF_DATACENTER)} == {"changed"}
    assert "language: de\n" in live.text("datacenter") and "\tmode stop\n" in live.text("jobs")


def test_a_storage_cfg_that_changes_in_the_same_moment_is_not_written(live):
    live.hook("before-set", "storage.cfg", f"printf 'dir: new\\n\\tpath /new\\n\\n' >> {FILES['storage']}")
    (result,) = live.set(OF_STORAGE)
    assert (result["status"], result["reason"]) == ("failed", "changed_since")
    assert result["detail"] == (
        "pvesm set local: update storage failed: detected modified configuration - file changed by other user?"
        " Try again.; run again"
    )
    assert "bwlimit restore" not in live.text("storage")


@pytest.mark.parametrize(
    ("plan", "name", "script", "says"),
    [
        (
            OF_JOB,
            "jobs.cfg",
            ": > etc/pve/jobs.cfg",
            "pvesh set /cluster/backup/nightly: no such vzdump job; run again",
        ),
        (OF_STORAGE, "storage.cfg", "sed -i /local/,/^$/d etc/pve/storage.cfg", "detected modified configuration"),
    ],
)
def test_an_object_that_is_deleted_in_between(live, plan, name, script, says):
    live.hook("before-set", name, script)
    (result,) = live.set(plan)
    assert result["status"] == "failed" and says in result["detail"]


def test_an_object_that_is_gone(host):
    results = host.set(entry("job weekly", ionice=(None, "8")), entry("storage gone", bwlimit=(None, "move=1")))
    assert [(result["status"], result["reason"]) for result in results] == 2 * [("failed", "gone")]
    subject = host.settings()
    for plan in (entry("job weekly", ionice=(None, "8")), entry("storage gone", bwlimit=(None, "move=1"))):
        with pytest.raises(settings.Refused) as refused:
            subject.write(plan["key"], plan["changes"])
        assert refused.value.reason == "gone"


def test_another_run_is_waited_for(tree, monkeypatch):
    monkeypatch.setattr(settings, "_BUSY", 0.1)
    with alone([str(tree.root / "etc")], 0) as busy:
        assert busy is None
        (result,) = tree.set(OF_VZDUMP)
    assert "another run still writes in" in result["detail"] and tree.text("vzdump") == VZDUMP


# --- a cluster, and commands, that do not answer ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("down", "Unable to load access control list: Connection refused; look at systemctl status pve-cluster"),
        ("no-quorum", "error: no quorum!; look at pvecm status, and run again when the cluster has a quorum"),
        ("locked", "error: got lock request timeout; something else is writing; run again"),
        ("not-root", "please run as root; run with become: true"),
    ],
)
def test_a_cluster_that_cannot_be_written(live, state, says):
    live.declare("cluster", state)
    before = live.texts()
    for result in live.set(OF_JOB, OF_DATACENTER, OF_STORAGE):
        assert (result["status"], result["reason"]) == ("failed", "refused")
        assert result["detail"].startswith(("pvesh ", "pvesm set local: ")) and says in result["detail"]
        assert "\n" not in result["detail"] and "<api_path>" not in result["detail"]
    assert live.texts() == before


def test_a_node_without_the_commands(live, monkeypatch):
    folder = live.root / "usr/local/no-proxmox"
    folder.mkdir()
    (folder / "timeout").symlink_to("/usr/bin/timeout")
    monkeypatch.setenv("PATH", str(folder))
    details = {result["detail"] for result in live.set(OF_JOB, OF_DATACENTER, OF_STORAGE)}
    assert details == {"there is no command pvesh; is this a Proxmox VE node?"}


def test_a_command_that_never_answers_is_ended(live, monkeypatch):
    monkeypatch.setattr(commands, "SECONDS", 1)
    monkeypatch.setenv("QM_DELAY", "30")
    (result,) = live.set(OF_JOB)
    assert result["detail"] == (
        "pvesh get /cluster/backup gave no answer within 1 s and was ended; look at what it left, then run again"
    )


@pytest.mark.parametrize(
    ("plan", "script", "says"),
    [
        (OF_JOB, "echo 'Wide\ncharacter'", "pvesh get /cluster/backup printed no JSON: Wide; character"),
        (OF_STORAGE, "echo []", "pvesh get /storage/local gave no storage with a digest"),
        (
            OF_STORAGE,
            "echo '403 Permission check failed (/storage, Datastore.Allocate)' >&2; exit 13",
            "pvesh get /storage/local: 403 Permission check failed (/storage, Datastore.Allocate); it takes Sys.Modify on"
            " /, of a storage Datastore.Allocate",
        ),
        (OF_STORAGE, "exit 3", "pvesh get /storage/local: exited with status 3 and printed nothing"),
        (
            OF_STORAGE,
            'echo \'{"digest": "0"}\'; echo "storage does not support content type \'none\'" >&2',
            "not written, because Proxmox VE would drop lines of /etc/pve/storage.cfg: storage does not support content"
            " type 'none'; mend or remove them, then run again",
        ),
        (
            OF_JOB,
            "case $1 in get) echo []; exit;; esac; printf 'Unknown option: fleecing\n400 unable to parse option\n"
            "pvesh set <api_path> [OPTIONS] [FORMAT_OPTIONS]\n' >&2; exit 255",
            "pvesh set /cluster/backup/nightly: Unknown option: fleecing; 400 unable to parse option; this version of"
            " Proxmox VE does not have it; leave it out",
        ),
    ],
)
def test_answers_that_were_not_expected(live, plan, script, says):
    (live.root / "usr/local/stand-in/pvesh").write_text(f"#!/bin/sh\n{script}\n")
    (result,) = live.set(plan)
    assert (result["status"], result["detail"]) == ("failed", says)


@pytest.mark.parametrize(
    ("plan", "name", "old", "new", "says"),
    [
        (
            OF_JOB,
            "jobs",
            "\tall 1\n",
            "\tall 1\n\tturbo 1\n",
            "unable to parse value of 'turbo': unexpected property 'turbo'",
        ),
        (OF_JOB, "jobs", "\tall 1\n", "\tall 1\nnot a line\n", "ignore config line: not a line"),
        (OF_DATACENTER, "datacenter", "keyboard", "not a line\nkeyboard", "ignore config line: not a line"),
        (OF_STORAGE, "storage", "\tpool rbd\n", "\tpool rbd\n\tturbo 1\n", "unexpected property 'turbo'"),
    ],
)
def test_a_file_of_which_proxmox_ve_would_drop_a_line_is_not_written(live, plan, name, old, new, says):
    live.put(name, live.text(name).replace(old, new))
    before = live.texts()
    (result,) = live.set(plan)
    assert (result["status"], result["reason"]) == ("failed", "refused")
    assert f"Proxmox VE would drop lines of /{FILES[name]}: " in result["detail"] and says in result["detail"]
    assert live.texts() == before


# --- odd names and files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["--help", "{{x}}", "$(reboot)", ";reboot", "-", "%2e%2e", "a:b", 50 * "x"])
def test_a_job_with_a_hostile_name_is_one_word_to_the_command(host, name):
    host.put("jobs", JOBS.replace("--help", name))
    (result,) = host.set(entry(f"job {name}", performance=(None, "max-workers=1")))
    assert (result["status"], result["detail"]) == ("changed", None)
    assert host.text("jobs").count("\tperformance max-workers=1\n") == 1
    assert host.settings().now([f"job {name}"])[f"job {name}", "performance"] == "max-workers=1"


@pytest.mark.parametrize(
    "key", ["job {{ x }}", "job a b", "job ../options", "storage --help", "storage {{ x }}", "storage a b", "vzdump"]
)
def test_a_name_that_no_object_can_have_reaches_no_command(host, key):
    (result,) = host.set(entry(key, bwlimit=(None, "move=1")))
    assert (result["status"], result["reason"]) == ("failed", "refused")
    assert "is none of vzdump.conf, datacenter, job ID, storage ID" in result["detail"]
    assert host.calls() == []


def test_a_vzdump_conf_that_is_a_link_is_not_replaced(host):
    path = host.root / FILES["vzdump"]
    path.rename(path.with_name("real.conf"))
    path.symlink_to("real.conf")
    (result,) = host.set(OF_VZDUMP)
    assert "/etc/vzdump.conf is a link to real.conf, so it was not written" in result["detail"]
    assert path.is_symlink() and path.read_text() == VZDUMP


def test_the_local_storage_that_no_section_names(host):
    host.put("storage", "rbd: ceph1\n\tpool rbd\n\n")
    (result,) = host.set(OF_STORAGE)
    if host.live:
        assert result[
            "status"
        ] == "changed" and "dir: local\n\tpath /var/lib/vz\n\tbwlimit restore=51200\n" in host.text("storage")
    else:
        assert result["detail"] == "/etc/pve/storage.cfg has no section of storage local; add it by hand"


def test_leftovers_of_a_killed_run_are_removed(tree):
    left = tree.root / "etc/.vzdump.conf.abcdefgh.io-hardening-new"
    left.write_text("x")
    tree.set(OF_VZDUMP)
    assert not left.exists()
