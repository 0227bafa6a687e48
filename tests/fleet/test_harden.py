# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The sample fleet is hardened with ansible-playbook, as a newcomer does it, and looked at from outside."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.tests.fleet.playbook import ROOT, play

EXPECTED = yaml.safe_load((ROOT / "tests/fixtures/sample_fleet_expected.yml").read_text())
HOSTS = ("pve1", "pve2", "pve3", "kvm1")
VMIDS = [guest for guest in EXPECTED if guest.isdigit()]


@dataclass(frozen=True)
class Run:
    """One run of the playbook: its output, tasks that changed something per host, every file of the fleet after it."""

    output: str
    changed: dict[str, int]
    files: dict[str, bytes]


def files_of(tree: Path) -> dict[str, bytes]:
    return {path.relative_to(tree).as_posix(): path.read_bytes() for path in tree.rglob("*") if path.is_file()}


def harden(tree: Path, *arguments: str, status: int = 0) -> Run:
    code, output = play(tree, "harden_io", *arguments)
    assert code == status, output
    recap = re.findall(r"^(\S+) +: ok=\d+ +changed=(\d+) ", output, re.MULTILINE)
    return Run(output, {host: int(number) for host, number in recap}, files_of(tree))


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    tree = tmp_path_factory.mktemp("fleet") / "copy"
    subprocess.run([ROOT / "sample_fleet/copy", tree], check=True)
    return tree


@pytest.fixture(scope="module")
def before(tree):
    return files_of(tree)


@pytest.fixture(scope="module")
def checked(tree, before):
    return harden(tree, "--check", "--diff")


@pytest.fixture(scope="module")
def first(tree, checked):
    return harden(tree, "--extra-vars", f"report_json={tree.parent}/first.json")


@pytest.fixture(scope="module")
def second(tree, first):
    return harden(tree)


def config_name(files: dict[str, bytes], vmid: str) -> str:
    # Each host has a copy of the cluster's files, of which nothing but its own settings is written.
    return next(name for name in files if name.startswith("root/") and name.endswith(f"/qemu-server/{vmid}.conf"))


def sections(config: bytes) -> list[tuple[str, str]]:
    """Names (the main section's is "") and texts."""
    parts = re.split(r"^\[(.*?)\].*\n", "\n" + config.decode("utf-8", "surrogateescape"), flags=re.MULTILINE)
    return list(zip(["", *parts[1::2]], parts[0::2]))


def next_start(config: bytes) -> dict[str, str]:
    """The keys as a start of the guest would find them: the main section's, with what is pending applied."""
    values: dict[str, str] = {}
    for name, text in sections(config):
        if name.lower() in ("", "pending"):
            values.update(re.findall(r"^([a-z][a-z_-]*\d*): *(.*?) *$", text, re.MULTILINE))
    for key in re.split(r"[,; ]+", values.pop("delete", "")):
        values.pop(key, None)
    return values


def kept_sections(config: bytes) -> list[tuple[str, str]]:
    return [(name, text) for name, text in sections(config) if name.lower() not in ("", "pending")]


def options(drive: str) -> dict[str, str]:
    """A drive string's options; the volume has the name "file" in any of its spellings."""
    named = (part.partition("=") for part in drive.split(","))
    return {("file" if not equals or name == "volume" else name): value or name for name, equals, value in named}


def test_check_mode_announces_changes_and_makes_none(before, checked):
    assert all(checked.changed[host] > 0 for host in HOSTS)
    assert checked.files == before


def test_diff_mode_shows_the_change_of_a_guest(checked):
    assert re.search(r"^\+.*virtio-scsi-single", checked.output, re.MULTILINE)


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("guest_io_node=pve9", "no node 'pve9'"),
        ("guest_io_guest=102", "guest_io_guest: no such variable. A misspelt guest_io_guests would mean all guests"),
        ("guest_io_max_parallel=0", "guest_io_max_parallel is '0'; it takes a whole number, 1 or more"),
        ("guest_io_batch=many", "guest_io_batch"),
    ],
)
def test_a_wrong_variable_ends_the_run_before_anything_is_written(tree, before, checked, variable, words):
    # In this module's one tree this comes before the first run that writes.
    run = harden(tree, "--extra-vars", variable, status=2)
    assert words in run.output
    assert run.files == before


def test_the_host_with_a_known_defect_is_named(tree, first):
    found = json.loads((tree.parent / "first.json").read_text())["findings"]
    told = {(one["rule"], one["host"]): one["hint"] for one in found if one["rule"] in ("IO402", "IO403")}
    assert set(told) == {("IO402", "pve3"), ("IO403", "pve3")}
    assert told["IO402", "pve3"] == "Reboot the host: kernel 6.8.12-15 is installed."


def test_the_readme_shows_the_report_of_the_first_run(first):
    (shown,) = re.findall(r"^```\n(Guest I/O, .*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    said, done = (re.sub(r"\d{4}-\d\d-\d\d", "DATE", text) for text in (shown, first.output))
    assert said in done


@pytest.mark.parametrize("vmid", VMIDS)
def test_a_guest_gets_what_its_expectation_says_and_nothing_else(before, first, vmid):
    name = config_name(before, vmid)
    if not EXPECTED[vmid]["changes"]:
        assert first.files[name] == before[name]
        return
    was, now = next_start(before[name]), next_start(first.files[name])
    wanted: dict[str, dict[str, str]] = {}
    for key, option, _old, new in EXPECTED[vmid]["changes"]:
        if key == "controller":
            was["scsihw"] = new
        else:
            wanted.setdefault(key, {})[option] = {True: "1", False: "0"}.get(new, new)
    assert now.keys() == was.keys()
    for key, value in was.items():
        if key not in wanted:
            assert now[key] == value, key
            continue
        others = {option: text for option, text in options(value).items() if option not in wanted[key]}
        found = options(now[key])
        assert {option: text for option, text in found.items() if option not in wanted[key]} == others
        for option, text in wanted[key].items():
            # cache unset is none.
            assert found.get(option, "none" if option == "cache" else None) == text, (key, option)


def test_the_reports_of_a_run_tell_how_the_guests_are_after_it(tree, first, second):
    document = json.loads((tree.parent / "first.json").read_text())
    assert document["plan"] == [] and document["summary"]["to_change"] == 0
    assert {"IO105", "IO201", "IO202"}.isdisjoint(finding["rule"] for finding in document["findings"])
    assert sum(result["status"] == "changed" for result in document["results"]) == sum(
        bool(guest["changes"]) for guest in EXPECTED.values()
    )


def test_snapshots_and_unknown_sections_are_kept_to_the_byte(before, first):
    names = [config_name(before, vmid) for vmid in VMIDS]
    assert any(kept_sections(before[name]) for name in names)
    for name in names:
        assert kept_sections(first.files[name]) == kept_sections(before[name]), name


def test_the_limits_of_every_host_are_written(before, first):
    written = {name for name in first.files.keys() - before.keys() if name.endswith(".conf")}
    assert written == {f"hosts/{host}/etc/sysctl.d/99-hypervisor-io-hardening.conf" for host in HOSTS}


def test_the_second_run_changes_nothing(first, second):
    assert second.changed == dict.fromkeys(HOSTS, 0)
    assert second.files == first.files
