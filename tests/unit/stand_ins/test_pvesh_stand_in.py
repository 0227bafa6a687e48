# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The tests of the stand-in for ``pvesh`` and ``pvesm``: what nobody recorded and the sources of Proxmox VE say."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.qm_host import STAND_INS, QmHost

JOBS = """\
vzdump: nightly
\tcomment 100% {{ x }}
\tschedule mon 01:00
\tall 1
\tenabled 1
\tstorage local

"""


@pytest.fixture
def host(tmp_path):
    host = QmHost(tmp_path)
    jobs(host).write_text(JOBS)
    yield host
    host.close()


def jobs(host):
    return host.root / "etc/pve/jobs.cfg"


def datacenter(host):
    return host.root / "etc/pve/datacenter.cfg"


def test_a_write_drops_what_it_does_not_understand_and_says_so_with_status_0(host):
    jobs(host).write_text(JOBS.replace("\tall", "# a comment\n\tturbo 1\n\tbwlimit fast\n\tschedule 02:00\n\tall"))
    got = host.run("pvesh", "set", "/cluster/backup/nightly", "--ionice", "8")
    assert (got.returncode, got.stdout) == (0, "")
    assert got.stderr == (
        "file /etc/pve/jobs.cfg line 5 (section 'nightly') - unable to parse value of 'turbo': unexpected property 'turbo'\n"
        "file /etc/pve/jobs.cfg line 6 (section 'nightly') - unable to parse value of 'bwlimit':"
        " type check ('integer') failed - got 'fast'\n"
        "file /etc/pve/jobs.cfg line 7 (section 'nightly') - unable to parse value of 'schedule': duplicate attribute\n"
    )
    assert jobs(host).read_text() == JOBS.replace("\tstorage", "\tionice 8\n\tstorage")


def test_property_strings_of_a_job_are_stored_in_one_form(host):
    host.run("pvesh", "set", "/cluster/backup/nightly", "--fleecing", "storage=local-lvm,enabled=yes")
    host.run("pvesh", "set", "/cluster/backup/nightly", "--performance", "pbs-entries-max=9,max-workers=1")
    assert "\tfleecing 1,storage=local-lvm\n\tperformance max-workers=1,pbs-entries-max=9\n" in jobs(host).read_text()


@pytest.mark.parametrize("verb", ["get", "set", "delete"])
def test_a_job_that_is_gone(host, verb):
    options = {"get": ["--output-format", "json"], "set": ["--bwlimit", "1"], "delete": []}[verb]
    got = host.run("pvesh", verb, "/cluster/backup/weekly", *options)
    assert got.returncode == 255
    assert ("no such vzdump job" if verb == "set" else "id: No such job 'weekly'") in got.stderr
    assert jobs(host).read_text() == JOBS


def test_a_job_is_deleted(host):
    assert host.run("pvesh", "delete", "/cluster/backup/nightly").returncode == 0
    assert jobs(host).read_text() == ""


def test_the_description_of_the_datacenter_is_its_comments(host):
    datacenter(host).write_text("# Küche\nkeyboard: de\nmac_prefix: BC:24:11\n")
    host.run("pvesh", "set", "/cluster/options", "--bwlimit", "move=1")
    assert datacenter(host).read_text() == "# K%C3%BCche\n\nbwlimit: move=1\nkeyboard: de\n"
    assert (
        json.loads(host.run("pvesh", "get", "/cluster/options", "--output-format", "json").stdout)["description"]
        == " Küche\n"
    )


def test_only_the_digest_of_the_file_as_it_is_lets_a_storage_be_set(host):
    def digest():
        return json.loads(host.run("pvesh", "get", "/storage/nfs1", "--output-format", "json").stdout)["digest"]

    old = digest()
    assert host.run("pvesm", "set", "nfs1", "--bwlimit", "move=1", "--digest", old).returncode == 0
    got = host.run("pvesm", "set", "nfs1", "--bwlimit", "move=2", "--digest", old)
    assert (got.returncode, got.stderr) == (
        255,
        "update storage failed: detected modified configuration - file changed by other user? Try again.\n",
    )
    assert digest() != old


@pytest.mark.parametrize(
    ("state", "rc", "words"),
    [
        ("down", 111, "Unable to load access control list: Connection refused"),
        ("no-quorum", 255, "error: no quorum!"),
        ("locked", 255, "error: got lock request timeout"),
        ("not-root", 255, "please run as root"),
    ],
)
def test_a_cluster_that_cannot_be_written(host, state, rc, words):
    host.declare("cluster", state)
    storages = (host.root / "etc/pve/storage.cfg").read_text()
    for command in (
        ["pvesh", "set", "/cluster/backup/nightly", "--bwlimit", "1"],
        ["pvesh", "set", "/cluster/options", "--bwlimit", "move=1"],
        ["pvesm", "set", "local", "--bwlimit", "move=1"],
    ):
        got = host.run(*command)
        assert got.returncode == rc and words in got.stderr
    assert jobs(host).read_text() == JOBS and not datacenter(host).exists()
    assert (host.root / "etc/pve/storage.cfg").read_text() == storages


def test_what_happens_just_before_and_just_after_a_write(host):
    for when in ("before-set", "after-set"):
        hook = host.root / "var/lib/qm-stand-in" / when / "datacenter.cfg"
        hook.parent.mkdir(parents=True, exist_ok=True)
        hook.write_text(
            f"#!/bin/sh\necho 'keyboard: {'de' if when == 'before-set' else 'fr'}' >> '{datacenter(host)}'\n"
        )
        hook.chmod(0o755)
    host.run("pvesh", "set", "/cluster/options", "--bwlimit", "move=1")
    assert datacenter(host).read_text() == "\nbwlimit: move=1\nkeyboard: de\nkeyboard: fr\n"


@pytest.mark.parametrize(
    "arguments", [["pvesh", "get", "/nodes/pve1/tasks"], ["pvesh", "ls", "/"], ["pvesm", "list", "local"]]
)
def test_what_it_cannot_do_it_refuses(host, arguments):
    got = host.run(*arguments)
    assert got.returncode != 0 and got.stderr


def test_they_are_programs_of_their_own(host, tmp_path):
    folder = tmp_path / "installed"
    folder.mkdir()
    for name in ("qm", "pvesh"):
        shutil.copy(STAND_INS / name, folder / name)
    shutil.copy(STAND_INS / "pvesh", folder / "pvesm")
    environment = {**host.environment, "PATH": "/usr/bin:/bin"}
    for command, words in (("pvesm status", "nfs1"), ("pvesh get /cluster/backup --output-format json", "nightly")):
        got = subprocess.run(
            [folder / command.split()[0], *command.split()[1:]],
            env=environment,
            capture_output=True,
            check=True,
            text=True,
        )
        assert words in got.stdout
    assert [call["command"] for call in host.calls()] == ["pvesm", "pvesh"]
    assert sorted(path.name for path in folder.iterdir()) == ["pvesh", "pvesm", "qm"]
