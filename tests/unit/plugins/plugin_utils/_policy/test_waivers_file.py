# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A file of waivers is read as data, and what is wrong with it is said with its name."""

from __future__ import annotations

import os
import time

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy import policy as _policy
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy import waivers_file
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.errors import PolicyError
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.selector import Selector, guest_subject
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.waivers import Waivers
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.waivers_file import load

from .fleet import DAY, guest

WAIVERS = """\
- id: W-1
  match: "guest.id == '105'"
  rules: [IO101]
  until: 2027-03-31
  reason: "{{ lookup('pipe', 'id') }}"
"""


def parsed(tmp_path, text):
    path = tmp_path / "waivers.yml"
    path.write_text(text)
    return _policy.parse({}, None, load(str(path))).waivers


def test_a_list_of_waivers(tmp_path):
    (waiver,) = parsed(tmp_path, WAIVERS)
    assert (waiver.id, waiver.reason) == ("W-1", "{{ lookup('pipe', 'id') }}")


@pytest.mark.parametrize("text", ["", "---\n", "[]\n"])
def test_a_file_without_waivers(tmp_path, text):
    assert parsed(tmp_path, text) == ()


@pytest.mark.parametrize("path", [None, ""])
def test_no_file(path):
    assert load(path) is None


SECRET = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n"
DEEP = "[" * 500


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (WAIVERS.replace("2027-03-31", "2027-02-30"), "waivers.yml[0].until: is '2027-02-30', it takes a date"),
        (WAIVERS.replace("2027-03-31", "soon"), "waivers.yml[0].until: is 'soon', it takes a date"),
        (WAIVERS.replace("2027-03-31", "1" * 5000), "waivers.yml[0].until: is '1111"),
        (WAIVERS + "gate_fail_on: none\n", "waivers.yml line 6: is not YAML"),
        ("guest_io_waivers: []\n", "waivers.yml: does not hold a list of waivers"),
        ("- !!python/object/apply:os.system [id]\n", "waivers.yml line 1: has a tag (!)"),
        ("- &a [x]\n", "waivers.yml line 1: has an anchor or alias"),
        (WAIVERS + "- *a\n", "waivers.yml line 6: has an anchor or alias"),
        (DEEP, "waivers.yml line 1: is nested deeper than 10 levels"),
        ("- {a: {b: {c: {d: {e: {f: {g: {h: {i: {j: {k: {}}}}}}}}}}}}\n", "is nested deeper than 10 levels"),
        ("- {[a]: b}\n", "waivers.yml line 1: is not YAML"),
        ("--- []\n--- []\n", "waivers.yml line 2: is not YAML"),
        ("a\0b", "waivers.yml: is not YAML"),
        (WAIVERS.replace("reason", "resaon"), "waivers.yml[0].resaon: is not known"),
        (WAIVERS + "  until: 2028-03-31\n", "waivers.yml line 6: repeats the key until"),
        (WAIVERS + "  'id': W-2\n", "waivers.yml line 6: repeats the key id"),
        ("- {x: a, x: b}\n", "waivers.yml line 1: repeats a key"),
        (WAIVERS.replace("reason", "x" * 1000), "waivers.yml[0].xxxx"),
    ],
)
def test_what_is_refused(tmp_path, text, words):
    with pytest.raises(PolicyError) as caught:
        parsed(tmp_path, text)
    assert str(caught.value).startswith(f"waivers_file {tmp_path}/waivers.yml") and words in str(caught.value)
    assert len(caught.value.reason) < 200 and len(caught.value.place) < len(str(tmp_path)) + 120


