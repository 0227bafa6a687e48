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

from . import process
from .errors import ProveError
from .qemu_argv import NODE

_GRACE_S = 60
_SAMPLE_S = 0.01


def during_commands(during, size):
    """The QMP commands that are sent in turn, one every second, while the guest is measured."""
    if during == "block_resize":
        # To the size it has: QEMU drains the disk all the same, and the guest sees no change.
        return [("block_resize", {"node-name": NODE, "size": size})]
    if during == "query_blockstats":
        return [("query-blockstats", {})]
    if during == "block_job":
        return [
            ("blockdev-backup", {"job-id": "prove", "device": NODE, "target": "job-target", "sync": "none"}),
            ("block-job-cancel", {"device": "prove"}),
        ]
    return []


def _prefer(pid):
    """Let a process of a session of its own have the processor first, where this one may say so.

    The storage is measured: busy processors shall disturb it less. Where the kernel groups
    processes by session (sched(7), autogroup), niceness counts only within the session.
    """
    try:
        os.setpriority(os.PRIO_PROCESS, pid, -15)
        with open("/proc/%d/autogroup" % pid, "w", encoding="ascii") as file:
            file.write("-15")
    except OSError:
        pass


class QemuDied(ProveError):
    """A signal ended QEMU: it aborted, or somebody killed it. The message is its last words."""


class Machine:
    """Starts at once; use as a context manager, which ends it.

    argv_of: a function from {console, beat, monitor} (descriptors) to QEMU's command line.
    fds: further descriptors QEMU needs.
    """

    def __init__(self, argv_of, fds):
        self._lines, self._rest = [], ""
        self._console = b""
        self._errors = b""
        self._replies, self._monitor_rest = [], b""
        self.beats = []
        pairs = {name: socket.socketpair() for name in ("console", "beat", "monitor")}
        theirs = {name: pair[1].fileno() for name, pair in pairs.items()}
        self._sockets = {name: pair[0] for name, pair in pairs.items()}
        # setpriv: the kernel kills QEMU when this process ends, were it by kill -9.
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
            raise ProveError("QEMU cannot be started: %s" % problem) from problem
        finally:
            for pair in pairs.values():
                pair[1].close()
        _prefer(self._process.pid)
        self._selector = selectors.DefaultSelector()
        for name, mine in self._sockets.items():
            mine.setblocking(False)
            self._selector.register(mine, selectors.EVENT_READ, name)
        self._selector.register(self._process.stderr, selectors.EVENT_READ, "stderr")
        self._send("monitor", b'{"execute": "qmp_capabilities"}\n')

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.close()

    def _close_sockets(self):
        for mine in self._sockets.values():
            mine.close()

    def close(self):
        """End QEMU. Waits for its requests in flight, which nothing can call back."""
        self._process.kill()
        self._process.wait()
        self._process.stderr.close()
        self._selector.close()
        self._close_sockets()

    def _send(self, name, data):
        try:
            self._sockets[name].send(data)
        except OSError:
            # QEMU has ended or is about to: the next _read() finds out and says why.
            pass

    def _read(self, timeout):
        """Take in what arrived; wait for timeout seconds at most."""
        for key, _mask in self._selector.select(timeout):
            try:
                data = os.read(key.fileobj.fileno(), 65536)
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
                *lines, self._monitor_rest = (self._monitor_rest + data).split(b"\n")
                self._replies += [
                    reply
                    for reply in map(json.loads, filter(bytes.strip, lines))
                    if "return" in reply or "error" in reply
                ]
        if self._process.poll() is not None:
            # The last words arrive after the end.
            self._errors += self._process.stderr.read() or b""
            said = self._errors.decode("utf-8", "replace").strip()
            if self._process.returncode < 0:
                raise QemuDied(said or "signal %d" % -self._process.returncode)
            raise ProveError(
                "QEMU ended: %s"
                % (said or "status %s; the guest's last words: %s" % (self._process.returncode, self._last_words()))
            )

    def _last_words(self):
        """The end of what the guest's kernel wrote on its console."""
        lines = self._console.decode("utf-8", "replace").strip().splitlines()
        # A panic says the reason first and a trace after it.
        told = [line for line in lines if "panic - " in line] or lines[-3:]
        return " / ".join(line.strip() for line in told) or "nothing"

    def _said(self, word):
        """The line that begins with word, None so far. A ``fail`` line raises ProveError."""
        for line in self._lines:
            first, _blank, rest = line.partition(" ")
            if first == "fail":
                raise ProveError("the guest gave up: %s" % rest)
            if first == word:
                return line
        return None

    def wait_ready(self, timeout):
        """Wait until the guest has booted and sees its disk. Raises ProveError after timeout seconds."""
        deadline = time.monotonic() + timeout
        while self._said("ready") is None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise ProveError(
                    "the guest did not boot within %d s; its last words: %s" % (timeout, self._last_words())
                )
            self._read(min(left, 1))

    def _main_thread_blocked(self):
        """Whether QEMU's main loop is in uninterruptible sleep right now."""
        pid = self._process.pid
        try:
            with open("/proc/%d/task/%d/stat" % (pid, pid), encoding="ascii", errors="replace") as file:
                return file.read().rpartition(")")[2].split()[0] == "D"
        except (OSError, IndexError):
            return False

    def measure(self, seconds, writers, readers, commands=(), resets=False):
        """Measure for seconds: {lines, beats, main_blocked_percent, commands, complete, died, now, window_s}.

        lines: the guest's report. beats: when each heartbeat arrived, monotonic seconds.
        complete: false where the guest did not come back to report; lines is empty then.
        died: QEMU's last words where a signal ended it (an assertion of its own), else null. That is a result, not an
        obstacle.
        """
        self._lines, self.beats = [], []
        self._send("beat", b"go %d %d %d %d\n" % (seconds, writers, readers, resets))
        start = time.monotonic()
        end, next_command, next_sample = start + seconds, start + 1, start
        sent = samples = blocked = 0
        done_before = len(self._replies)
        died = None
        while self._said("done") is None:
            now = time.monotonic()
            if now > end + _GRACE_S:
                break
            if now >= next_sample and now < end:
                samples += 1
                blocked += self._main_thread_blocked()
                next_sample = now + _SAMPLE_S
            answered = sum("return" in reply or "error" in reply for reply in self._replies[done_before:])
            if commands and next_command <= now < end and answered >= sent:
                name, arguments = commands[sent % len(commands)]
                self._send("monitor", json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
                sent += 1
                next_command = now + 1
            try:
                self._read(_SAMPLE_S)
            except QemuDied as end:
                died = str(end)
                break
        for reply in self._replies:
            if "error" in reply:
                raise ProveError("QEMU refused a command: %s" % reply["error"].get("desc"))
        complete = self._said("done") is not None
        return {
            "lines": self._lines if complete else [],
            "beats": self.beats,
            "complete": complete,
            "died": died,
            "main_blocked_percent": round(100 * blocked / samples) if samples else 0,
            "commands": sent,
            "now": time.monotonic(),
            "window_s": round(time.monotonic() - start, 3),
        }
