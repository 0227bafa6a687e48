# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What applies, journals, restarts and rolls back knows a backend and no hypervisor; and each config is parsed once."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import apply as _apply
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import find
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import restart as _restart
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.backend import Refused
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.reading import Reading, joined
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.standing import standing
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._journal.rollback import rollback
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._model import records
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._model.records import NOT_THERE
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve import config as _config
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve import definition as _definition
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve import storage as _storage
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.doors import (
    apply_below,
    journal_of,
    read_journal,
)
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._backends.live_node import (
    put,
    runner,
)

MODULE_UTILS = Path(__file__).absolute().parents[5] / "plugins/module_utils"
NEUTRAL = [
    "_backends/apply.py",
    "_backends/backend.py",
    "_backends/reading.py",
    "_backends/restart.py",
    "_backends/standing.py",
    "_journal/fields.py",
    "_journal/lines.py",
    "_journal/rollback.py",
    "_restart.py",
]
TEXT = "name: web\nscsi0: local:100/a.qcow2,size=1G\nscsihw: virtio-scsi-pci\n"
CHANGES = [
    {"key": "controller", "option": "type", "before": "virtio-scsi-pci", "after": "virtio-scsi-single"},
    {"key": "scsi0", "option": "aio", "before": None, "after": "threads"},
    {"key": "scsi0", "option": "iothread", "before": None, "after": True},
]


@pytest.mark.parametrize("file", NEUTRAL)
def test_what_is_common_to_all_hypervisors_names_none(file):
    text = (MODULE_UTILS / file).read_text()
    assert re.findall(r"(?i)_pve\b|\bpve\b|\bqm\b|scsihw|proxmox|\[pending\]|virsh|libvirt", text) == []


def plan_of(root, changes=tuple(CHANGES)):
    return [
        {
            "hypervisor": guest["hypervisor"],
            "guest": guest["id"],
            **{key: guest[key] for key in ("name", "node", "config", "digest")},
            "changes": changes,
        }
        for guest in find.read(str(root)).guests
    ]


@pytest.fixture
def counted(monkeypatch):
    """How often a config was parsed, a record made of one, and storage.cfg parsed."""
    calls = {"config": 0, "record": 0, "storages": 0}

    def count(module, function, name):
        real = getattr(module, function)

        def counting(*arguments, **options):
            calls[name] += 1
            return real(*arguments, **options)

        monkeypatch.setattr(module, function, counting)

    count(_config, "parse", "config")
    count(_definition, "record", "record")
    count(_storage, "parse", "storages")
    return calls


@pytest.mark.parametrize("guests", [1, 3])
def test_an_apply_parses_a_config_three_times_and_the_storages_once(host, counted, guests):
    """As it is found, as it is to be, and as it reads back."""
    for guest in range(guests):
        put(host, 100 + guest)
    plan = plan_of(host.root)
    counted.update(config=0, record=0, storages=0)
    outcomes = apply_below(host.root, plan, run=runner(host), max_parallel=1, journal=journal_of(host.root, "r1"))
    assert [outcome.result["status"] for outcome in outcomes] == ["changed"] * guests
    assert counted == {"config": 3 * guests, "record": 2 * guests, "storages": 1}


@pytest.mark.parametrize(("check", "parses"), [(True, 2), (False, 3)])
def test_the_same_in_a_tree(tmp_path, counted, check, parses):
    (tmp_path / "100.conf").write_text(TEXT)
    plan = plan_of(tmp_path)
    counted.update(config=0, record=0, storages=0)
    (outcome,) = apply_below(tmp_path, plan, check=check)
    assert outcome.result["status"] == "changed"
    assert counted == {"config": parses, "record": 2, "storages": 1}


