# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A host's settings are carried out, kept in the journal and given back, whatever their subject."""

from __future__ import annotations

import os

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._journal.file import (
    Journal,
    read,
    read_settings,
)
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._model.findings import change
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._settings.apply import apply
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._settings.seam import Refused, SettingsError
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._settings.undo import undo


class Disks:
    """A subject with two disks in memory; ``meanwhile`` runs before a write, ``fails`` is raised after half of it."""

    subject = "queues"

    def __init__(self):
        self.values = {
            ("disk a", "nr_requests"): "128",
            ("disk a", "max_bytes"): None,
            ("disk b", "nr_requests"): "64",
        }
        self.writes = []
        self.fails = None
        self.also = None

    def check(self, asked):
        if asked["after"] == "2":
            raise SettingsError("2 is below the least")
        if asked["option"] not in ("nr_requests", "max_bytes"):
            raise SettingsError(f"{asked['option']} is no setting of a disk")

    def check_back(self, asked):
        if asked["after"] == "forged":
            raise SettingsError("forged is no value")
        if asked["option"] not in ("nr_requests", "max_bytes"):
            self.check(asked)

    def now(self, keys):
        return {place: value for place, value in self.values.items() if place[0] in keys}

    def write(self, key, changes):
        self.writes.append((key, changes))
        for made in changes:
            self.values[key, made["option"]] = made["after"]
            if self.fails:
                raise self.fails
        if self.also:
            self.values.update(self.also)


@pytest.fixture
def disks():
    return Disks()


@pytest.fixture
def place(tmp_path):
    return str(tmp_path / "journal")


def entry(key="disk a", subject="queues", **options):
    changes = [change(key, option, before, after) for option, (before, after) in options.items()]
    return {"subject": subject, "key": key, "changes": changes}


def run(disks, place, *plan, name="run1", check=False):
    return apply(plan, {"queues": disks}, Journal(place, name), check)


def test_all_options_of_an_object_are_written_at_once_and_noted(disks, place):
    plan = entry(nr_requests=("128", "16"), max_bytes=(None, "33554432"))
    (result,) = run(disks, place, plan)
    assert result == {
        "subject": "queues",
        "key": "disk a",
        "status": "changed",
        "changes": plan["changes"],
        "reason": None,
        "detail": None,
    }
    assert disks.writes == [("disk a", plan["changes"])]
    (noted,) = read_settings(place)["run1"]
    assert (noted["key"], noted["written"], noted["changes"]) == ("disk a", True, plan["changes"])


def test_a_second_run_writes_nothing_and_leaves_no_journal(disks, place):
    disks.values["disk a", "nr_requests"] = "16"
    (result,) = run(disks, place, entry(nr_requests=("128", "16")))
    assert (result["status"], disks.writes, os.path.exists(place)) == ("unchanged", [], False)


def test_check_mode_writes_nothing_and_says_the_same(disks, place):
    plan = entry(nr_requests=("128", "16"))
    (dry,) = run(disks, place, plan, check=True)
    assert (disks.writes, os.path.exists(place)) == ([], False)
    assert run(disks, place, plan) == [dry]


@pytest.mark.parametrize(
    ("plan", "reason", "says"),
    [
        (entry(nr_requests=("64", "16")), "changed_since", "nr_requests is 128 and was 64 when it was read"),
        (entry(key="disk c", nr_requests=("64", "16")), "gone", "disk c is gone"),
        (entry(scheduler=("none", "bfq")), "refused", "scheduler is no setting of a disk"),
        (entry(subject="load", nr_requests=("128", "16")), "refused", "no subject load; there are queues"),
    ],
)
def test_what_no_longer_fits_is_refused_and_the_others_go_on(disks, place, plan, reason, says):
    first, second = run(disks, place, plan, entry(key="disk b", nr_requests=("64", "16")))
    assert (first["status"], first["reason"]) == ("failed", reason)
    assert says in first["detail"]
    assert second["status"] == "changed"


