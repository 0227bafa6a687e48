# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What every playbook does first, through ansible-playbook: it refuses what nobody would look at, and to end well with
nothing done.
"""

from __future__ import annotations

import re

import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.specs import PREFIXES, SURVEY, known
from ansible_collections.hypervisor.io_hardening.tests.playbooks import COLLECTIONS, ROOT, run_playbook

#: Playbook to a misspelt variable with which it would do more than was asked for, and what is said of it.
PLAYBOOKS = {
    "harden_io": (
        "guest_io_guest",
        "guest_io_guest: no such variable. A misspelt guest_io_guests would mean all guests.",
    ),
    "rollback_io": (
        "rollback_guest",
        "rollback_guest: no such variable. A misspelt rollback_guests would mean all guests. There are rollback_guests, ",
    ),
    "restart_pending": ("restart_time_out", "restart_time_out: no such variable. There are restart_force_stop, "),
    "gate_io": ("report_directory", "report_directory: no such variable. There are report_annotations, "),
    "audit_io": ("host_writeback_ration", "Did you mean host_writeback_ratio?"),
    "join_reports": (
        "gate_fail_om",
        (
            "gate_fail_om: no such variable. There are gate_fail_on, gate_part, gate_root, gate_source, gate_storage_cfg,"
            " gate_write_waivers. Did you mean gate_fail_on?"
        ),
    ),
    "prove_io": ("prove_io_guests", "Did you mean prove_io_guest?"),
    "calibrate_io": ("calibrate_io_load", "Did you mean calibrate_io_loads?"),
}


@pytest.fixture
def inventory(tmp_path):
    """Hosts that nobody can reach: what touches one of them is told as unreachable."""
    hosts = {"pve1": {}, "pve2": {}}
    unreachable = {
        "ansible_connection": "ssh",
        "ansible_host": "192.0.2.1",
        "ansible_ssh_args": "-F /dev/null -o ConnectTimeout=1",
    }
    content = {"all": {"children": {"hypervisors": {"hosts": hosts, "vars": unreachable}}}}

    def write():
        (tmp_path / "hosts.yml").write_text(yaml.safe_dump(content))
        return str(tmp_path / "hosts.yml")

    write.hosts = hosts
    write.all = content["all"]
    return write


def play(name, *arguments, **variables):
    """One of the collection's playbooks."""
    return run_playbook(name, *arguments, variables=variables)


def plays(output):
    return re.findall(r"^PLAY \[(.*?)\]", output, re.MULTILINE)


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_a_misspelt_variable_and_a_tag_that_is_none_end_every_playbook_first(inventory, name):
    variable, words = PLAYBOOKS[name]
    status, output = play(name, "-i", inventory(), "--tags", "gests", **{variable: "102"})
    assert status == 2 and words in output, output
    assert "--tags gests: no such tag. " in output
    assert plays(output) == ["Check what the run is asked for"]
    assert "A misspelt" not in output or variable in ("guest_io_guest", "rollback_guest")


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_no_playbook_ends_well_without_a_host_to_work_on(tmp_path, name):
    (tmp_path / "hosts").write_text("web1 ansible_connection=local\n")
    status, output = play(name, "-i", str(tmp_path / "hosts"), "--limit", "web1")
    does = name.split("_")[0].replace("rollback", "roll back").replace("prove", "measure on")
    assert status == 2 and f'"Nothing to {does}: ' in output, output
    assert plays(output) == ["Check what the run is asked for"]


def test_a_directory_is_not_passed_where_the_limit_leaves_out_who_reads_it(inventory):
    status, output = play("gate_io", "-i", inventory(), "--limit", "pve1", gate_root=".")
    assert status == 2 and "Nothing to gate: gate_root is read on localhost" in output


def test_checks_cannot_be_skipped(inventory):
    status, output = play("rollback_io", "-i", inventory(), "--skip-tags", "always", rollback_guest=102)
    assert status != 0 and "--skip-tags always would skip the checks" in output and plays(output) == []


def test_a_variable_of_any_host_is_looked_at_and_those_of_other_roles_are_not(inventory):
    inventory.hosts["pve2"]["rollback_gests"] = [102]
    inventory.hosts["pve1"].update(restart_policy="always", report_owner="ops", awx_host="awx1")
    inventory.all["hosts"] = {"web1": {"rollback_guest": "of somebody else's host"}}
    status, output = play("rollback_io", "-i", inventory())
    assert status == 2 and "rollback_gests, set for pve2: no such variable." in output, output
    assert not re.search("restart_policy|report_owner|awx_host|rollback_guest:", output)


@pytest.mark.parametrize(
    ("name", "variables", "words"),
    [
        (
            "rollback_io",
            {"guest_io_guests": [102]},
            "guest_io_guests: this playbook does not look at it; name guests with rollback_guests.",
        ),
        (
            "harden_io",
            {"rollback_guests": [102]},
            "rollback_guests: this playbook does not look at it; name guests with guest_io_guests.",
        ),
        (
            "restart_pending",
            {"guest_io_guests": [102]},
            "guest_io_guests: this playbook does not look at it; name guests with restart_match.",
        ),
    ],
)
def test_guests_that_are_named_to_another_playbook_are_refused(inventory, name, variables, words):
    status, output = play(name, "-i", inventory(), **variables)
    assert status == 2 and words in output and len(plays(output)) == 1, output