def test_a_read_parses_each_config_once(tmp_path, counted):
    for guest in (100, 101):
        (tmp_path / f"{guest}.conf").write_text(TEXT)
    find.read(str(tmp_path))
    assert counted["config"] == 2 and counted["storages"] == 1


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    ("hypervisor", "said"),
    [
        ("xen", "because of its plan: hypervisor is 'xen'; it takes libvirt, pve"),
        (["pve"], "because of its plan: hypervisor is ['pve']; it takes libvirt, pve"),
    ],
)
def test_a_plan_for_a_hypervisor_that_nobody_knows_is_refused(tmp_path, hypervisor, said, check):
    for guest in (100, 101):
        (tmp_path / f"{guest}.conf").write_text(TEXT)
    first, second = plan_of(tmp_path)
    outcomes = apply_below(tmp_path, [{**first, "hypervisor": hypervisor}, second], check=check)
    results = [(outcome.result["status"], outcome.result["reason"]) for outcome in outcomes]
    assert results == [("failed", "refused"), ("changed", None)] and said in outcomes[0].result["detail"]
    assert (tmp_path / "100.conf").read_text() == TEXT


def test_a_plan_for_a_hypervisor_that_this_host_does_not_have_is_refused(tmp_path, monkeypatch):
    (tmp_path / "100.conf").write_text(TEXT)
    plan = plan_of(tmp_path)
    monkeypatch.setattr(find, "is_this_host", lambda root: True)
    assert find.backends(str(tmp_path)) == []
    (outcome,) = apply_below(tmp_path, plan)
    assert (outcome.result["status"], outcome.result["reason"]) == ("failed", "refused")
    assert "it is for a guest of pve, and this host has no known hypervisor" in outcome.result["detail"]


def test_a_plan_that_does_not_say_is_for_pve(tmp_path):
    (tmp_path / "100.conf").write_text(TEXT)
    (planned,) = plan_of(tmp_path)
    del planned["hypervisor"]
    (outcome,) = apply_below(tmp_path, [planned])
    assert outcome.result["status"] == "changed"


def test_a_journal_of_a_version_before_hypervisors_is_read_and_rolled_back(host):
    put(host, 100)
    before = find.read(str(host.root)).guests[0]
    kept = journal_of(host.root, "r1")
    apply_below(host.root, plan_of(host.root), run=runner(host), journal=kept)
    lines = [json.loads(line) for line in Path(kept.path).read_text().splitlines()]
    assert lines[0]["hypervisor"] == "pve" and "hypervisor" not in lines[1]
    # Lines of the first version have no id and no checksum either.
    lines = [
        {key: line[key] for key in line if key not in ("hypervisor", "id", "sum", "config_before")} for line in lines
    ]
    Path(kept.path).write_text("".join(json.dumps(line) + "\n" for line in lines))
    problems = []
    entries = read_journal(host.root, problems)["r1"]
    assert problems == [] and [entry["hypervisor"] for entry in entries] == ["pve"]
    assert standing(find.backends(str(host.root)), {"r1": entries}) == {"r1": ["100"]}
    plan = rollback(entries, find.read(str(host.root)).guests, ["pve1"])["plan"]
    (outcome,) = apply_below(host.root, plan, run=runner(host))
    after = find.read(str(host.root)).guests[0]
    assert outcome.result["status"] == "changed"
    assert after["controller"] == {**before["controller"], "line": after["controller"]["line"]}
    assert after["disks"][0]["configured"] == before["disks"][0]["configured"]


def test_a_line_of_a_hypervisor_that_nobody_knows_is_a_problem_and_hides_nothing(tmp_path):
    (tmp_path / "100.conf").write_text(TEXT)
    kept = journal_of(tmp_path, "r1")
    apply_below(tmp_path, plan_of(tmp_path), journal=kept)
    line = {**json.loads(Path(kept.path).read_text().splitlines()[0]), "hypervisor": "xen"}
    for key in ("id", "sum"):
        del line[key]
    with open(kept.path, "a") as stream:
        stream.write(json.dumps(line) + "\n")
    problems = []
    assert [entry["hypervisor"] for entry in read_journal(tmp_path, problems)["r1"]] == ["pve"]
    assert [problem["reason"] for problem in problems] == ["is not a journal entry: its hypervisor is 'xen'"]


def test_what_a_host_without_the_hypervisor_cannot_look_at_stands(tmp_path):
    (tmp_path / "100.conf").write_text(TEXT)
    apply_below(tmp_path, plan_of(tmp_path), journal=journal_of(tmp_path, "r1"))
    runs = read_journal(tmp_path, [])
    (tmp_path / "100.conf").unlink()
    assert standing(find.backends(str(tmp_path)), runs) == {"r1": []}
    assert standing([], runs) == {"r1": ["100"]}


