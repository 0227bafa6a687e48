# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Every example of a module, a filter and a role's README is run, as it stands there.

Each has a node of its own, in a tree of files: a play tells the modules with ``module_defaults`` where it is, and the
roles with their variables. The example of guest_restart needs a live node; test_guest_restart.py runs it.
"""

from __future__ import annotations

import ast
import json
import platform
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.tests.playbooks import ROOT, run_playbook

ELSEWHERE = {"guest_restart"}
#: They measure or watch; those that would start QEMU run in check mode.
MEASURING = ("guest_io_prove", "host_io_calibrate", "io_calibrate", "io_prove", "io_stall_info")
#: Their examples look for an earlier run: that of guest_io's own example.
AFTER_A_RUN = ("guest_io_journal_info", "guest_io_rollback", "guest_io_rollback_plan")
#: What is not there on every machine, or takes long, and what stands in its place: the node's tree, the test's folder.
REPLACED = {
    "/srv/configs": "{node}",
    "/var/lib/vz": "{folder}",
    "/mnt/backup": "{folder}",
    "duration: 30": "duration: 0.5",
}

GUEST = "name: web\ntags: restart-ok\nscsihw: virtio-scsi-pci\nscsi0: lvm1:vm-100-disk-0,size=32G\n"
COMPLIANT = "scsihw: virtio-scsi-single\nscsi0: lvm1:vm-102-disk-0,aio=threads,iothread=1,size=32G\n"
STORAGES = "lvm: lvm1\n\tvgname vg1\n\tcontent images\n"
NODE = {
    "etc/pve/storage.cfg": STORAGES,
    "etc/pve/nodes/pve1/qemu-server/100.conf": GUEST,
    "etc/pve/nodes/pve1/qemu-server/101.conf": GUEST.replace("100", "101"),
    "proc/meminfo": "MemTotal:       65843024 kB\n",
}
#: What is beside the playbook: configs to gate, a kernel that has all drivers of a guest built in.
BESIDE = {
    "configs/102.conf": COMPLIANT,
    "configs/storage.cfg": STORAGES,
    "100.conf": GUEST,
    "boot/vmlinuz-1": "",
    "lib/modules/1/modules.builtin": "virtio_pci.ko virtio_console.ko virtio_scsi.ko virtio_blk.ko sd_mod.ko\n",
}


def texts(path: Path) -> dict[str, Any]:
    """What a module, or a filter's YAML file, says of itself: DOCUMENTATION, EXAMPLES, RETURN."""
    if path.suffix == ".yml":
        return yaml.safe_load(path.read_text())
    assigned = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Assign)]
    return {ast.unparse(node.targets[0]): node.value.value for node in assigned if isinstance(node.value, ast.Constant)}


def options_of(said: dict[str, Any]) -> set[str]:
    """The names of a module's options: its own, and those of the documentation fragments that it extends."""
    documented = yaml.safe_load(said["DOCUMENTATION"])
    names = set(documented["options"])
    for fragment in documented.get("extends_documentation_fragment", []):
        collection, _dot, name = fragment.rpartition(".")
        assert collection == "hypervisor.io_hardening", fragment
        names |= set(FRAGMENTS[name].get("options", ()))
    return names


def fragment(path: Path) -> dict[str, Any]:
    """What a documentation fragment adds to a module's DOCUMENTATION."""
    (kept,) = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)]
    assigned = {ast.unparse(node.targets[0]): node.value.value for node in kept.body if isinstance(node, ast.Assign)}
    return yaml.safe_load(assigned["DOCUMENTATION"])


FRAGMENTS = {path.stem: fragment(path) for path in sorted((ROOT / "plugins/doc_fragments").glob("[!_]*.py"))}
MODULES = {path.stem: texts(path) for path in sorted((ROOT / "plugins/modules").glob("*.py"))}
FILTERS = {path.stem: texts(path) for path in sorted((ROOT / "plugins/filter").glob("*.yml"))}
EXAMPLES = {name: said["EXAMPLES"] for name, said in (MODULES | FILTERS).items() if name not in ELSEWHERE}
READMES = {path.parent.name: path.read_text() for path in sorted((ROOT / "roles").glob("*/README.md"))}
#: Writes what the collection's own tasks return: their keys, by module.
CALLBACK = """
import json, os
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_VERSION, CALLBACK_TYPE, CALLBACK_NAME = 2.0, "notification", "returned"

    def v2_runner_on_ok(self, result):
        with open("returned.jsonl", "a") as file:
            file.write(json.dumps([result._task.resolved_action, sorted(result._result)]) + "\\n")
"""
#: Ansible's own, and where something failed.
COMMON = {"changed", "failed", "msg", "diff", "invocation", "warnings", "deprecations", "ansible_facts"}
POLICY = {"guest_io_policy": yaml.safe_load((ROOT / "roles/guest_io/defaults/main.yml").read_text())["guest_io_policy"]}


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def stand_ins(folder: Path) -> dict[str, str]:
    """What io_prove would start, which is not on every machine."""
    return {"qemu": "/bin/sh", "kernel": f"{folder}/boot/vmlinuz-1"}


