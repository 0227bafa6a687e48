# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a node says of itself on stderr and in a table, in the words that were recorded, and what it does not say."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.node import (
    Complaint,
    Node,
    Unanswered,
)

LIST = """\
      VMID NAME                 STATUS     MEM(MB)    BOOTDISK(GB) PID
       500 VM 500               stopped    32                 1.00 0
       508 101 running          running    32                 1.00 4711
 100000001 big                  stopped    512                0.00 0
"""
STATUS = """\
Name             Type     Status     Total (KiB)      Used (KiB) Available (KiB)        %
ceph              rbd   inactive               0               0               0    0.00%
local             dir     active       264212084        43027776        63363136   16.29%
nfsoff            nfs   inactive               0               0               0    0.00%
old               dir   disabled               0               0               0      N/A
"""
UNDEFINED = "property is not defined in schema and the schema does not allow additional properties"


class Host:
    """Answers both questions, and counts."""

    def __init__(self, words="", qm=0, pvesm=0, out=LIST):
        self.calls = []
        self.answers = {
            "qm": (qm, out, words),
            "pvesm": (pvesm, STATUS, "storage 'nfsoff' is not online\nno ceph here\n"),
        }

    def __call__(self, arguments):
        assert arguments[:3] == ["timeout", "-k", "10"]
        self.calls.append(arguments[3:])
        return self.answers[arguments[4]]


def complaints(words):
    return Node(Host(words)).complaints()


def test_each_guest_of_the_node_is_there_without_a_complaint_too():
    assert complaints("") == {"500": [], "508": [], "100000001": []}


@pytest.mark.parametrize(("words", "guest", "expected"), [
    (f"vm 500 - unable to parse value of 'net0' - format error\nnewopt: {UNDEFINED}\n", "500",
     [("net0", f"format error; newopt: {UNDEFINED}")]),
    ("vm 508 - unable to parse value of 'cpu' - Custom cputype 'gone' not found\n"
     "vm 508 - unable to parse value of 'futurekey' - unknown setting 'futurekey'\n", "508",
     [("cpu", "Custom cputype 'gone' not found"), ("futurekey", "unknown setting 'futurekey'")]),
    ("vm 500 - unable to parse value of 'cicustom' - format error\nuser: invalid format - unable to parse volume ID '/etc/u'\n\n\n", "500",
     [("cicustom", "format error; user: invalid format - unable to parse volume ID '/etc/u'")]),
    ("vm 500 - unable to parse value of 'scsi0'\n", "500", [("scsi0", "not a valid value")]),
    ("vm 500 - unable to parse config: no colon\n", "500", [(None, "unable to parse config: no colon")]),
    ("vm 500 - skipping unknown section: 'a b'\n", "500", [(None, "skipping unknown section: 'a b'")]),
])  # fmt: skip
def test_what_it_would_drop(words, guest, expected):
    found = complaints(f"perl: warning: Setting locale failed.\n{words}")
    assert found[guest] == [Complaint(*pair) for pair in expected]
    assert all(found[other] == [] for other in found if other != guest)


@pytest.mark.parametrize("break_", ["\r", "\x0b", "\x0c", "\x85", "\u2028"])
def test_a_line_of_one_guest_is_no_complaint_about_another(break_):
    found = complaints(f"vm 500 - unable to parse config: x{break_}vm 508 - unable to parse value of 'net0' - no\n")
    assert found["508"] == [] and len(found["500"]) == 1


def test_storages_that_cannot_be_used_and_why():
    assert Node(Host()).storages() == {
        "ceph": "storage 'ceph' is not online",
        "local": None,
        "nfsoff": "storage 'nfsoff' is not online",
        "old": "storage 'old' is disabled, or not for this node",
    }


def test_both_are_asked_once_at_the_same_time_whoever_asks():
    host = Host()
    node = Node(host, timeout=7)
    assert host.calls == []
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: node.complaints() if number % 2 else node.storages(), range(40)))
    assert sorted(host.calls) == [["7", "pvesm", "status"], ["7", "qm", "list"]]


@pytest.mark.parametrize(("status", "words", "expected"), [
    (124, "", "qm list gave no answer within 7 s and was ended"),
    (137, "", "qm list gave no answer within 7 s and was ended"),
    (127, "timeout: failed to run command 'qm'", "there is no command qm; is this a Proxmox VE node?"),
    (255, "ipcc_send_rec[1] failed: Connection refused\n", "qm list exited with status 255: ipcc_send_rec[1] failed: Connection refused"),
    (0, "x" * 99 + "\n[77 bytes left out]\nvm 500 - u", "qm list printed more than the 1024 KiB that are read"),
])  # fmt: skip
def test_no_answer_is_never_taken_for_no_complaint(status, words, expected):
    node = Node(Host(words, qm=status), timeout=7)
    with pytest.raises(Unanswered) as exc:
        node.complaints()
    assert str(exc.value) == expected and node.storages()["local"] is None


def test_the_longest_wait_is_not_that_of_a_write():
    host = Host()
    Node(host, timeout=300).storages()
    assert {call[0] for call in host.calls} == {"120"}