def test_a_change_under_another_name_than_its_entrys_is_refused(disks, place):
    plan = {**entry(nr_requests=("128", "16")), "key": "disk b"}
    assert run(disks, place, plan)[0]["reason"] == "refused"
    assert disks.writes == []


def test_a_write_that_fails_half_way_is_noted_as_written(disks, place):
    disks.fails = Refused("the kernel said no")
    (result,) = run(disks, place, entry(nr_requests=("128", "16"), max_bytes=(None, "1")))
    assert (result["status"], result["detail"]) == ("failed", "the kernel said no")
    assert [one["written"] for one in read_settings(place)["run1"]] == [True]


def test_a_write_that_changes_something_else_is_not_proven(disks, place):
    disks.also = {("disk a", "max_bytes"): "4096"}
    (result,) = run(disks, place, entry(nr_requests=("128", "16")))
    assert (result["reason"], result["detail"]) == ("not_proven", "after the write max_bytes is 4096, wanted not set")


def test_without_a_journal_nothing_is_written(disks, place):
    with open(place, "w", encoding="utf-8"):
        pass
    (result,) = run(disks, place, entry(nr_requests=("128", "16")))
    assert (result["reason"], disks.writes) == ("journal", [])


def test_a_run_is_given_back_and_nothing_else(disks, place):
    run(disks, place, entry(nr_requests=("128", "16"), max_bytes=(None, "4096")), name="run1")
    run(disks, place, entry(key="disk b", nr_requests=("64", "8")), name="run2")
    plan, left = undo(read_settings(place)["run1"], {"queues": disks})
    assert (plan, left) == ([entry(nr_requests=("16", "128"), max_bytes=("4096", None))], [])
    run(disks, place, *plan, name="back")
    assert disks.values["disk a", "nr_requests"] == "128"
    assert disks.values["disk b", "nr_requests"] == "8"


def test_all_runs_together_give_back_what_was_before_the_first(disks, place):
    run(disks, place, entry(nr_requests=("128", "16")), name="run1")
    run(disks, place, entry(nr_requests=("16", "8")), name="run2")
    plan, _left = undo([one for entries in read_settings(place).values() for one in entries], {"queues": disks})
    assert plan == [entry(nr_requests=("8", "128"))]


def test_what_somebody_changed_since_stays_and_is_said(disks, place):
    run(disks, place, entry(nr_requests=("128", "16"), max_bytes=(None, "4096")))
    disks.values["disk a", "nr_requests"] = "32"
    plan, left = undo(read_settings(place)["run1"], {"queues": disks})
    assert plan == [entry(max_bytes=("4096", None))]
    assert left == [
        {"subject": "queues", "key": "disk a", "reason": "changed_since", "detail": "nr_requests is 32, 16 was written"}
    ]


def test_an_object_that_is_gone_is_left(disks, place):
    run(disks, place, entry(key="disk b", nr_requests=("64", "16")))
    del disks.values["disk b", "nr_requests"]
    assert undo(read_settings(place)["run1"], {"queues": disks})[1][0]["reason"] == "gone"


def test_a_forged_line_is_not_carried_out(disks, place):
    run(disks, place, entry(nr_requests=("128", "16")))
    (line,) = read_settings(place)["run1"]
    line["changes"][0]["option"] = "scheduler"
    plan, left = undo([line], {"queues": disks})
    assert (plan, left[0]["reason"]) == ([], "refused")
    assert left[0]["detail"].startswith("scheduler is not put back: scheduler is no setting of a disk; ")


def test_an_odd_value_of_before_is_given_back(disks, place):
    disks.values["disk a", "nr_requests"] = "2"
    run(disks, place, entry(nr_requests=("2", "16")))
    plan, left = undo(read_settings(place)["run1"], {"queues": disks})
    assert left == []
    assert apply(plan, {"queues": disks}, Journal(place, "back"), back=True)[0]["status"] == "changed"
    assert disks.values["disk a", "nr_requests"] == "2"


