# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""harden_io, the gate and the roll back through ansible-playbook: what was asked for, and nothing else."""

from __future__ import annotations

import re
import sys

import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._asked.specs import known
from ansible_collections.hypervisor.io_hardening.tests.playbooks import ROOT, run_playbook

STORAGES = "dir: local\n\tpath /x\n\tcontent images\n"
TO_CHANGE = "scsihw: virtio-scsi-pci\nscsi0: local:{0}/vm-{0}-disk-0.raw\n"
LIMITS = "etc/sysctl.d/99-hypervisor-io-hardening.conf"
SURVEYS = yaml.safe_load((ROOT / "playbooks/vars/awx_surveys.yml").read_text())


class Fleet:
    """Hosts as directories, two guests each: 101 and 102 on pve1, 201 and 202 on pve2."""

    def __init__(self, folder):
        self.folder = folder
        self.group = "hypervisors"
        self.variables = {}
        for number, host in enumerate(("pve1", "pve2"), 1):
            configs = folder / host / f"etc/pve/nodes/{host}/qemu-server"
            configs.mkdir(parents=True)
            (folder / host / "etc/sysctl.d").mkdir()
            (folder / host / "proc").mkdir()
            (folder / host / "proc/meminfo").write_text("MemTotal:       67108864 kB\n")
            (folder / host / "etc/pve/storage.cfg").write_text(STORAGES)
            for guest in (f"{number}01", f"{number}02"):
                (configs / f"{guest}.conf").write_text(TO_CHANGE.format(guest))

    def play(self, name, *arguments, **extra):
        root = f"{self.folder}/{{{{ inventory_hostname }}}}"
        own = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "guest_io_root": root,
            "host_writeback_root": root,
        }
        hosts = {"pve1": {}, "pve2": {}}
        group = {"hosts": hosts, "vars": {**own, **self.variables}}
        groups = {"all": group if self.group == "all" else {"children": {self.group: group}}}
        (self.folder / "hosts.yml").write_text(yaml.safe_dump(groups))
        return run_playbook(name, "-i", self.folder / "hosts.yml", *arguments, variables=extra)

    def hardened(self):
        """Ids of the guests that are, and the hosts whose limits are set."""
        guests = {
            path.stem
            for path in self.folder.glob("*/etc/pve/nodes/*/qemu-server/*.conf")
            if "iothread=1" in path.read_text()
        }
        return guests, {host for host in ("pve1", "pve2") if (self.folder / host / LIMITS).exists()}

    def limits(self, host):
        return (self.folder / host / LIMITS).read_text()


@pytest.fixture
def fleet(tmp_path):
    return Fleet(tmp_path)


ALL, HOSTS = {"101", "102", "201", "202"}, {"pve1", "pve2"}


def test_a_run_that_names_a_guest_changes_that_guest_alone_and_judges_no_limits(fleet):
    status, output = fleet.play("harden_io", "--check", guest_io_guests="102")
    assert status == 0 and "HOSTS: write-back limits" not in output and fleet.hardened() == (set(), set()), output
    status, output = fleet.play("harden_io", guest_io_guests="102")
    assert status == 0 and fleet.hardened() == ({"102"}, set()), output
    assert "is not there" not in output and "IO2" not in output and "IO100" not in output
    # As it is in an inventory, and with its limits only where they are asked for.
    fleet.variables["guest_io_guests"] = ["201"]
    assert fleet.play("harden_io")[0] == 0 and fleet.hardened() == ({"102", "201"}, set())
    assert fleet.play("harden_io", "--tags", "limits")[0] == 0 and fleet.hardened() == ({"102", "201"}, HOSTS)


def test_a_guest_that_no_host_has_ends_the_run_once_before_anything_is_written(fleet):
    status, output = fleet.play("harden_io", guest_io_guests=["102", "777", "x"])
    assert status == 2 and fleet.hardened() == (set(), set())
    said = "guest 777 is not there; asked: pve1, pve2; guest x is not there; asked: pve1, pve2"
    assert output.count(f'"msg": "{said}"') == 1, output
    status, output = fleet.play("harden_io", "--limit", "pve2", guest_io_guests="102")
    assert status == 2 and '"msg": "guest 102 is not there; asked: pve2"' in output


def test_where_a_host_does_not_answer_the_others_go_on_and_the_guest_is_told_at_the_end(fleet):
    (fleet.folder / "pve2").rename(fleet.folder / "gone")
    status, output = fleet.play("harden_io", guest_io_guests="102,202")
    assert status == 2 and fleet.hardened()[0] == {"102"}, output
    assert output.count('"msg": "guest 202 is not there; asked: pve1; no answer from pve2') == 1


