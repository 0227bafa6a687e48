# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Round trips through a guest's QMP socket: how long QEMU's main loop is away.

A QMP socket serves one client at a time. While it is held, the others wait, so each round trip connects anew, asks one
question that changes nothing (query-status), and lets go at once.
"""

from __future__ import annotations

import json
import socket
import threading
import time

_LARGEST_ANSWER = 1 << 16


# An answer that is not there after so many seconds is late; one that is under way for less says nothing.
_LATE = 0.02


def round_trip(path, timeout, clock=time.monotonic, when_asked=lambda moment: None):
    """(milliseconds, None), or where no answer came (milliseconds waited for it, why); None where it came to no
    question.

    `timeout` in seconds, for the whole conversation. `when_asked` is told the moment the question went out.
    """
    end = clock() + timeout
    asked = None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.settimeout(timeout)
            connection.connect(path)
            lines = _Lines(connection, end, clock)
            lines.read_until(b'"QMP"')
            connection.sendall(b'{"execute":"qmp_capabilities"}\n')
            lines.answer()
            asked = clock()
            when_asked(asked)
            connection.sendall(b'{"execute":"query-status"}\n')
            lines.answer()
            return (clock() - asked) * 1000, None
        except socket.timeout:
            waited = None if asked is None else clock() - asked
            return None if waited is None else waited * 1000, _no_answer(
                timeout if waited is None else waited, waited is not None
            )
        except OSError as error:
            return None, f"cannot be asked: {error.strerror or error}"
        except (ValueError, RecursionError):
            return None, "what answers is not QMP"


def _no_answer(seconds, asked):
    if asked:
        return f"no answer within {seconds:.3g} s: QEMU's main loop is away"
    return f"no greeting within {seconds:.3g} s: another client holds the socket, or QEMU's main loop is away"


class _Lines:
    def __init__(self, connection, end, clock):
        self._connection = connection
        self._end = end
        self._clock = clock
        self._rest = b""

    def _line(self):
        while b"\n" not in self._rest:
            left = self._end - self._clock()
            if left <= 0:
                raise socket.timeout
            self._connection.settimeout(left)
            received = self._connection.recv(4096)
            if not received:
                raise OSError("the socket was closed")
            self._rest += received
            if len(self._rest) > _LARGEST_ANSWER:
                raise ValueError("too long")
        line, _newline, self._rest = self._rest.partition(b"\n")
        return line

    def read_until(self, mark):
        while mark not in self._line():
            pass

    def answer(self):
        """The next answer; events in between are passed over."""
        while True:
            message = json.loads(self._line())
            if not isinstance(message, dict):
                raise ValueError("not an object")
            if "error" in message:
                raise ValueError("refused")
            if "return" in message:
                return


class Prober(threading.Thread):
    """Asks one guest every `pause` seconds until it is stopped."""

    def __init__(self, path, pause, timeout):
        super().__init__(daemon=True)
        self._path = path
        self._pause = pause
        self._timeout = timeout
        self._stop_asked = threading.Event()
        self._lock = threading.Lock()
        self._times = []
        self._failures = []
        self._began = self._asked = None

    def run(self):
        while not self._stop_asked.is_set():
            self._under_way(time.monotonic(), None)
            milliseconds, failure = round_trip(
                self._path, self._timeout, when_asked=lambda moment: self._under_way(self._began, moment)
            )
            with self._lock:
                self._count(milliseconds, failure)
            self._stop_asked.wait(self._pause)

    def _under_way(self, began, asked):
        with self._lock:
            self._began, self._asked = began, asked

    def _count(self, milliseconds, failure):
        if self._stop_asked.is_set():
            return
        if failure is None:
            self._times.append(milliseconds)
        else:
            self._failures.append((milliseconds, failure))
        self._began = self._asked = None

    def stop(self):
        """Count what is under way with the age it has now, and let it end."""
        now = time.monotonic()
        with self._lock:
            since = self._asked or self._began
            if since is not None and now - since >= _LATE:
                waited = None if self._asked is None else (now - self._asked) * 1000
                self._count(waited, _no_answer(now - since, self._asked is not None))
            self._stop_asked.set()

    def record(self):
        """{socket, answered, unanswered, median_ms, longest_ms, reason} of what it saw; the longest is of those without
        an answer too.
        """
        times = sorted(self._times)
        all_times = times + [milliseconds for milliseconds, _failure in self._failures if milliseconds is not None]
        return {
            "socket": self._path,
            "answered": len(times),
            "unanswered": len(self._failures),
            "median_ms": round(times[len(times) // 2], 1) if times else None,
            "longest_ms": round(max(all_times), 1) if all_times else None,
            "reason": self._failures[-1][1] if self._failures else None,
        }
