# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import json
import shlex
import subprocess
import sys

import pytest
from ansible.parsing.splitter import parse_kv

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.commands import (
    Call,
    command,
    guest_list,
    variable,
)

PLAIN = Call(inventory=["hosts.yml"], options=["-b"])
SELECTOR = "guest.node=='pve1'&&contains(['105','106'],guest.id)||guest.id=='9'"


@pytest.mark.parametrize(
    ("call", "asked", "expected"),
    [
        (Call(), ("audit",), "ansible-playbook hypervisor.io_hardening.audit_io"),
        (
            PLAIN,
            ("rollback", "20261123T223005Z"),
            "ansible-playbook -i hosts.yml -b hypervisor.io_hardening.rollback_io -e rollback_run=20261123T223005Z",
        ),
        (
            PLAIN._replace(playbook="playbooks/{}.yml", limit="pve1"),
            ("restart", "guest.id=='105'"),
            """ansible-playbook -i hosts.yml -l pve1 -b playbooks/restart_pending.yml -e "restart_match=guest.id=='105'\"""",
        ),
        (
            Call(way="make"),
            ("rollback", "nightly"),
            "make rollback RUN=nightly",
        ),
        (
            Call(way="make", inventory=["hosts.yml", "more.yml"], options=["-b"]),
            ("restart", "guest.id=='105'"),
            """make restart INVENTORY=hosts.yml MATCH="guest.id=='105'" ARGS='-i more.yml -b\'""",
        ),
        (
            Call(),
            ("limits",),
            "ansible-playbook --tags limits -e host_writeback_state=absent hypervisor.io_hardening.harden_io",
        ),
        (Call(), ("harden", "102"), "ansible-playbook hypervisor.io_hardening.harden_io -e guest_io_guests=102"),
        (Call(way="make"), ("harden", "102"), "make harden ARGS='-e guest_io_guests=102'"),
        (Call(way="make"), ("limits",), "make harden ARGS='--tags limits -e host_writeback_state=absent'"),
        (
            PLAIN._replace(hardening=["--tags", "guests", "-e", "guest_io_guests=102"]),
            ("harden",),
            "ansible-playbook -i hosts.yml -b --tags guests -e guest_io_guests=102 hypervisor.io_hardening.harden_io",
        ),
        (
            PLAIN._replace(hardening=["-e", "guest_io_guests=102"]),
            ("rollback", "nightly"),
            "ansible-playbook -i hosts.yml -b hypervisor.io_hardening.rollback_io -e rollback_run=nightly",
        ),
        (Call(way="job", jobs="Guest I/O "), ("rollback", "nightly"), "Guest I/O roll back"),
        (Call(way="job"), ("rollback", "nightly"), "rollback_io"),
    ],
)
def test_the_next_command_is_called_as_this_one_was(call, asked, expected):
    assert command(call, *asked) == expected


def test_hosts_that_are_named_replace_the_limit_of_the_call():
    assert "-l pve2 " in command(Call(limit="pve1"), "restart", "guest.id=='1'", limit="pve2")
    assert "pve1" not in command(Call(limit="pve1"), "restart", "guest.id=='1'", limit="pve2")


@pytest.mark.parametrize(
    "value", [SELECTOR, "two words", "it's", "'a'", "{{ x }}", "a\\b", '"', "x $(id) `id` $HOME", "é", ""]
)
def test_ansible_reads_the_very_value_whatever_is_in_it(value):
    words = shlex.split(command(Call(), "restart", value))
    given = words[words.index("-e") + 1]
    read = json.loads(given) if given.startswith("{") else parse_kv(given)
    assert read == {"restart_match": value}


@pytest.mark.parametrize("value", [SELECTOR, "two words", "it's", "a\\b", '"', "x $(id) `id` $HOME #", "50%", "é"])
def test_a_shell_and_make_hand_on_the_very_words(value, tmp_path):
    show = f"{sys.executable} -c 'import json, os, sys; print(json.dumps([os.environ[\"MATCH\"], sys.argv[1:]]))'"
    (tmp_path / "Makefile").write_text(f"export MATCH\nrestart:\n\t@{show} $(INVENTORY) $(ARGS)\n")
    called = Call(way="make", inventory=["hosts.yml"], options=["--ssh-common-args", value])
    text = command(called, "restart", value)
    got = subprocess.run(["sh", "-c", text], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert json.loads(got) == [value, ["hosts.yml", "--ssh-common-args", value]]


def test_a_variable_is_json_where_ansible_would_read_something_else():
    assert variable("guest_io_root", "/srv/my root") == '{"guest_io_root": "/srv/my root"}'


@pytest.mark.parametrize(
    ("guests", "value"),
    [
        (["102", "web"], "102,web"),
        (["a,b"], '[!unsafe "a,b"]'),
        (["-x"], '[!unsafe "-x"]'),
        (["102", '{{ 7 }}"\\ '], '[!unsafe "102", !unsafe "{{ 7 }}\\"\\\\ "]'),
    ],
)
def test_guests_are_named_without_a_template(guests, value):
    assert guest_list(guests) == value