def test_a_guest_that_one_backend_has_is_not_missing():
    one, other = Reading(), Reading()
    one.guests = [records.guest(id="100", hypervisor="pve", controller=records.controller(effective="lsi"))]
    for reading in (one, other):
        reading.nodes = [records.node(name="pve1")]
        reading.problem("", NOT_THERE, guest="nobody")
    other.problem("", NOT_THERE, guest="100")
    whole = joined([one, other])
    assert [problem["guest"] for problem in whole.problems] == ["nobody"]
    assert len(whole.guests) == len(whole.nodes) == 1


# A backend of no hypervisor at all


class Memory:
    """Guests in memory: what a backend must have, and nothing else."""

    at_once = 2
    hypervisor = "pve"

    def __init__(self, **faults):
        self.guests = {"100": Kept({"scsi0 aio": "native"})}
        self.faults = faults
        self.alone_with = None

    @contextlib.contextmanager
    def alone(self, configs):
        if self.faults.get("alone"):
            raise self.faults["alone"]
        self.alone_with = configs
        yield
        self.alone_with = None

    def load(self, guest, node, config):
        return self.guests[guest]

    def edit(self, now, wanted):
        new = {f"{key} {option}": value for key, options in wanted.items() for option, value in options.items()}
        return now if new.items() <= now.settings.items() else Kept({**now.settings, **new})

    def refuse(self, now, edited):
        if self.faults.get("refuse"):
            raise self.faults["refuse"]

    def also(self, now, edited):
        return self.faults.get("also", [])

    def waits(self, now, edited, after=None):
        return after is not None

    def write(self, now, edited):
        self.guests["100"] = edited
        return edited

    def lost(self, now, edited, after):
        return self.faults.get("lost", [])


class Kept:
    """A definition."""

    guest = {}

    def __init__(self, settings):
        self.settings = settings
        self.raw = json.dumps(settings).encode()
        self.digest = str(len(self.raw))

    def lines(self):
        return self.settings

    def value(self, key, option):
        return self.settings.get(f"{key} {option}")


def through(memory, tmp_path, after="threads", **options):
    entry = {
        "guest": "100",
        "node": None,
        "config": "/100.conf",
        "digest": Memory().guests["100"].digest,
        "changes": [{"key": "scsi0", "option": "aio", "before": "nothing", "after": after}],
    }
    kept = journal_of(tmp_path, "r1")
    (outcome,) = _apply.apply([entry], [memory], _apply.Options(journal=kept, **options))
    return outcome, read_journal(tmp_path, []).get("r1", [])


def test_any_backend_is_written_journalled_and_shown(tmp_path):
    memory = Memory()
    outcome, (entry,) = through(memory, tmp_path)
    assert (outcome.result["status"], outcome.result["restart_pending"]) == ("changed", True)
    assert outcome.diff == {"before": "scsi0 aio: native\n", "after": "scsi0 aio: threads\n"}
    assert entry["written"] is True and entry["changes"][0]["before"] == "native"
    assert memory.guests["100"].settings == {"scsi0 aio": "threads"}


def test_what_an_edit_had_to_change_besides_is_journalled_and_rolled_back(tmp_path):
    made = {"key": "guest", "option": "iothreads", "before": None, "after": 1}
    memory = Memory(also=[made])
    memory.hypervisor = "libvirt"
    entry = {
        "hypervisor": "libvirt",
        "guest": "web",
        "node": None,
        "config": "/etc/libvirt/qemu/web.xml",
        "digest": Memory().guests["100"].digest,
        "changes": [{"key": "vda", "option": "iothread", "before": None, "after": True}],
    }
    memory.guests["web"] = memory.guests["100"]
    (outcome,) = _apply.apply([entry], [memory], _apply.Options(journal=journal_of(tmp_path, "r1")))
    assert outcome.result["changes"] == entry["changes"]
    (journalled,) = read_journal(tmp_path, [])["r1"]
    assert journalled["changes"] == [*entry["changes"], made]
    values = records.values(driver="file", aio="threads", cache="none", cache_direct=True, iothread=True)
    disk = records.disk(key="vda", bus="virtio", configured=records.configured(iothread=True), effective=values)
    now = records.guest(
        id="web",
        hypervisor="libvirt",
        config="/etc/libvirt/qemu/web.xml",
        controller=records.controller(effective="none"),
        iothreads=1,
        disks=[disk],
    )
    (back,) = rollback([journalled], [now], [None])["plan"]
    assert [(change["key"], change["option"], change["after"]) for change in back["changes"]] == [
        ("guest", "iothreads", None),
        ("vda", "iothread", None),
    ]
    more = rollback([journalled], [{**now, "iothreads": 2}], [None])
    assert "guest iothreads is 2, the run wrote 1" in more["skipped"][0]["detail"]


