# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""One tiny guest: a QEMU process that ends with this one, its serial ports and its monitor."""

from __future__ import annotations

import json
import os
import selectors
import socket
import time
from collections.abc import Callable, Iterable
from typing import IO, Any, cast

from .._host.whole_file import read_start
from . import backup, process
from .errors import ProveError
from .qemu_argv import NODE

_GRACE_S = 60
_BEGIN_S = 1
_SAMPLE_S = 0.01


Command = tuple[str, dict[str, Any]]


def during_commands(setting: dict[str, Any], size: int) -> list[Command]:
    """The QMP commands that are sent while a guest of a setting (setting.py) with a disk of so many bytes is measured:
    those of a backup once, one after the other, all others in turn, one every second.
    """
    during = setting["during"]
    if during == backup.BACKUP:
        return backup.commands(setting["backup"], NODE, setting["bus"])
    if during == "block_resize":
        # To the present size: QEMU still drains the disk, and the guest sees no change.
        return [("block_resize", {"node-name": NODE, "size": size})]
    if during == "query_blockstats":
        return [("query-blockstats", {})]
    if during == "block_job":
        return [
            ("blockdev-backup", {"job-id": "prove", "device": NODE, "target": "job-target", "sync": "none"}),
            ("block-job-cancel", {"device": "prove"}),
        ]
    return []


def _prefer(pid: int) -> None:
    """Raise the priority of a process that has a session of its own, if permitted.

    The storage is measured, so busy processors should disturb it less. Where the kernel groups processes by session
    (sched(7), autogroup), niceness counts only within the session.
    """
    try:
        os.setpriority(os.PRIO_PROCESS, pid, -15)
        with open(f"/proc/{pid}/autogroup", "w", encoding="ascii") as file:
            file.write("-15")
    except OSError:
        pass


class QemuDied(ProveError):
    """A signal ended QEMU: it aborted, or somebody killed it. The message is its last output."""