def test_what_awx_gives_every_job_is_not_refused(inventory):
    of_awx = (
        "job_id",
        "job_launch_type",
        "user_name",
        "user_first_name",
        "inventory_id",
        "inventory_name",
        "project_revision",
        "project_scm_branch",
        "schedule_id",
        "parent_job_schedule_id",
        "workflow_job_id",
        "workflow_job_name",
        "webhook_event_type",
        "job_template_name",
    )
    injected = {f"{prefix}_{name}": "x" for prefix in ("awx", "tower") for name in of_awx}
    status, output = play("restart_pending", "-i", inventory(), **injected)
    assert "no such variable" not in output and "restart_match is not set" not in output and len(plays(output)) > 1, (
        output
    )


def test_setup_awx_refuses_what_it_would_not_look_at(tmp_path):
    """With modules in place of those of awx.awx, which would set up what they are told."""
    modules = tmp_path / "ansible_collections/awx/awx/plugins/modules"
    modules.mkdir(parents=True)
    for module in ("inventory", "inventory_source", "job_template", "project", "workflow_job_template"):
        (modules / f"{module}.py").write_text("raise SystemExit('called')\n")

    def set_up(*arguments, **variables):
        return run_playbook("setup_awx", *arguments, variables=variables, collections=f"{COLLECTIONS}:{tmp_path}")

    needed = {"awx_project_url": "u", "awx_inventory_path": "p", "awx_credentials": ["c"]}
    status, output = set_up(awx_slice=4, awx_webhook=1, **needed)
    assert (
        status == 2
        and "awx_slice: no such variable. There are awx_approval_timeout, " in output
        and "Did you mean awx_slices?" in output
    ), output
    assert "TASK [Find in AWX what is named]" not in output
    assert "TASK [Find in AWX what is named]" in set_up(**needed)[1]
    status, output = set_up("--tags", "x", **needed)
    assert status == 2 and "--tags x: no such tag. This playbook has no tags: leave the option out." in output


def test_every_known_variable_is_looked_at_and_documented():
    texts = "".join(
        path.read_text()
        for folder in ("playbooks", "roles")
        for path in (ROOT / folder).rglob("*.yml")
        if path.parent.name != "meta" and ".meta." not in path.name
    )
    docs = "".join(path.read_text() for path in [*(ROOT / "docs").glob("*.md"), *(ROOT / "roles").glob("*/README.md")])
    names = [name for names in known().values() for name in names]
    names = [name for name in names if not name.startswith(SURVEY)]
    assert [name for name in names if not re.search(rf"\b{name}\b", texts)] == []
    assert [name for name in names if not re.search(rf"\b{name}\b", docs)] == []


def test_no_playbook_leaves_a_variable_of_its_own_that_begins_as_those_of_users():
    names = {name for names in known().values() for name in names} | {
        "guest_io_findings",
        "guest_io_results",
        "host_writeback_report",
        "io_host_report",
        "io_load_report",
    }
    playbooks = [
        path for path in (ROOT / "playbooks").rglob("*.yml") if "awx" not in path.name and ".meta." not in path.name
    ]
    for path in [*playbooks, *(ROOT / "roles").glob("*/tasks/*.yml"), *(ROOT / "roles").glob("*/vars/*.yml")]:
        text = re.sub(
            r"name: .*|hypervisor\.io_hardening\.\w+|tasks/\w+|ansible\.builtin\.\w+|#.*", "", path.read_text()
        )
        set_here = re.findall(
            r"(?:^|\s|register: |loop_var: )((?:%s)\w+)(?=:|$)" % "|".join(PREFIXES), text, re.MULTILINE
        )
        assert set(set_here) <= names, path


@pytest.mark.parametrize(
    ("name", "variables", "words"),
    [
        (
            "gate_io",
            {"gate_fail_on": "errors"},
            "gate_fail_on is 'errors'; it takes none, one of error, warning, note, ids of rules",
        ),
        ("harden_io", {"guest_io_policy": "strict"}, "guest_io_policy is 'strict'; it takes a dictionary"),
        ("rollback_io", {"guest_io_max_parallel": "two"}, "guest_io_max_parallel is 'two'; it takes a whole number"),
        ("restart_pending", {"restart_timeout": "{{ 2 - 2 }}"}, "restart_timeout is 0; it takes a whole number, 1 or"),
        ("audit_io", {"host_writeback_mode": "fast"}, "host_writeback_mode is 'fast'; it takes one of auto, ratio, "),
        ("join_reports", {"report_json": ["x"]}, "report_json is ['x']; it takes a path"),
        ("prove_io", {"prove_io_runs": "1.5"}, "prove_io_runs is '1.5'; it takes a whole number"),
        ("calibrate_io", {"calibrate_io_loads": ["reader"]}, "it takes a list of backup, writer, restore"),
        ("harden_io", {"survey_host_writeback_mode": "fast"}, "survey_host_writeback_mode is 'fast'; it takes one of"),
    ],
)
def test_a_value_that_cannot_be_ends_every_playbook_before_a_host_is_read(inventory, name, variables, words):
    status, output = play(name, "-i", inventory(), **variables)
    assert status == 2 and words in output and len(plays(output)) == 1, output


def test_a_value_of_a_host_is_told_with_the_host_and_one_that_is_not_known_yet_is_left(inventory):
    inventory.hosts["pve2"]["guest_io_batch"] = "{{ [0] | first }}"
    inventory.hosts["pve1"].update(guest_io_batch="{{ later }}", guest_io_root="{{ later }}")
    status, output = play("harden_io", "-i", inventory())
    assert status == 2 and "guest_io_batch, set for pve2, is 0; it takes a whole number, 1 or more" in output, output
    assert "set for pve1" not in output and len(plays(output)) == 1