@pytest.mark.parametrize(
    ("faults", "status", "reason", "written"),
    [
        ({"alone": Refused("busy", "another run")}, "failed", "busy", []),
        ({"refuse": Refused("locked", "backup")}, "skipped", "locked", []),
        ({"lost": ["memory is gone"]}, "failed", "not_proven", [True]),
    ],
)
def test_what_a_backend_says_is_obeyed(tmp_path, faults, status, reason, written):
    outcome, entries = through(Memory(**faults), tmp_path)
    assert (outcome.result["status"], outcome.result["reason"]) == (status, reason)
    assert [entry["written"] for entry in entries] == written


def test_any_backend_is_compared_with_the_plans_digest(tmp_path):
    memory = Memory()
    memory.guests["100"] = Kept({"scsi0 aio": "native", "memory": 512})
    outcome, entries = through(memory, tmp_path)
    assert outcome.result["reason"] == "digest_moved" and entries == []
    assert "scsi0 aio" in memory.guests["100"].settings


def test_check_mode_and_what_is_so_already_write_to_no_backend(tmp_path):
    memory = Memory()
    assert through(memory, tmp_path, check=True)[0].result["status"] == "changed"
    assert through(memory, tmp_path, "native")[0].result["status"] == "unchanged"
    assert memory.guests["100"].settings == {"scsi0 aio": "native"} and read_journal(tmp_path, []) == {}


# A restart of no hypervisor at all


class Switch:
    """A guest that starts again by itself, unless it is told not to."""

    left_over = "look at it"

    def __init__(self, starts=True):
        self.starts = starts
        self.number = 1
        self.waits = True

    def read(self, guest):
        found = records.guest(
            id=guest,
            hypervisor="pve",
            running=self.number is not None,
            controller=records.controller(effective="lsi", pending="pvscsi" if self.waits else None),
        )
        return found

    def managed(self, guest, allowed):
        return False

    def refuse(self, guest):
        return None

    def process(self, guest):
        return self.number

    def shut_down(self, guest, seconds):
        self.waits = False
        self.number = self.number + 1 if self.starts else None

    def start(self, guest, seconds):
        return _restart.Failure("refused", "no such switch")


def test_any_hypervisors_guest_is_restarted_and_proven():
    switch = Switch()
    result = _restart.restart("7", switch, _restart.Options(sleep=lambda seconds: None))
    assert (result["status"], result["in_force"]) == ("restarted", ["controller lsi → pvscsi"]) and switch.number == 2


def test_any_hypervisors_guest_that_stays_down_is_a_failure():
    now = iter(range(10_000))
    options = _restart.Options(sleep=lambda seconds: None, clock=lambda: next(now))
    result = _restart.restart("7", Switch(starts=False), options)
    assert (result["status"], result["reason"]) == ("failed", "not_started")
    assert result["detail"] == "IS DOWN: shut down, and did not start again: no such switch"


def test_a_config_that_leaves_the_controller_behind_is_refused_in_check_mode_too(tmp_path):
    text = "scsi0: local:1/a.qcow2\nscsihw: lsi\n\n[PENDING]\nscsihw: virtio-scsi-single\n"
    (tmp_path / "100.conf").write_text(text)
    plan = plan_of(tmp_path, [{**CHANGES[0], "after": None}])
    for check in (True, False):
        (outcome,) = apply_below(tmp_path, plan, check=check, journal=journal_of(tmp_path, "r1"))
        assert (outcome.result["status"], outcome.result["reason"]) == ("failed", "refused")
        assert "scsihw is both in [PENDING] and in the main section" in outcome.result["detail"]
    assert (tmp_path / "100.conf").read_text() == text and read_journal(tmp_path, []) == {}
