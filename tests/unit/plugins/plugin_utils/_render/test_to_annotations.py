# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import re

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._render.to_annotations import (
    MOST,
    annotation_lines,
)
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.plugin_utils._render.sample import (
    COMMANDS,
    HOSTILE,
    document,
    finding,
    fleet,
    guest,
    host,
    waiver,
)

#: The command, its properties and its text, as actions/runner takes them apart (ActionCommand.TryParseV2).
LINE = re.compile(r"::(\w+) ((?:\w+=[^:,]*)(?:,\w+=[^:,]*)*)::(.*)")


def obeyed(line):
    """What GitHub makes of a line: (command, properties, text)."""
    command, properties, text = LINE.fullmatch(line).groups()

    def back(value, codes):
        for char in codes:
            value = value.replace("%%%02X" % ord(char), char)
        return value.replace("%25", "%")

    pairs = (pair.split("=", 1) for pair in properties.split(","))
    return command, {name: back(value, "\r\n:,") for name, value in pairs}, back(text, "\r\n")


def obeyed_all(*findings, **options):
    return [obeyed(line) for line in annotation_lines(document([guest()], findings), **options)]


def test_a_finding_is_shown_at_its_line():
    (one,) = obeyed_all(finding(file="configs/101.conf", rule="IO105"))
    assert one == (
        "error",
        {
            "file": "configs/101.conf",
            "line": "12",
            "title": "IO105 aio=native with a cached mode: the guest does not start",
        },
        "101 web01 scsi0: the disk has no iothread in effect. Set iothread=1 and virtio-scsi-single.",
    )
    kinds = [one[0] for one in obeyed_all(finding(severity="note"), finding(severity="warning"))]
    assert kinds == ["warning", "notice"]


@pytest.mark.parametrize(
    ("about", "properties", "begins"),
    [
        ({"file": "/repo/a/1,0:1%.conf"}, {"file": "a/1,0:1%.conf", "line": "12"}, "101 web01"),
        ({"file": "/etc/pve/101.conf"}, {}, "/etc/pve/101.conf:12: 101 web01"),
        ({"file": "../../101.conf"}, {}, "../../101.conf:12: 101 web01"),
        ({"file": "101.conf", "line": None}, {"file": "ci/101.conf"}, "101 web01"),
        ({"file": None, "line": None, "guest": None, "name": None, "disk": None, "host": "pve1"}, {}, "pve1: "),
    ],
)
def test_only_a_file_of_the_checkout_is_named_as_one(about, properties, begins):
    ((_command, given, text),) = obeyed_all(finding(**about), base="/repo", here="/repo/ci")
    assert {name: value for name, value in given.items() if name != "title"} == properties
    assert text.startswith(begins)


def test_the_most_severe_come_first_and_what_is_left_out_is_said():
    found = [
        finding(str(number), severity=severity) for severity in ("note", "error", "warning") for number in range(15)
    ]
    *lines, last = annotation_lines(document([], found))
    assert [obeyed(line)[0] for line in lines] == ["error"] * MOST + ["warning"] * MOST + ["notice"] * MOST
    assert last == (
        "Annotations: 10 of 15 errors, 10 of 15 warnings, 10 of 15 notes; GitHub shows no more of a step. The reports have all."
    )
    assert len(annotation_lines(fleet(1000))) == 21


def test_a_host_without_a_report_is_an_error_and_counts_as_one():
    doc = document([], [finding(str(number)) for number in range(10)], hosts=[host("pve1"), host("pve2", False)])
    first, *_others, last = annotation_lines(doc)
    assert obeyed(first)[0] == "error" and obeyed(first)[2].startswith("pve2: Unreachable or failed")
    assert last.startswith("Annotations: 9 of 10 errors")


def test_waived_findings_have_none():
    assert annotation_lines(document([guest()], [finding(waived=waiver())])) == []


@pytest.mark.parametrize("name", [*HOSTILE, *COMMANDS])
def test_what_a_guest_is_called_neither_ends_the_line_nor_adds_a_command(name):
    found = finding(name, name=name, disk=name, host=name, message=name, hint=name, file=name)
    (line,) = annotation_lines(document([], [found]))
    command, properties, text = obeyed(line)
    assert command == "error" and set(properties) <= {"file", "line", "title"}
    assert "##[" not in text and "::add-mask::" not in text and "\n" not in line