@pytest.mark.parametrize("playbook", ["gate_io", "audit_io"])
def test_the_gate_and_the_audit_ask_all_hosts_for_a_guest(fleet, playbook):
    policy = {"guest_io_policy": {"disk": {}}, "gate_fail_on": "none"}
    status, output = fleet.play(playbook, guest_io_guests="102", **policy)
    assert status == 0 and "2 hosts, 1 guest, 1 disk" in output and "IO100" not in output and "IO202" not in output, (
        output
    )
    status, output = fleet.play(playbook, guest_io_guests="102,777", **policy)
    assert status == 2 and output.count('"msg": "guest 777 is not there; asked: pve1, pve2"') == 1
    status, output = fleet.play(playbook, guest_io_guests=0, **policy)
    assert (
        status == 2
        and "guest_io_guests is 0; it takes ids of guests, such as 102" in output
        and "1 guest" not in output
    ), output


@pytest.mark.parametrize(
    ("arguments", "extra", "guests", "hosts"),
    [
        (("--tags", "guests"), {}, ALL, set()),
        (("--tags", "limits"), {}, set(), HOSTS),
        (("--skip-tags", "guests"), {}, set(), HOSTS),
        ((), {"harden_io_parts": ["limits"]}, set(), HOSTS),
        ((), {"harden_io_parts": "guests"}, ALL, set()),
        ((), {"harden_io_parts": "guests,limits", "guest_io_guests": "102"}, {"102"}, HOSTS),
        (("--tags", "all"), {}, ALL, HOSTS),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_parts_by_tag_and_by_variable(fleet, arguments, extra, guests, hosts):
    status, output = fleet.play("harden_io", *arguments, **extra)
    assert status == 0 and fleet.hardened() == (guests, hosts), output
    assert "NO REPORT" not in output and ("HOSTS: write-back limits" in output) == bool(hosts)


@pytest.mark.parametrize(
    ("arguments", "extra", "said"),
    [
        (
            ("--tags", "guests"),
            {"harden_io_parts": "limits"},
            "nothing is left to do: harden_io_parts is limits, and --tags and",
        ),
        ((), {"harden_io_parts": "guest"}, "harden_io_parts is 'guest'; it takes"),
        (("--tags", "guest"), {}, "--tags guest: no such tag."),
        ((), {"guest_io_guests": False}, "guest_io_guests is false; it takes ids of guests, such as 102"),
        # Up to 2.18, a null comes through a template as nothing.
        (("--tags", "limits"), {"guest_io_guests": None}, "it takes ids of guests, such as 102"),
        ((), {"guest_io_run": "my run"}, "guest_io_run is 'my run'; it takes up to 64 letters, digits,"),
    ],
    ids=str,
)
def test_what_cannot_be_or_leaves_nothing_to_do_is_no_success(fleet, arguments, extra, said):
    status, output = fleet.play("harden_io", *arguments, **extra)
    assert status == 2 and fleet.hardened() == (set(), set()) and said in output, output


def test_a_roll_back_that_names_a_guest_of_no_host_puts_nothing_back(fleet):
    assert fleet.play("harden_io", "--tags", "guests")[0] == 0
    status, output = fleet.play("rollback_io", rollback_guests="102,777")
    assert status == 2 and fleet.hardened()[0] == ALL, output
    assert len(re.findall(r'"msg": "guest 777 was not changed by run \w+; asked: pve1, pve2"', output)) == 1
    status, output = fleet.play("rollback_io", rollback_guests="102")
    assert status == 0 and fleet.hardened()[0] == ALL - {"102"}, output


def asked(survey, **answers):
    """What AWX makes of a survey: an extra variable of each question, the default where it is not answered."""
    questions = {question["variable"]: question for question in SURVEYS[survey]["spec"]}
    assert answers.keys() <= questions.keys()
    return {**{name: question["default"] for name, question in questions.items()}, **answers}


def test_a_question_that_is_not_answered_leaves_the_inventory_in_force(fleet):
    fleet.variables.update(host_writeback_mode="ratio", guest_io_migrate_controllers="guest.id == '101'")
    (fleet.folder / "pve1/etc/pve/nodes/pve1/qemu-server/101.conf").write_text(
        TO_CHANGE.format(101).replace("virtio-scsi-pci", "lsi")
    )
    status, output = fleet.play("harden_io", **asked("__survey_harden"))
    assert status == 0 and fleet.hardened() == (ALL, HOSTS), output
    assert "vm.dirty_ratio" in fleet.limits("pve1") and "vm.dirty_ratio" in fleet.limits("pve2")


def test_an_answer_is_in_force_whatever_the_inventory_says(fleet):
    fleet.variables.update(host_writeback_mode="ratio", guest_io_migrate_controllers="guest.id == '101'")
    (fleet.folder / "pve1/etc/pve/nodes/pve1/qemu-server/101.conf").write_text(
        TO_CHANGE.format(101).replace("virtio-scsi-pci", "lsi")
    )
    answers = {"survey_host_writeback_mode": "bytes", "survey_guest_io_migrate_controllers": "guest.id == 'none'"}
    status, output = fleet.play("harden_io", **asked("__survey_harden", **answers))
    assert status == 0 and fleet.hardened() == (ALL - {"101"}, HOSTS), output
    assert "vm.dirty_bytes" in fleet.limits("pve1") and "vm.dirty_bytes" in fleet.limits("pve2")


def test_the_gates_question(fleet):
    fleet.variables.update(gate_fail_on="none", guest_io_policy={"disk": {"aio": "native"}})
    assert fleet.play("gate_io", **asked("__survey_gate"))[0] == 0
    status, output = fleet.play("gate_io", **asked("__survey_gate", survey_gate_fail_on="warning"))
    assert status == 2 and "GATE FAILED" in output


def test_the_questions_of_a_roll_back_and_a_restart(fleet):
    fleet.variables["rollback_run"] = "of-the-inventory"
    assert (
        "no journal knows of a run 'of-the-inventory'"
        in fleet.play("rollback_io", "--check", **asked("__survey_roll_back"))[1]
    )
    assert (
        "no journal knows of a run 'answered'"
        in fleet.play("rollback_io", "--check", **asked("__survey_roll_back", survey_rollback_run="answered"))[1]
    )
    answered = fleet.play(
        "restart_pending", "--check", **asked("__survey_restart", survey_restart_match="guest.id == 'none'")
    )[1]
    assert "The selector matches no guest on" in answered


def test_questions_are_of_variables_that_are_taken_over():
    asked_about = {question["variable"] for survey in SURVEYS.values() for question in survey["spec"]}
    assert asked_about and asked_about <= set(known()["survey_"])


def test_other_hosts_than_those_of_hypervisors_are_named_to_the_run_by_a_pattern(fleet):
    fleet.group = "proxmox_nodes"
    status, output = fleet.play("harden_io")
    assert status == 2 and "Nothing to harden: no host of hypervisors is in the inventory and its limit." in output
    status, output = fleet.play("harden_io", io_hardening_hosts="proxmox_nodes:!pve2")
    assert status == 0 and fleet.hardened() == ({"101", "102"}, {"pve1"}), output
    status, output = fleet.play("gate_io", "--limit", "pve1", io_hardening_hosts="proxmox_nodes", gate_fail_on="none")
    assert status == 0 and "1 host, 2 guests" in output, output
    status, output = fleet.play("rollback_io", io_hardening_hosts="pve1,pve2")
    assert status == 0 and fleet.hardened()[0] == set(), output


def test_a_pattern_is_no_variable_of_an_inventory_and_no_list(fleet):
    fleet.group, fleet.variables["io_hardening_hosts"] = "proxmox_nodes", "proxmox_nodes"
    for _group in ("proxmox_nodes", "hypervisors"):
        fleet.group = _group
        status, output = fleet.play("harden_io")
        assert status == 2 and "io_hardening_hosts, set for pve1: Ansible does not look for it" in output, output
    status, output = fleet.play("rollback_io", io_hardening_hosts=["pve1"])
    assert status == 2 and "it takes a host pattern of Ansible, such as proxmox_nodes" in output, output
    assert fleet.hardened() == (set(), set())


def test_a_group_of_an_inventory_plugin_becomes_hypervisors_in_a_file_beside_it(fleet):
    fleet.group = "all"
    (fleet.folder / "nodes.yml").write_text(
        "plugin: ansible.builtin.constructed\ngroups: {proxmox_nodes: inventory_hostname.startswith('pve')}\n"
    )
    (fleet.folder / "alias.yml").write_text("hypervisors: {children: {proxmox_nodes: {}}}\n")
    also = [argument for name in ("nodes.yml", "alias.yml") for argument in ("-i", fleet.folder / name)]
    status, output = fleet.play("harden_io", *also)
    assert status == 0 and fleet.hardened() == (ALL, HOSTS), output
