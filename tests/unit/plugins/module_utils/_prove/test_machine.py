# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import shutil
import sys

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove import backup, setting
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove import machine as machine_module
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove.errors import ProveError
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove.machine import Machine, during_commands

pytestmark = pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv (util-linux) is not installed")


# A QEMU that answers each command of its monitor, and the question about the job with how far it came. Its guest reports when it
# was told to go and the job was asked about.
ANSWERS = r"""
import json, socket, sys
beat, monitor = (socket.socket(fileno=int(number)) for number in sys.argv[1:])
asked = ""
for line in monitor.makefile():
    command = json.loads(line)
    asked = command["execute"]
    jobs = [{"device": "backup", "offset": 5000000}]
    answer = {"return": jobs if asked == "query-block-jobs" else {}, "id": command.get("id")}
    monitor.send(json.dumps(answer).encode() + b"\n")
    if asked == "query-block-jobs":
        break
beat.recv(100)
beat.send(b"\nend 1 2 3 4 5 6\ndone\n")
beat.recv(100)
"""


def machine(script):
    """A machine whose QEMU is a shell that waits for a moment and then does something."""
    return Machine(lambda _sockets: ["sh", "-c", f"sleep 0.2; {script}"], [])


def test_a_qemu_that_aborts_while_it_is_measured_is_a_result():
    with machine("echo 'Assertion failed' >&2; kill -ABRT $$") as one:
        seen = one.measure(5, 1, 1)
    assert (seen["died"], seen["complete"], seen["lines"]) == ("Assertion failed", False, [])


def test_a_qemu_that_gives_up_is_an_error():
    with (
        machine("echo 'no such device' >&2; exit 1") as one,
        pytest.raises(ProveError, match="QEMU ended: no such device"),
    ):
        one.measure(5, 1, 1)


def test_a_qemu_that_dies_before_it_is_measured_is_an_error():
    with machine("kill -ABRT $$") as one, pytest.raises(ProveError, match="signal 6"):
        one.wait_ready(5)


def test_the_commands_that_begin_a_job_are_sent_once_and_the_job_is_asked_how_far_it_came(monkeypatch):
    monkeypatch.setattr(machine_module, "_BEGIN_S", 0.1)
    with Machine(
        lambda sockets: [sys.executable, "-c", ANSWERS, str(sockets["beat"]), str(sockets["monitor"])], []
    ) as one:
        seen = one.measure(1, 1, 1, [("blockdev-add", {}), ("blockdev-backup", {})], job=True)
    assert (seen["commands"], seen["complete"]) == (2, True)
    assert 4 < backup.progress(seen["messages"], seen["begun"])["mb_per_s"] < 9


def test_a_backup_begins_once_and_other_commands_come_every_second():
    saved = setting.check({"name": "x", "during": "backup"})
    assert [name for name, _arguments in during_commands(saved, 1)] == ["blockdev-backup"]
    cycled = setting.check({"name": "x", "during": "block_job"})
    assert [name for name, _arguments in during_commands(cycled, 1)] == ["blockdev-backup", "block-job-cancel"]
