# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A command of the host prints bytes, as many as it likes, and may never end: none of that ends or fills a run."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host import run as _run


def shell(script, kept=_run.KEPT):
    return _run.command(["sh", "-c", script], kept)


def test_bytes_that_are_not_utf_8_are_replaced():
    found = shell("printf 'M\\374ller'; printf 'K\\374che: nein\\n' >&2; exit 3")
    assert found == (3, "M\N{REPLACEMENT CHARACTER}ller", "K\N{REPLACEMENT CHARACTER}che: nein\n")


def test_the_beginning_and_the_end_of_a_flood_are_kept():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    status, out, words = shell(
        "echo first >&2; head -c 30000000 /dev/zero | tr '\\0' z | tee /dev/stderr; echo last >&2", kept=65536
    )
    assert status == 0 and len(out) < 70000 and len(words) < 70000
    assert words.startswith("first\nzzz") and words.endswith("zzzlast\n") and _run.is_cut(words) and _run.is_cut(out)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000, "KiB"


def test_an_output_of_the_kept_size_is_whole():
    assert shell("printf abcd; printf abcde >&2", kept=4) == (0, "abcd", "ab\n[1 bytes left out]\nde")
    assert not _run.is_cut("name: [1 bytes left out] of it\n")


def test_a_command_that_does_not_exist_has_status_127():
    status, out, words = _run.command(["no-such-command-here", "1"])
    assert (status, out) == (127, "") and "no-such-command-here" in words


def test_a_process_left_behind_with_the_pipes_is_not_waited_for():
    begun = time.monotonic()
    assert shell("echo done; sleep 60 & echo $! >&2")[:2] == (0, "done\n")
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize(
    "script", ["exec sleep 60", "exec sleep 60 >&- 2>&-", "trap '' TERM; while :; do echo; done", "sleep 60"]
)
def test_a_command_that_does_not_end_in_its_time_is_killed(tmp_path, script):
    begun, pid = time.monotonic(), tmp_path / "pid"
    status, _out, words = _run.command(["sh", "-c", f"echo $$ >{pid}; {script}"], seconds=1)
    assert status == _run.TIMED_OUT and words == "sh: no answer after 1 s"
    assert time.monotonic() - begun < 20
    assert ends(pid.read_text().strip())


def test_a_command_in_its_time_is_as_any_other():
    assert _run.command(["sh", "-c", "echo a; exit 3"], seconds=30) == (3, "a\n", "")


def ends(pid):
    """Whether a process ends within some seconds: on a busy machine a kill takes a moment."""
    for _look in range(100):
        try:
            if "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text():
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


def test_a_command_that_ignores_the_request_to_end_is_killed_with_its_children(monkeypatch, tmp_path):
    monkeypatch.setattr(_run, "_KILL_AFTER", 1)
    begun = time.monotonic()
    script = f"trap '' TERM; sh -c \"trap '' TERM; echo \\$\\$ > {tmp_path}/child; sleep 60\" & wait; sleep 60"
    status, _out, _words = _run.command(_run.bounded(3, "sh", "-c", script))
    assert _run.timed_out(status) and time.monotonic() - begun < 20
    assert ends(int((tmp_path / "child").read_text()))


def test_messages_are_english_and_there_is_no_standard_input(monkeypatch):
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert shell("echo $LC_ALL; cat") == (0, "C\n", "")


@pytest.mark.parametrize(
    "module", sorted(path.name for path in (Path(_run.__file__).parents[2] / "modules").glob("*.py"))
)
def test_no_module_runs_a_command_in_another_way(module):
    text = (Path(_run.__file__).parents[2] / "modules" / module).read_text()
    assert "run_command" not in text and "subprocess" not in text
