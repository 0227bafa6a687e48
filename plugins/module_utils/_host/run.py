# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Runs a host's commands from a module: output is bytes, and bounded.

``AnsibleModule.run_command`` fails on bytes that are not UTF-8, keeps all that a command prints, and waits for every
process that holds its pipes open. Argument lists only, never a shell.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import subprocess
import time
from typing import Any

#: How many bytes of each output are kept: half from its beginning, half from its end.
KEPT = 1024 * 1024

#: The status of a command that did not end in its time, as timeout(1) has it.
TIMED_OUT = 124
#: Seconds until a command is killed that does not end when it is asked to.
_KILL_AFTER = 10

#: How many characters of a command's words are kept: they go into results, the journal and reports.
_WORDS = 2000

#: Seconds to wait for output after the command has ended: a process that it left behind may hold its pipes open.
_GRACE = 2


def command(arguments: list[str], kept: int = KEPT, seconds: float | None = None) -> tuple[int, str, str]:
    """Run a command in a session of its own, without standard input: (exit status, stdout, stderr).

    As in a shell, the status is 127 where there is no such command, and 128 + N where signal N ended it. Bytes that are
    not UTF-8 become U+FFFD. The middle of an output larger than ``kept`` bytes is left out, see :func:`is_cut`. A
    command that has not ended after ``seconds`` is killed, which is for those that only read; the status is
    :data:`TIMED_OUT` then. One that waits for a dead disk or server cannot be killed: it is left behind.
    """
    try:
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function,consider-using-with
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "LC_ALL": "C"},
            start_new_session=True,
        )
    except OSError as exc:
        return 127, "", f"{arguments[0]}: {exc.strerror}"
    deadline = None if seconds is None else time.monotonic() + seconds
    outputs = {stream: _Output(kept) for stream in (process.stdout, process.stderr) if stream}
    try:
        _drain(process, outputs, deadline)
        status = process.wait(None if deadline is None else max(deadline - time.monotonic(), 0))
    except subprocess.TimeoutExpired:
        status = None
        _kill(process)
    finally:
        for stream in outputs:
            stream.close()
    out, err = (output.text() for output in outputs.values())
    if status is None:
        return TIMED_OUT, out, f"{arguments[0]}: no answer after {seconds:g} s"
    return (128 - status if status < 0 else status), out, err


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE)


def is_cut(text: str) -> bool:
    """Whether the middle of an output was left out."""
    return bool(_CUT.search(text))


_CUT = re.compile(r"^\[\d+ bytes left out\]$", re.ASCII | re.MULTILINE)


def bounded(timeout: int, *command: str) -> list[str]:
    """The arguments that run a command, end it after so many seconds, and kill it where it does not end. A command that
    writes is given the time to clean up.

    coreutils' timeout: 127 when there is no such command; see :func:`timed_out`.
    """
    return ["timeout", "-k", str(_KILL_AFTER), str(timeout), *command]


def timed_out(status: int) -> bool:
    """Whether ``timeout`` ended the command: 124, or 137 where it had to kill it (and itself, in the same process
    group).
    """
    return status in (124, 137)


def shortened(words: str) -> str:
    """What a command printed, without its middle where it is long."""
    words = words.strip()
    return words if len(words) <= _WORDS else f"{words[: _WORDS // 2]} […] {words[-_WORDS // 2 :]}"


class _Output:
    """The beginning and the end of a command's output."""

    def __init__(self, kept: int) -> None:
        self._half = kept // 2
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0

    def add(self, raw: bytes) -> None:
        room = self._half - len(self._head)
        self._head += raw[:room]
        self._tail += raw[room:] if room else raw
        if len(self._tail) > 2 * self._half:
            self._shorten()

    def _shorten(self) -> None:
        more = max(len(self._tail) - self._half, 0)
        self._dropped += more
        del self._tail[:more]

    def text(self) -> str:
        self._shorten()
        head, tail = (part.decode("utf-8", "replace") for part in (self._head, self._tail))
        return (
            f"{head}\n[{self._dropped} bytes left out]\n{tail}"
            if self._dropped
            else (self._head + self._tail).decode("utf-8", "replace")
        )


def _drain(process: subprocess.Popen[bytes], outputs: dict[Any, _Output], deadline: float | None) -> None:
    """Read both outputs to their ends, or until the command has ended and no more output arrives, or its time is up."""
    ended = None
    with selectors.DefaultSelector() as selector:
        for stream in outputs:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            for key, _events in selector.select(timeout=0.2):
                raw = os.read(key.fd, 65536)
                outputs[key.fileobj].add(raw)
                if not raw:
                    selector.unregister(key.fileobj)
            if ended is None and process.poll() is not None:
                ended = time.monotonic()
            now = time.monotonic()
            if (ended is not None and now - ended > _GRACE) or (deadline is not None and now > deadline):
                break
