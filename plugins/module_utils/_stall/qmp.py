# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Round trips through a guest's QMP socket: how long QEMU's main loop does not respond.

A QMP socket serves one client at a time, and the others wait. So each round trip connects anew, asks one question that
changes nothing (query-status), and disconnects at once.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

_LARGEST_ANSWER = 1 << 16
# At the end of a watch, an answer counts as missing only if it has been awaited for so many seconds.
_LATE = 0.02


def round_trip(
    path: str,
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
    when_asked: Callable[[float], None] = lambda moment: None,
) -> tuple[float | None, str | None]:
    """(milliseconds, None) of an answer; (milliseconds waited, why) where none came, None milliseconds where the
    question was not even sent.

    ``timeout`` is in seconds, for the whole conversation. ``when_asked`` is called with the time of the question.
    """
    end = clock() + timeout
    asked: float | None = None
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
            return None, f"cannot be reached: {error.strerror or error}"
        except (ValueError, RecursionError):
            return None, "the answer is not QMP"


def _no_answer(seconds: float, asked: bool) -> str:
    if asked:
        return f"no answer within {seconds:.3g} s: QEMU's main loop does not respond"
    return f"no greeting within {seconds:.3g} s: another client holds the socket, or QEMU's main loop does not respond"


class _Lines:
    def __init__(self, connection: socket.socket, end: float, clock: Callable[[], float]) -> None:
        self._connection = connection
        self._end = end
        self._clock = clock
        self._rest = b""

    def _line(self) -> bytes:
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

    def read_until(self, mark: bytes) -> None:
        while mark not in self._line():
            pass

    def answer(self) -> None:
        """Read up to the next answer; events in between are skipped. Raises ValueError where it is not a success."""
        while True:
            message = json.loads(self._line())
            if not isinstance(message, dict):
                raise ValueError("not an object")
            if "error" in message:
                raise ValueError("refused")
            if "return" in message:
                return


class Prober(threading.Thread):
    """Asks one guest every ``pause`` seconds until it is stopped."""

    def __init__(self, path: str, pause: float, timeout: float) -> None:
        super().__init__(daemon=True)
        self._path = path
        self._pause = pause
        self._timeout = timeout
        self._stop_asked = threading.Event()
        self._lock = threading.Lock()
        self._times: list[float] = []
        self._failures: list[tuple[float | None, str]] = []
        self._began: float | None = None
        self._asked: float | None = None

    def run(self) -> None:
        """Until stop()."""
        while not self._stop_asked.is_set():
            self._under_way(time.monotonic(), None)
            milliseconds, failure = round_trip(
                self._path, self._timeout, when_asked=lambda moment: self._under_way(self._began, moment)
            )
            with self._lock:
                self._count(milliseconds, failure)
            self._stop_asked.wait(self._pause)

    def _under_way(self, began: float | None, asked: float | None) -> None:
        with self._lock:
            self._began, self._asked = began, asked

    def _count(self, milliseconds: float | None, failure: str | None) -> None:
        if self._stop_asked.is_set():
            return
        if failure is not None:
            self._failures.append((milliseconds, failure))
        elif milliseconds is not None:
            self._times.append(milliseconds)
        self._began = self._asked = None

    def stop(self) -> None:
        """Count the round trip in progress with the time it has taken so far, and let it end."""
        now = time.monotonic()
        with self._lock:
            since = self._asked or self._began
            if since is not None and now - since >= _LATE:
                waited = None if self._asked is None else (now - self._asked) * 1000
                self._count(waited, _no_answer(now - since, self._asked is not None))
            self._stop_asked.set()

    def record(self) -> dict[str, Any]:
        """{socket, answered, unanswered, median_ms, longest_ms, reason}; the longest includes the unanswered ones."""
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