class Machine:
    """Starts at once; use as a context manager, which ends it.

    ``argv_of`` makes QEMU's command line from the descriptors {console, beat, monitor}; ``fds`` are further descriptors
    that QEMU needs.
    """

    def __init__(self, argv_of: Callable[[dict[str, int]], list[str]], fds: Iterable[int]) -> None:
        self._lines: list[str] = []
        self._rest = ""
        self._console = b""
        self._errors = b""
        self._messages: list[tuple[float, dict[str, Any]]] = []
        self._monitor_rest = b""
        self.beats: list[float] = []
        pairs = {name: socket.socketpair() for name in ("console", "beat", "monitor")}
        theirs = {name: pair[1].fileno() for name, pair in pairs.items()}
        self._sockets = {name: pair[0] for name, pair in pairs.items()}
        # With setpriv the kernel kills QEMU when this process ends, even by kill -9.
        command = ["setpriv", "--pdeathsig", "KILL", "--"] + argv_of(theirs)
        try:
            self._process = process.start(
                command,
                pass_fds=tuple(fds) + tuple(theirs.values()),
                stdout=process.DEVNULL,
                stderr=process.PIPE,
                start_new_session=True,
            )
        except OSError as problem:
            self._close_sockets()
            raise ProveError(f"QEMU cannot be started: {problem}") from problem
        finally:
            for pair in pairs.values():
                pair[1].close()
        _prefer(self._process.pid)
        self._selector = selectors.DefaultSelector()
        for name, mine in self._sockets.items():
            mine.setblocking(False)
            self._selector.register(mine, selectors.EVENT_READ, name)
        self._stderr = cast(IO[bytes], self._process.stderr)
        self._selector.register(self._stderr, selectors.EVENT_READ, "stderr")
        self._send("monitor", b'{"execute": "qmp_capabilities"}\n')

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _close_sockets(self) -> None:
        for mine in self._sockets.values():
            mine.close()

    def close(self) -> None:
        """End QEMU. Waits for its requests in flight, which cannot be cancelled."""
        self._process.kill()
        self._process.wait()
        self._stderr.close()
        self._selector.close()
        self._close_sockets()

    def _send(self, name: str, data: bytes) -> None:
        try:
            self._sockets[name].send(data)
        except OSError:
            # QEMU has ended or is about to: the next _read() sees it and says why.
            pass

    def _read(self, timeout: float) -> None:
        """Read what has arrived; wait at most ``timeout`` seconds for something. Raises ProveError where QEMU ended."""
        for key, _mask in self._selector.select(timeout):
            try:
                data = os.read(key.fd, 65536)
            except OSError:
                data = b""
            if not data:
                self._selector.unregister(key.fileobj)
                continue
            if key.data == "beat":
                now = time.monotonic()
                text = data.decode("ascii", "replace")
                self.beats += [now] * text.count(".")
                *lines, rest = (self._rest + text).split("\n")
                self._lines += [line.lstrip(".") for line in lines]
                self._rest = rest.lstrip(".")
            elif key.data == "console":
                self._console = (self._console + data)[-4000:]
            elif key.data == "stderr":
                self._errors = (self._errors + data)[-4000:]
            else:
                *messages, self._monitor_rest = (self._monitor_rest + data).split(b"\n")
                now = time.monotonic()
                self._messages += [(now, message) for message in map(json.loads, filter(bytes.strip, messages))]
        if self._process.poll() is not None:
            # The last output arrives after the end.
            self._errors += self._stderr.read() or b""
            said = self._errors.decode("utf-8", "replace").strip()
            if self._process.returncode < 0:
                raise QemuDied(said or f"signal {-self._process.returncode}")
            said = said or f"status {self._process.returncode}; the guest's last output: {self._last_output()}"
            raise ProveError(f"QEMU ended: {said}")

    def _last_output(self) -> str:
        """The end of what the guest's kernel wrote to its console."""
        lines = self._console.decode("utf-8", "replace").strip().splitlines()
        # A panic prints the reason first, then a trace.
        told = [line for line in lines if "panic - " in line] or lines[-3:]
        return " / ".join(line.strip() for line in told) or "nothing"

    def _said(self, word: str) -> str | None:
        """The line that begins with a word, None as long as there is none. Raises ProveError for a line ``fail``."""
        for line in self._lines:
            first, _blank, rest = line.partition(" ")
            if first == "fail":
                raise ProveError(f"the guest gave up: {rest}")
            if first == word:
                return line
        return None

    def wait_ready(self, timeout: float) -> None:
        """Wait until the guest has booted and sees its disk. Raises ProveError after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while self._said("ready") is None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise ProveError(f"the guest did not boot within {timeout} s; its last output: {self._last_output()}")
            self._read(min(left, 1))

    def _main_thread_blocked(self) -> bool:
        """Whether QEMU's main loop is in uninterruptible sleep now."""
        pid = self._process.pid
        try:
            return read_start(f"/proc/{pid}/task/{pid}/stat", 4096).rpartition(b")")[2].split()[0] == b"D"
        except (OSError, IndexError):
            return False

    def _answers(self) -> list[float]:
        """When each numbered command so far was answered."""
        return [arrived for arrived, message in self._messages if isinstance(message.get("id"), int)]

    def measure(
        self,
        seconds: int,
        writers: int,
        readers: int,
        commands: list[Command] | None = None,
        resets: bool = False,
        job: bool = False,
    ) -> dict[str, Any]:
        """Measure for so many seconds: {lines, beats, main_blocked_percent, commands, messages, begun, complete, died,
        now, window_s}.

        ``commands`` are sent in turn, one every second. With ``job`` they begin a job: each is sent once, as soon as
        the one before it is answered, and at the end QEMU is asked how far the job came.

        lines is the guest's report; beats are the times when each heartbeat arrived, in monotonic seconds. messages are
        what QEMU wrote to its monitor, each with its time; begun is when it had answered all commands, None where it
        did not. complete is false where the guest did not report, and then lines is empty. died is QEMU's last output
        where a signal ended it (an assertion of its own), else None: that is a result, not an error.
        """
        self._lines, self.beats = [], []
        self._send("beat", f"go {seconds} {writers} {readers} {int(resets)}\n".encode())
        start = time.monotonic()
        end, next_command, next_sample = start + seconds, start + _BEGIN_S, start
        sent = samples = blocked = 0
        self._messages = []
        asked = not job
        died = None
        while self._said("done") is None:
            now = time.monotonic()
            if now > end + _GRACE_S:
                break
            if now >= next_sample and now < end:
                samples += 1
                blocked += self._main_thread_blocked()
                next_sample = now + _SAMPLE_S
            left = commands and (not job or sent < len(commands))
            if commands and left and next_command <= now < end and len(self._answers()) >= sent:
                self._ask(*commands[sent % len(commands)], sent)
                sent += 1
                next_command = now + (0 if job else _BEGIN_S)
            if now >= end and not asked:
                self._ask(backup.PROGRESS[0], {}, backup.PROGRESS[1])
                asked = True
            try:
                self._read(_SAMPLE_S)
            except QemuDied as problem:
                died = str(problem)
                break
        for _arrived, message in self._messages:
            if "error" in message:
                raise ProveError(f"QEMU refused a command: {message['error'].get('desc')}")
        complete = self._said("done") is not None
        answers = self._answers()
        return {
            "lines": self._lines if complete else [],
            "beats": self.beats,
            "complete": complete,
            "died": died,
            "main_blocked_percent": round(100 * blocked / samples) if samples else 0,
            "commands": sent,
            "messages": self._messages,
            "begun": answers[sent - 1] if 0 < sent <= len(answers) else None,
            "now": time.monotonic(),
            "window_s": round(time.monotonic() - start, 3),
        }

    def _ask(self, name: str, arguments: dict[str, Any], identity: int | str) -> None:
        """Send QEMU a command; its answer has the same id."""
        command = {"execute": name, "arguments": arguments, "id": identity}
        self._send("monitor", json.dumps(command).encode() + b"\n")
