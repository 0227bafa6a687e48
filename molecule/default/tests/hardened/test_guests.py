# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The guests of files/pve/guests/ after two runs: as in expected/, or to the byte as they were."""

from __future__ import annotations

import pathlib

import pytest

SCENARIO = pathlib.Path(__file__).parents[2]
GUESTS = sorted(path.stem for path in (SCENARIO / "files" / "pve" / "guests").glob("*.conf"))

# Written by the run: the others are in order, locked, waiting, somebody else's, or need a consent.
CHANGED = ["101", "102", "105", "108"]


@pytest.fixture(scope="module")
def config(host):
    """Read a guest's config."""
    node = host.check_output("hostname")
    return lambda guest: host.file(f"/etc/pve/nodes/{node}/qemu-server/{guest}.conf").content_string


@pytest.mark.parametrize("guest", GUESTS)
def test_config(config, guest):
    expected = SCENARIO / "expected" / f"{guest}.conf"
    wanted = expected if expected.exists() else SCENARIO / "files" / "pve" / "guests" / f"{guest}.conf"
    assert config(guest) == wanted.read_text(encoding="utf-8")


def test_one_set_for_each_changed_guest_in_two_runs(calls):
    sets = [call["argv"] for call in calls if call["argv"][0] == "set"]
    by_the_run = [argv for argv in sets if "--digest" in argv]
    assert sorted(argv[1] for argv in by_the_run) == CHANGED
    # prepare.yml's own, without a digest
    assert [argv[1] for argv in sets if argv not in by_the_run] == ["104"]


def test_the_node_is_asked_once_for_all_guests(calls):
    questions = [(call["command"], *call["argv"]) for call in calls if call["argv"][0] not in ("set", "start")]
    assert set(questions) == {("qm", "list"), ("pvesm", "status")}
    # Read and apply in the check run; read, apply and read in the run; read and no more than apply in the one that
    # changes nothing.
    assert questions.count(("qm", "list")) == questions.count(("pvesm", "status")) <= 7


def test_qm_never_failed(calls):
    assert [call for call in calls if call["rc"]] == []


def test_no_guest_was_restarted(host, calls):
    verbs = {call["argv"][0] for call in calls}
    assert not verbs & {"stop", "shutdown", "reboot", "reset", "suspend", "resume", "unlock", "delete", "rollback"}
    assert [call["argv"][1] for call in calls if call["argv"][0] == "start"] == ["102", "104", "108"]
    before = host.file("/root/fingerprint.before").content_string
    for guest in ("102", "104", "108"):
        pid = host.file(f"/run/qemu-server/{guest}.pid").content_string.strip()
        assert f"-id {guest} " in host.process.get(pid=int(pid)).args
        # the pid file is the one of before, to its time
        line = host.check_output(f"python3 /root/fingerprint.py | grep '^/run/qemu-server/{guest}.pid '")
        assert line in before.splitlines()


def test_nothing_else_is_in_pve(host):
    node = host.check_output("hostname")
    found = host.check_output("find /etc/pve -type f").split()
    assert sorted(found) == sorted(
        ["/etc/pve/storage.cfg"] + [f"/etc/pve/nodes/{node}/qemu-server/{guest}.conf" for guest in GUESTS]
    )