@pytest.mark.parametrize("libyaml", [True, False])
@pytest.mark.parametrize(
    "text",
    [SECRET, f"- {SECRET}", "".join(f"- {line}\n" for line in SECRET.split()), f"'{SECRET}", f"key: {SECRET}: x", f"[a, '{SECRET}'", f"- {{a: {SECRET!r}}}\n",
     "- !BEGIN!x y", f"%{SECRET}", f"&{SECRET}", f"!{SECRET}", f"*{SECRET}", f"- a\n{SECRET}", f"a: b\n{SECRET}", f"root:{SECRET!r}:19000:0:99999:7:::\n"],
)  # fmt: skip
def test_a_file_that_holds_something_else_is_not_shown(tmp_path, monkeypatch, text, libyaml):
    monkeypatch.setattr(waivers_file.yaml, "__with_libyaml__", libyaml and waivers_file.yaml.__with_libyaml__)
    with pytest.raises(PolicyError) as caught:
        parsed(tmp_path, text)
    assert "BEGIN" not in str(caught.value) and "b3Blb" not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_link_is_refused_and_its_target_not_shown(tmp_path):
    (tmp_path / "id_rsa").write_text(SECRET)
    (tmp_path / "waivers.yml").symlink_to(tmp_path / "id_rsa")
    with pytest.raises(PolicyError, match="waivers.yml: is a link; give the file itself$"):
        load(str(tmp_path / "waivers.yml"))


def test_what_is_not_a_regular_file_is_refused_without_waiting_for_it(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, "/dev/zero"):
        with pytest.raises(PolicyError, match=": is not a regular file$"):
            load(str(path))


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with open(tmp_path / "waivers.yml", "wb") as stream:
        stream.truncate(8 << 30)
    with pytest.raises(PolicyError, match=": is larger than 4 MiB$"):
        load(str(tmp_path / "waivers.yml"))


def test_bytes_that_are_not_text(tmp_path):
    (tmp_path / "waivers.yml").write_bytes(WAIVERS.encode() + b"# \xe4\n")
    with pytest.raises(PolicyError, match="waivers.yml line 6: is not UTF-8$"):
        load(str(tmp_path / "waivers.yml"))


def many(count, match="guest.id == '{}'"):
    return "".join(
        f'- {{id: W-{n}, match: "{match.format(n)}", rules: [IO101, IO102, IO103], until: 2027-03-31, reason: x}}\n'
        for n in range(count)
    )


@pytest.fixture
def evaluated(monkeypatch):
    """The selectors that were evaluated, one for each time."""
    seen = []
    matches = Selector.matches
    monkeypatch.setattr(Selector, "matches", lambda self, subject: seen.append(self) or matches(self, subject))
    return seen


def test_thousands_of_waivers_are_each_looked_at_once(tmp_path, evaluated):
    """Not once for each finding, nor for each other waiver."""
    began = time.process_time()
    waivers = parsed(tmp_path, many(5_000))
    assert len(waivers) == 5_000 and time.process_time() - began < 20
    used = Waivers(waivers, DAY)
    for number in range(100, 300):
        found = guest("scsi0: local:1/d.raw\n", str(number))
        assert [used.find(rule, guest_subject(found))["id"] for rule in ("IO101", "IO102")] == [f"W-{number}"] * 2
    assert len(evaluated) == 400


@pytest.mark.parametrize(
    "match",
    [
        "guest.name == 'n{}'",
        "key == 'scsi0' && guest.id == '{}'",
        "!guest.template && (key == 'scsi0' && guest.name == 'n{}')",
    ],
)
def test_waivers_that_name_another_guest_are_not_evaluated(tmp_path, evaluated, match):
    used = Waivers(parsed(tmp_path, many(200, match)), DAY)
    found = guest_subject(guest("name: n105\nscsi0: local:1/d.raw\n", "105"))
    assert used.find("IO101", {**found, "key": "scsi0"})["id"] == "W-105"
    assert [one["matched"] for one in used.used() if one["matched"]] == [1] and len(evaluated) == 1


