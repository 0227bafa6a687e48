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


def round_trip(path, timeout, clock=time.monotonic):
    """(milliseconds, None), or (None, why there is no answer). `timeout` in seconds, for the whole conversation."""
    end = clock() + timeout
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            connection.settimeout(timeout)
            connection.connect(path)
            lines = _Lines(connection, end, clock)
            lines.read_until(b'"QMP"')
            connection.sendall(b'{"execute":"qmp_capabilities"}\n')
            lines.answer()
            asked = clock()
            connection.sendall(b'{"execute":"query-status"}\n')
            lines.answer()
            return (clock() - asked) * 1000, None
        except socket.timeout:
            return None, f"no answer within {timeout:g} s: another client holds the socket, or QEMU's main loop is away"
        except OSError as error:
            return None, f"cannot be asked: {error.strerror or error}"
        except ValueError:
            return None, "what answers is not QMP"


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
        self._times = []
        self._failures = []

    def run(self):
        while not self._stop_asked.is_set():
            milliseconds, failure = round_trip(self._path, self._timeout)
            if failure is None:
                self._times.append(milliseconds)
            else:
                self._failures.append(failure)
            self._stop_asked.wait(self._pause)

    def stop(self):
        """Let it end after the round trip that is under way."""
        self._stop_asked.set()

    def record(self):
        """{socket, answered, unanswered, median_ms, longest_ms, reason} of what it saw."""
        times = sorted(self._times)
        return {
            "socket": self._path,
            "answered": len(times),
            "unanswered": len(self._failures),
            "median_ms": round(times[len(times) // 2], 1) if times else None,
            "longest_ms": round(times[-1], 1) if times else None,
            "reason": self._failures[-1] if self._failures else None,
        }