def test_a_value_that_cannot_have_been_there_stays_alone(disks, place):
    run(disks, place, entry(nr_requests=("128", "16"), max_bytes=(None, "4096")))
    (line,) = read_settings(place)["run1"]
    line["changes"][0]["before"] = "forged"
    plan, left = undo([line], {"queues": disks})
    assert plan == [entry(max_bytes=("4096", None))]
    assert left[0]["reason"] == "refused" and "nr_requests is not put back: forged is no value" in left[0]["detail"]


def test_what_somebody_set_between_two_runs_is_what_all_runs_give_back(disks, place):
    run(disks, place, entry(nr_requests=("128", "16")), name="run1")
    disks.values["disk a", "nr_requests"] = "40"
    run(disks, place, entry(nr_requests=("40", "16")), name="run2")
    plan, _left = undo([one for entries in read_settings(place).values() for one in entries], {"queues": disks})
    assert plan == [entry(nr_requests=("16", "40"))]


def test_what_was_rolled_back_begins_anew(disks, place):
    run(disks, place, entry(nr_requests=("128", "16")), name="run1")
    run(disks, place, entry(nr_requests=("16", "128")), name="run2-rollback")
    disks.values["disk a", "nr_requests"] = "40"
    run(disks, place, entry(nr_requests=("40", "16")), name="run3")
    plan, _left = undo([one for entries in read_settings(place).values() for one in entries], {"queues": disks})
    assert plan == [entry(nr_requests=("16", "40"))]


def test_lines_about_guests_and_settings_share_a_file(disks, place):
    run(disks, place, entry(nr_requests=("128", "16")))
    problems = []
    assert (read(place, problems), problems) == ({}, [])


class Failing:
    """A subject of which nothing can be read, or nothing from the second look on."""

    subject = "queues"

    def __init__(self, disks, looks):
        self.disks, self.looks = disks, looks

    def check(self, asked):
        self.disks.check(asked)

    def check_back(self, asked):
        self.disks.check_back(asked)

    def now(self, keys):
        self.looks -= 1
        if self.looks < 0:
            raise PermissionError(13, "Permission denied", "/sys/block/a")
        return self.disks.now(keys)

    def write(self, key, changes):
        self.disks.write(key, changes)


def test_an_object_that_cannot_be_read_is_its_own_trouble(disks, place):
    (result,) = run(Failing(disks, 0), place, entry(nr_requests=("128", "16")))
    assert (result["reason"], result["detail"]) == ("error", "/sys/block/a: Permission denied")
    assert disks.writes == []


def test_a_write_that_cannot_be_looked_at_again_is_noted_as_not_known(disks, place):
    (result,) = run(Failing(disks, 1), place, entry(nr_requests=("128", "16")))
    assert (result["status"], result["reason"]) == ("failed", "error")
    assert [one["written"] for one in read_settings(place)["run1"]] == [None]


def test_what_cannot_be_read_is_not_given_back_and_the_rest_is(disks, place):
    run(disks, place, entry(nr_requests=("128", "16")))
    plan, left = undo(read_settings(place)["run1"], {"queues": Failing(disks, 0)})
    assert (plan, left[0]["reason"]) == ([], "refused") and "Permission denied" in left[0]["detail"]
    plan, left = undo(read_settings(place)["run1"], {})
    assert (plan, left[0]["detail"]) == ([], "this version does not know the subject queues")


def test_what_was_never_written_is_not_given_back(disks, place):
    def refuse(_key, _changes):
        raise Refused("the kernel said no")

    disks.write = refuse
    run(disks, place, entry(nr_requests=("128", "16")))
    assert [one["written"] for one in read_settings(place)["run1"]] == [False]
    assert undo(read_settings(place)["run1"], {"queues": disks}) == ([], [])


def test_a_journal_that_fills_up_is_said_before_and_after_the_write(disks, place, monkeypatch):
    def full(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Journal, "set", full)
    (result,) = run(disks, place, entry(nr_requests=("128", "16")))
    assert result["status"] == "changed" and "could not note it: No space left on device" in result["detail"]
    monkeypatch.setattr(Journal, "setting", full)
    (result,) = run(disks, place, entry(nr_requests=("16", "8")))
    assert result["reason"] == "journal" and disks.values["disk a", "nr_requests"] == "16"
