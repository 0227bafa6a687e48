# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Round trips through a QMP socket."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._stall.qmp import Prober, round_trip

GREETING = b'{"QMP": {"version": {}, "capabilities": []}}\r\n'
OK = b'{"return": {}}\r\n'
EVENT = b'{"event": "RTC_CHANGE"}\r\n'


@pytest.fixture
def serve(tmp_path):
    path = str(tmp_path / "qmp")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen(1)

    def start(*answers, delay=0.0, last=None):
        """Answer in turn, each after `delay` seconds, the last after `last`."""

        def run():
            with contextlib.suppress(OSError):
                while True:
                    connection, _address = listening.accept()
                    with connection:
                        connection.sendall(answers[0])
                        for number, answer in enumerate(answers[1:], 2):
                            connection.recv(4096)
                            time.sleep(last if last and number == len(answers) else delay)
                            connection.sendall(answer)

        threading.Thread(target=run, daemon=True).start()
        return path

    yield start
    listening.close()


def test_a_round_trip_is_timed(serve):
    milliseconds, failure = round_trip(serve(GREETING, OK, EVENT + OK, delay=0.05), 2)
    assert failure is None
    assert 45 < milliseconds < 500


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((b"SSH-2.0\n",), "closed"),
        ((GREETING, b"[]\n"), "not QMP"),
        ((GREETING, b'{"error": {}}\n'), "not QMP"),
        ((GREETING, b"{\n"), "not QMP"),
        ((GREETING, b"x" * 70000), "not QMP"),
        ((GREETING, b"[" * 60000 + b"\n"), "not QMP"),
        ((GREETING, b'{"return": ' + b"1" * 5000 + b"0e" + b"}\n"), "not QMP"),
    ],
)
def test_answers_that_are_not_qmp(serve, answers, expected):
    milliseconds, failure = round_trip(serve(*answers), 2)
    assert milliseconds is None
    assert expected in failure


def test_a_socket_held_by_another_client_times_out(serve):
    began = time.monotonic()
    assert "another client holds the socket" in round_trip(serve(b""" """, OK, delay=5), 0.2)[1]
    assert time.monotonic() - began < 2


def test_no_socket(tmp_path):
    assert "No such file" in round_trip(str(tmp_path / "absent"), 1)[1]


def test_a_prober_counts_what_it_saw(serve):
    prober = Prober(serve(GREETING, OK, OK), 0.01, 1)
    prober.start()
    time.sleep(0.2)
    prober.stop()
    prober.join(2)
    record = prober.record()
    assert record["answered"] >= 2
    assert (record["unanswered"], record["reason"]) == (0, None)
    assert 0 <= record["median_ms"] <= record["longest_ms"]


def probe(path, seconds, timeout=5):
    prober = Prober(path, 0.01, timeout)
    prober.start()
    time.sleep(seconds)
    prober.stop()
    return prober.record()


def test_a_question_in_progress_at_the_end_counts_with_its_age(serve):
    record = probe(serve(GREETING, OK, OK, last=10), 0.4)
    assert (record["answered"], record["unanswered"], record["median_ms"]) == (0, 1, None)
    assert 100 < record["longest_ms"] < 4000
    assert "main loop does not respond" in record["reason"] and "another client" not in record["reason"]


def test_a_question_that_timed_out_counts_with_its_wait(serve):
    record = probe(serve(GREETING, OK, OK, last=10), 1.5, timeout=0.6)
    assert record["unanswered"] >= 1 and 100 < record["longest_ms"] < 1500


def test_a_missing_greeting_counts_and_is_reported(serve):
    record = probe(serve(b""" """, OK), 0.2)
    assert (record["answered"], record["unanswered"], record["longest_ms"]) == (0, 1, None)
    assert record["reason"].startswith("no greeting within 0.") and "another client" in record["reason"]


def test_an_answer_after_the_watch_is_not_counted_twice(serve):
    prober = Prober(serve(GREETING, OK, OK, last=1.5), 0.01, 5)
    prober.start()
    time.sleep(0.4)
    prober.stop()
    prober.join(5)
    assert (prober.record()["answered"], prober.record()["unanswered"]) == (0, 1)
