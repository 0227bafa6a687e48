# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""How a run was called, from what Ansible keeps of its command line, the Makefile and AWX."""

from __future__ import annotations

import json
import shlex

import pytest
import yaml
from ansible import constants as C
from ansible.cli.playbook import PlaybookCLI
from ansible.module_utils.common.collections import ImmutableDict

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils import _called
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.commands import command

FQCN = "hypervisor.io_hardening."


@pytest.fixture
def call(monkeypatch, tmp_path):
    """The call of ``ansible-playbook WORD...``, as Ansible itself parses it, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(_called.MADE, raising=False)

    def parsed(*words, variables=()):
        cli = PlaybookCLI(["ansible-playbook", *words])
        cli.init_parser()
        given = cli.post_process_args(cli.parser.parse_args([*words]))
        monkeypatch.setattr(_called.context, "CLIARGS", ImmutableDict(vars(given)))
        return _called.called(dict(variables))

    return parsed


def test_a_plain_call_needs_nothing_again(call):
    assert command(call(f"{FQCN}harden_io"), "audit") == f"ansible-playbook {FQCN}audit_io"


@pytest.mark.parametrize(
    "words",
    [
        ["-i", "hosts.yml", "-l", "pve1", "-b", "-K"],
        ["-i", "hosts.yml", "-i", "pve1,", "-u", "admin", "-k"],
        ["-c", "local", "--private-key", "keys/id", "--ssh-common-args", "-o ProxyJump=gate"],
        ["--become-method", "su", "--become-user", "admin"],
        ["--vault-id", "x@prompt", "--vault-password-file", "keys/vault"],
        ["--ask-vault-pass"],
    ],
)
def test_how_the_hosts_are_reached_is_given_again(call, words):
    made = command(call(*words, f"{FQCN}harden_io"), "audit").split()
    assert sorted(made) == sorted(
        [
            "ansible-playbook",
            *" ".join(words).replace("-o P", "'-o P").replace("gate", "gate'").split(),
            f"{FQCN}audit_io",
        ]
    )


def test_what_is_about_this_run_alone_is_not_given_again(call):
    words = [
        "--check",
        "--diff",
        "--tags",
        "guests",
        "-v",
        "-f",
        "20",
        "-e",
        "guest_io_guests=102",
        "-e",
        "report_dir=out",
    ]
    assert command(call(*words, f"{FQCN}harden_io"), "audit") == f"ansible-playbook {FQCN}audit_io"


@pytest.mark.parametrize(
    ("words", "again"),
    [
        (["-e", "guest_io_guests=102"], ["-e", "guest_io_guests=102"]),
        (["-e", "guest_io_guests=102 guest_io_run=mine gate_fail_on=none"], ["-e", "guest_io_guests=102"]),
        (
            ["-e", '{"guest_io_migrate_controllers": "guest.id == \'102\'"}'],
            ["-e", '{"guest_io_migrate_controllers": "guest.id == \'102\'"}'],
        ),
        (
            ["-e", '{"guest_io_policy": {"disk": {"cache": "keep"}}}'],
            ["-e", '{"guest_io_policy": {"disk": {"cache": "keep"}}}'],
        ),
        (["--tags", "limits", "--skip-tags", "guests"], ["--tags", "limits", "--skip-tags", "guests"]),
    ],
)
def test_a_hardening_changes_what_was_looked_at_and_nothing_else(call, words, again):
    made = command(call("--check", *words, f"{FQCN}harden_io"), "harden")
    assert shlex.split(made) == ["ansible-playbook", *again, f"{FQCN}harden_io"]


def test_variables_that_say_where_the_guests_are_and_files_are_given_again(call):
    given = {"guest_io_root": "/srv/a root", "guest_io_guests": ["102"], "guest_io_journal": "/srv/journal"}
    made = call(
        "-e", json.dumps(given), "-e", "io_hardening_hosts=nodes report_dir=out", "-e", "@vars.yml", f"{FQCN}harden_io"
    )
    assert list(made.options) == [
        "-e",
        '{"guest_io_root": "/srv/a root"}',
        "-e",
        "guest_io_journal=/srv/journal",
        "-e",
        "io_hardening_hosts=nodes",
        "-e",
        "@vars.yml",
    ]


def test_a_value_that_may_be_secret_is_not_shown_and_its_name_is(call):
    made = call("-e", "ansible_become_password=hush env=prod ansible_user=root", f"{FQCN}harden_io")
    assert "hush" not in command(made, "audit") and list(made.options) == ["-e", "ansible_user=root"]
    assert list(made.left_out) == ["ansible_become_password", "env"]


def test_playbooks_are_called_by_path_where_they_lie_next_to_the_one_that_was(call, tmp_path):
    (tmp_path / "playbooks").mkdir()
    for name in ("harden_io.yml", "rollback_io.yml", "my.yml"):
        (tmp_path / "playbooks" / name).write_text("[]")
    (tmp_path / "site.yml").write_text("[]")
    assert call("playbooks/harden_io.yml").playbook == "playbooks/{}.yml"
    assert call("site.yml").playbook == FQCN + "{}"


def test_inventories_of_the_configuration_are_not_named_again(call, monkeypatch):
    monkeypatch.setattr(C, "DEFAULT_HOST_LIST", ["/etc/ansible/hosts"])
    assert call(f"{FQCN}harden_io").inventory == []


def test_make_is_told_by_its_environment(call, monkeypatch):
    monkeypatch.setenv(_called.MADE, "yes")
    made = call("-i", "hosts.yml", "playbooks/harden_io.yml")
    assert command(made, "rollback", "nightly") == "make rollback INVENTORY=hosts.yml RUN=nightly"


@pytest.mark.parametrize(
    ("variables", "job"),
    [
        ({"awx_job_id": 7, "awx_job_template_name": "Guest I/O harden"}, "Guest I/O roll back"),
        ({"tower_job_id": 7, "awx_job_template_name": "Guest I/O harden, check"}, "Guest I/O roll back"),
        ({"awx_job_id": 7, "awx_job_template_name": "nightly"}, "rollback_io"),
        ({"awx_job_id": 7}, "rollback_io"),
    ],
)
def test_in_awx_the_job_template_beside_this_one_is_named(call, variables, job):
    assert command(call("playbooks/harden_io.yml", variables=variables.items()), "rollback", "nightly") == job


@pytest.mark.parametrize(
    "given",
    [
        '{"guest_io_guests": [!unsafe "x{{ 7 }}, y", "b"]}',
        '{"guest_io_guests": [!vault "$ANSIBLE_VAULT;1.1;AES256"], "guest_io_run": "mine"}',
        '{"guest_io_policy": {"date": 2026-01-01}}',
        '{<<: {"guest_io_guests": ["102"]}, "guest_io_guests": [!unsafe "7"]}',
    ],
)
def test_a_hardening_keeps_values_with_tags_as_they_were_given(call, given):
    words = shlex.split(command(call("-e", given, f"{FQCN}harden_io"), "harden"))
    again = yaml.compose(words[words.index("-e") + 1]).value
    wanted = {key.value: yaml.serialize(value) for key, value in yaml.compose(given).value}
    assert {key.value: yaml.serialize(value) for key, value in again} == {
        name: wanted[name] for name in wanted if name.startswith("guest_io_") and name != "guest_io_run"
    }


def test_a_file_that_names_guests_is_for_a_hardening_alone(call, tmp_path):
    (tmp_path / "one.yml").write_text("guest_io_guests:\n  - !unsafe x\nguest_io_root: /srv/it\nenv: prod\n")
    made = call("-e", "@one.yml", f"{FQCN}harden_io")
    place = ["-e", "guest_io_root=/srv/it"]
    assert shlex.split(command(made, "rollback", "mine")) == [
        "ansible-playbook",
        *place,
        f"{FQCN}rollback_io",
        "-e",
        "rollback_run=mine",
    ]
    assert shlex.split(command(made, "harden")) == ["ansible-playbook", *place, "-e", "@one.yml", f"{FQCN}harden_io"]
    assert list(made.left_out) == ["env"]
    (tmp_path / "one.yml").write_text("$ANSIBLE_VAULT;1.1;AES256\n6162\n")
    assert list(call("-e", "@one.yml", f"{FQCN}harden_io").options) == ["-e", "@one.yml"]