@pytest.mark.parametrize(
    ("match", "times", "matched"),
    [
        ("starts_with(guest.name, 'n{}')", 20, {"W-7": 6, "W-8": 6}),
        ("key == 'scsi0' && starts_with(guest.name, 'n{}')", 40, {"W-7": 3, "W-8": 3}),
        ("!guest.template", 1, {f"W-{n}": 12 for n in range(20)}),
    ],
)
def test_waivers_that_name_no_guest_are_evaluated_once_for_a_guest_or_a_disk(evaluated, match, times, matched):
    """Not once for each finding; those of one selector once for all of them."""
    waivers = [
        {"id": f"W-{n}", "match": match.format(n), "rules": ["IO101", "IO102"], "until": "2027-03-31", "reason": "x"}
        for n in range(20)
    ]
    used = Waivers(_policy.parse({"waivers": waivers}).waivers, DAY)
    for number in ("7", "8"):
        found = guest_subject(guest(f"name: n{number}\n", number))
        for subject in ({**found, "key": "scsi0"}, {**found, "key": "scsi1"}):
            for rule in ("IO101", "IO102", "IO101"):
                used.find(rule, subject)
    assert len(evaluated) == 2 * times
    assert {one["id"]: one["matched"] for one in used.used() if one["matched"]} == matched


def test_a_guest_that_a_waiver_names_by_id_and_by_name_is_waived_once():
    waiver = {
        "id": "W-1",
        "match": "guest.id == '105' || guest.name == 'a'",
        "rules": ["IO101"],
        "until": "2027-03-31",
        "reason": "x",
    }
    used = Waivers(_policy.parse({"waivers": [waiver]}).waivers, DAY)
    assert used.find("IO101", guest_subject(guest("name: a\n", "105"))) and used.used()[0]["matched"] == 1


@pytest.mark.parametrize(
    ("match", "ids", "names"),
    [
        ("guest.id == '1'", {"1"}, set()),
        ("'1' == guest.id", {"1"}, set()),
        ('guest.id == `"1"`', {"1"}, set()),
        ("contains(['1', '2'], guest.id)", {"1", "2"}, set()),
        ("guest.id == '1' || guest.id == '2' || contains(['3'], guest.id)", {"1", "2", "3"}, set()),
        ("guest.id == '1' && key == 'scsi0'", {"1"}, set()),
        ("(guest.id == '1' || guest.id == '2') && guest.lock == `null`", {"1", "2"}, set()),
        ("key == 'scsi0' && guest.id == '1'", {"1"}, set()),
        ("(key == 'scsi0' && !guest.template) && (guest.lock == `null` && guest.id == '1')", {"1"}, set()),
        ("contains(['1', '2'], guest.id) && guest.name == 'a'", set(), {"a"}),
        ("guest.id == '1' || guest.template", set(), set()),
        ("guest.id != '1'", set(), set()),
        ("!(guest.id == '1')", set(), set()),
        ("guest.id == guest.name", set(), set()),
        ("guest.name == 'a'", set(), {"a"}),
        ("guest.id == '1' || contains(['a', 'b'], guest.name)", {"1"}, {"a", "b"}),
        ("!(key == 'scsi0' && guest.id == '1')", set(), set()),
        ("contains(['1', guest.name], guest.id)", set(), set()),
        ("contains(guest.tags, '1')", set(), set()),
        ("guest.id == '1' == `true`", set(), set()),
    ],
)
def test_the_guests_a_selector_names(match, ids, names):
    named = {*(("id", one) for one in ids), *(("name", one) for one in names)}
    assert Selector("match", match).named == (named or None)


def test_the_first_waiver_in_its_list_holds_whether_it_names_a_guest_or_not():
    for order in (["guest.id == '100'", "!guest.template"], ["!guest.template", "guest.id == '100'"]):
        waivers = [
            {"id": f"W-{n}", "match": match, "rules": ["IO101"], "until": "2027-03-31", "reason": "x"}
            for n, match in enumerate(order)
        ]
        used = Waivers(_policy.parse({"waivers": waivers}).waivers, DAY)
        assert used.find("IO101", guest_subject(guest("name: a\n")))["id"] == "W-0" and [
            one["matched"] for one in used.used()
        ] == [1, 1]


def test_no_more_than_a_piece_of_a_path_that_is_too_long_is_shown():
    with pytest.raises(PolicyError) as caught:
        load("/x\x1b" * 100_000)
    assert (
        str(caught.value).endswith("…: cannot be read: File name too long")
        and len(str(caught.value)) < 150
        and "\x1b" not in str(caught.value)
    )


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(PolicyError, match="waivers_file gone.yml: cannot be read: No such file"):
        load("gone.yml")