#: A machine that runs tests may run guests as well.
SURE = {"sure": True}


def on_a_node(name: str, folder: Path, play: dict[str, Any]) -> dict[str, Any]:
    """The play, on a node of its own."""
    node = folder / "nodes" / name
    write(node, NODE)
    known = {module: options_of(said) for module, said in MODULES.items()}
    given = {"root": str(node), "node": "pve1", **stand_ins(folder), **SURE}
    return {
        "name": name,
        "hosts": "hypervisors",
        "gather_facts": False,
        "vars": {"guest_io_root": str(node), "guest_io_node": "pve1", "host_writeback_root": str(node)} | POLICY,
        "module_defaults": {
            f"hypervisor.io_hardening.{module}": {key: given[key] for key in given if key in options}
            for module, options in known.items()
            # Its root is a directory of configs to gate.
            if module != "report"
        },
        **play,
    }


def play_of(name: str, folder: Path) -> dict[str, Any]:
    """The examples of a module or filter, as a play."""
    text = (EXAMPLES["guest_io"] if name in AFTER_A_RUN else "") + EXAMPLES[name]
    for there, instead in REPLACED.items():
        text = text.replace(there, instead.format(node=folder / "nodes" / name, folder=folder))
    tasks = yaml.safe_load(text)
    for task in tasks:
        # They hand these on to io_prove and io_calibrate.
        for action, more in (("guest_io_prove", {}), ("host_io_calibrate", SURE)):
            measure = task.get(f"hypervisor.io_hardening.{action}", {}).get("measure", {})
            measure.update({**stand_ins(folder), **more})
    return on_a_node(name, folder, {"tasks": tasks})


@pytest.fixture(autouse=True)
def callback(tmp_path, monkeypatch):
    write(tmp_path, {"callback/returned.py": CALLBACK})
    monkeypatch.setenv("ANSIBLE_CALLBACK_PLUGINS", str(tmp_path / "callback"))
    monkeypatch.setenv("ANSIBLE_CALLBACKS_ENABLED", "returned")


def undocumented(folder: Path) -> list[str]:
    """MODULE: KEY for each key that a module returned and does not document."""
    returned = [json.loads(line) for line in (folder / "returned.jsonl").read_text().splitlines()]
    documented = {
        f"hypervisor.io_hardening.{name}": COMMON | set(yaml.safe_load(said["RETURN"]))
        for name, said in MODULES.items()
    }
    return sorted(
        {
            f"{module}: {key}"
            for module, keys in returned
            for key in keys
            if module in documented and key not in documented[module] and not key.startswith("_ansible_")
        }
    )


def run(folder: Path, plays: list[dict[str, Any]], *arguments: str) -> None:
    """Run the plays. All of their own tasks must run, end well, and return what is documented."""
    write(folder, BESIDE)
    host = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_become": False}
    write(folder, {"hosts.json": json.dumps({"hypervisors": {"hosts": {"pve1": {**host, "restart_timeout": 600}}}})})
    write(folder, {"examples.yml": json.dumps(plays)})
    done = run_playbook(folder / "examples.yml", "--inventory", "hosts.json", *arguments, folder=folder)
    assert done.status == 0, done.output
    tasks = re.findall(r"^TASK \[(.*?)\] \**\n(.*?)(?=^\n|\Z)", done.output, re.MULTILINE | re.DOTALL)
    ran = [name for name, outcome in tasks if "skipping: " not in outcome]
    missing = [task["name"] for play in plays for task in play.get("tasks", []) if not is_among(task, ran)]
    assert missing == [], done.output
    assert undocumented(folder) == []


def is_among(task: dict[str, Any], ran: list[str]) -> bool:
    role = task.get("ansible.builtin.import_role")
    return any(name.startswith(f"{role['name']} : ") for name in ran) if role else task["name"] in ran


def test_examples_do_what_they_say(tmp_path):
    run(tmp_path, [play_of(name, tmp_path) for name in EXAMPLES if name not in MEASURING])


@pytest.mark.skipif(platform.machine() != "x86_64", reason="io_prove measures on x86-64 only")
def test_examples_of_what_measures_find_all_that_they_need(tmp_path):
    run(tmp_path, [play_of(name, tmp_path) for name in MEASURING], "--check")


def test_examples_of_roles_do_what_they_say(tmp_path):
    plays = []
    for role, text in READMES.items():
        examples = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        assert examples, f"roles/{role}/README.md has no example"
        # One node for all: the role rollback takes back what guest_io did.
        plays += [
            on_a_node("roles", tmp_path, {"name": role, **play})
            for example in examples
            for play in yaml.safe_load(example)
        ]
    plays[0]["vars"]["guest_io_run"] = "20261123T223005Z"
    run(tmp_path, plays)
