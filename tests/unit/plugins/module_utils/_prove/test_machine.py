# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import shutil

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove.errors import ProveError
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove.machine import Machine

pytestmark = pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv (util-linux) is not installed")


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
