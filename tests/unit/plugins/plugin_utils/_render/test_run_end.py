# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What fails a run at its end, and how a second try replaces the first."""

from __future__ import annotations

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._fleet.retry import merge
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.failures import failures


def result(guest, status="failed", reason="digest_moved"):
    return {"guest": guest, "status": status, "reason": reason, "detail": "words"}


def finding(**more):
    return {
        "rule": "IO100",
        "severity": "error",
        "disk": None,
        "waived": None,
        "file": "/x",
        "line": 3,
        "guest": "7",
        "message": "is empty",
        **more,
    }


def test_only_failed_guests_and_unread_files_fail_a_run():
    found = [
        finding(),
        finding(disk="scsi0"),
        finding(severity="warning"),
        finding(rule="IO102"),
        finding(waived={"id": "W"}),
        finding(file=None),
        finding(file=None, guest=None, message="libvirt gives no connection"),
    ]
    results = [result("1"), result("2", "skipped", "locked"), result("3", "changed", None)]
    assert failures({"findings": found}, results) == [
        "1 guest failed (config changed since it was read: 1); the report above says why",
        "/x line 3: is empty",
        "guest 7: is empty",
        "libvirt gives no connection",
    ]


def test_a_second_try_takes_the_place_of_the_first():
    first = [result("1"), result("2"), result("3"), result("4", "changed", None)]
    merged = merge(first, {"guests": [{"guest": "1"}, {"guest": "2"}]}, [result("1", "changed", None)])
    assert [(entry["guest"], entry["status"], entry["reason"]) for entry in merged] == [
        ("1", "changed", None),
        ("2", "unchanged", None),
        ("3", "failed", "digest_moved"),
        ("4", "changed", None),
    ]


def test_the_same_number_on_two_nodes_is_two_guests():
    first = [{**result("1"), "node": "a"}, {**result("1"), "node": "b"}]
    second = {"guests": [{"guest": "1", "node": "a"}, {"guest": "1", "node": "b"}]}
    merged = merge(first, second, [{**result("1", "failed", "busy"), "node": "b"}])
    assert [(entry["node"], entry["status"], entry["reason"]) for entry in merged] == [
        ("a", "unchanged", None),
        ("b", "failed", "busy"),
    ]
    assert failures({"findings": [], **second}, merged) == [
        "1 guest failed (locked by another process: 1 on b); the report above says why"
    ]


def test_the_last_line_of_a_run_is_short_however_much_failed():
    results = [
        {**result(str(number), reason="refused"), "detail": "400 failed\nqm set <vmid>\n" * 50}
        for number in range(100, 500)
    ]
    found = [finding(file=f"/x/{number}.conf", message="is empty\n" * 100) for number in range(300)]
    said = "; ".join(failures({"findings": found}, results))
    assert said.startswith("400 guests failed (refused: 100, 101, ") and " and 390 more); the report" in said
    assert said.endswith("and 290 more problems; the report above names them all")
    assert "qm set" not in said and "\n" not in said and len(said) < 3000
