# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What is found, how grave it is, and what the plan does about it."""

from __future__ import annotations

import json

import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.errors import PolicyError

from .fleet import DAY, NODES, assess, changes, guest, judge, rules

PCI, SINGLE = "scsihw: virtio-scsi-pci\n", "scsihw: virtio-scsi-single\n"
CURED = {"iothread": True, "aio": "threads"}
NEW, OLD = {"running": None, "installed": "10.1.2"}, {"running": None, "installed": "8.1.5"}


def test_the_usual_guest_is_cured_whole():
    found = judge(PCI + "scsi0: local:1/d.raw,discard=on\n")
    assert rules(found) == [("IO101", "error"), ("IO102", "error"), ("IO103", "error")]
    assert changes(found) == {"controller": {"type": "virtio-scsi-single"}, "scsi0": CURED}
    assert all(finding["fixable"] for finding in found["findings"]) and found["unresolved"] == []


def test_a_hardened_guest_has_nothing_to_do():
    found = judge(
        SINGLE
        + "scsi0: local:1/d.raw,iothread=1,aio=threads\nvirtio0: local:1/e.raw,iothread=1,aio=threads,cache=none\n"
    )
    assert found["findings"] == [] and found["plan"] == [] and found["summary"]["compliant"] == 1


@pytest.mark.parametrize("scsihw", ["", "scsihw: lsi\n", "scsihw: megasas\n", "scsihw: pvscsi\n"])
def test_a_driver_is_not_changed_unasked(scsihw):
    found = judge(scsihw + "scsi0: local:1/d.raw\n")
    assert changes(found) == {"scsi0": {"aio": "threads"}}
    (entry,) = found["unresolved"]
    assert entry["reason"] == "driver_change" and "IO101 SCSI controller" in entry["detail"]
    assert any("migrate_controllers: \"guest.id == '100'\"" in finding["hint"] for finding in found["findings"])
    assert changes(judge(scsihw + "scsi0: local:1/d.raw\n", migrate="guest.id == '999'")) == {
        "scsi0": {"aio": "threads"}
    }


def test_a_finding_about_an_unset_controller_points_at_the_first_disk():
    for text, line in (
        ("name: a\nscsi1: local:1/e.raw\nscsi0: local:1/d.raw\n", 3),
        ("name: a\nscsi0: local:1/d.raw\nscsihw: lsi\n", 3),
    ):
        (about,) = [finding for finding in judge(text)["findings"] if finding["rule"] == "IO101"]
        assert (about["disk"], about["line"]) == (None, line)


def test_a_driver_is_changed_where_the_guest_is_named():
    found = judge("scsi0: local:1/d.raw\n", migrate="guest.id == '100'")
    assert (
        changes(found) == {"controller": {"type": "virtio-scsi-single"}, "scsi0": CURED} and found["unresolved"] == []
    )


def test_a_guest_without_scsi_disks_keeps_its_controller():
    assert changes(judge("virtio0: local:1/d.raw\nscsi1: none,media=cdrom\n")) == {"virtio0": CURED}


def test_ignored_iothread_is_cured_by_the_controller_alone():
    found = judge(PCI + "scsi0: local:1/d.raw,iothread=1,aio=threads\n")
    assert rules(found) == [("IO101", "warning"), ("IO102", "warning")] and changes(found) == {
        "controller": {"type": "virtio-scsi-single"}
    }
    assert "ignored" in [finding["message"] for finding in found["findings"] if finding["rule"] == "IO102"][0]


@pytest.mark.parametrize("bus", ["ide0", "sata0"])
def test_buses_without_iothread_get_threads_and_a_word(bus):
    found = judge(f"{bus}: local:1/d.raw\n")
    assert rules(found) == [("IO103", "error"), ("IO106", "error")] and changes(found) == {bus: {"aio": "threads"}}
    assert rules(judge(f"{bus}: local:1/d.raw,aio=threads\n")) == [("IO106", "warning")]


@pytest.mark.parametrize(
    ("qemu", "iothread", "severity"),
    [(NEW, 1, "note"), (NEW, 0, "error"), (OLD, 1, "error"), ({"running": None, "installed": None}, 1, "error"),
     ({"running": "8.2.0", "installed": "10.0.0"}, 1, "error"), ({"running": "9.0.2", "installed": "10.0.0"}, 1, "note")],
)  # fmt: skip
def test_aio_is_as_grave_as_the_evidence(qemu, iothread, severity):
    found = judge(SINGLE + f"scsi0: local:1/d.raw,iothread={iothread}\n", qemu=qemu)
    assert ("IO103", severity) in rules(found) and changes(found)["scsi0"]["aio"] == "threads"


@pytest.mark.parametrize(
    ("lines", "severity"),
    [("meta: creation-qemu=10.1.2,ctime=1\n", "note"), ("machine: pc-q35-10.1\n", "note"), ("machine: type=pc-i440fx-9.0+pve0,viommu=virtio\n", "note"),
     ("meta: creation-qemu=8.1.5\nmachine: pc-q35-9.2+pve1\n", "note"), ("meta: creation-qemu=8.2.50\n", "error"), ("machine: q35\n", "error"),
     ("machine: q35\n\n[PENDING]\nmachine: pc-q35-10.1\n", "note"), ("machine: pc-q35-" + "1" * 5000 + ".0\n", "error")],
)  # fmt: skip
def test_a_config_may_prove_the_qemu_that_starts_its_guest(lines, severity):
    text = SINGLE + "scsi0: local:1/d.raw,iothread=1\n" + lines
    assert ("IO103", severity) in rules(judge(text)) and changes(judge(text))["scsi0"]["aio"] == "threads"
    assert ("IO103", "error") in rules(judge(text, qemu={**guest(text)["qemu"], **OLD})), (
        "what is installed starts it, whatever the config says"
    )


def test_a_policy_may_accept_either_aio():
    assert judge(SINGLE + "scsi0: local:1/d.raw,iothread=1\n", {"disk": {"aio": ["threads", "io_uring"]}})["plan"] == []


@pytest.mark.parametrize("mode", ["writethrough", "directsync"])
def test_durability_is_loosened_only_where_a_policy_names_it(mode):
    text = SINGLE + f"scsi0: far:1/d.raw,iothread=1,aio=threads,cache={mode}\n"
    found = judge(text)
    assert rules(found) == [("IO104", "warning")] and found["plan"] == []
    assert changes(judge(text, {"disk": {"loosen": [mode]}})) == {"scsi0": {"cache": "none"}}
    assert changes(judge(text, {"overrides": [pasted(found)]})) == {"scsi0": {"cache": "none"}}


def pasted(document):
    """The override that the hint of the only finding shows, as a person copies it into a policy."""
    (finding,) = document["findings"]
    (entry,) = yaml.safe_load(finding["hint"].split("the policy's overrides: ")[1].partition("}}")[0] + "}}")
    return entry


def test_unsafe_always_fails_even_where_cache_is_kept():
    text = SINGLE + "scsi0: far:1/d.raw,iothread=1,aio=threads,cache=unsafe\n"
    assert rules(judge(text)) == [("IO104", "error")] and changes(judge(text)) == {"scsi0": {"cache": "none"}}
    kept = judge(text, {"disk": {"cache": "keep"}})
    assert rules(kept) == [("IO104", "error")] and kept["plan"] == []


def test_btrfs_with_copy_on_write_is_never_forced_to_direct():
    base = SINGLE + "scsi0: {}:1/d.raw,iothread=1,aio=threads{}\n"
    assert judge(base.format("cow", ""))["findings"] == []
    assert judge(base.format("cow", ",cache=writeback"), {"disk": {"cache": "none"}})["findings"] == []
    assert rules(judge(base.format("cow", ",cache=none"))) == [("IO104", "warning")]
    assert judge(base.format("cow", ",cache=none"))["plan"] == []
    assert changes(judge(base.format("cow", ",cache=unsafe"))) == {"scsi0": {"cache": "writeback"}}
    assert changes(judge(base.format("nocow", ",cache=writeback"))) == {"scsi0": {"cache": "none"}}


def test_native_on_a_cached_disk_does_not_start_and_is_cured():
    found = judge(SINGLE + "scsi0: far:1/d.raw,iothread=1,aio=native,cache=writeback\n")
    assert rules(found) == [("IO104", "warning"), ("IO105", "error")]
    assert changes(found) == {"scsi0": {"aio": "threads", "cache": "none"}}


@pytest.mark.parametrize(
    "policy", [{"disk": {"aio": "keep", "cache": "keep"}}, {"disk": {"aio": "native", "cache": "keep"}}]
)
def test_no_plan_makes_a_guest_that_cannot_start(policy):
    found = judge(SINGLE + "scsi0: local:1/d.raw,iothread=1,aio=native,cache=writeback\n", policy)
    assert ("IO105", "error") in rules(found) and found["plan"] == []
    found = judge(SINGLE + "scsi0: local:1/d.raw,iothread=1,aio=threads,cache=writeback\n", policy)
    assert "aio" not in changes(found).get("scsi0", {})


@pytest.mark.parametrize(
    ("store", "aio"), [("thick:vm-1-d", "threads"), ("smb:1/d.raw", "threads"), ("krbd:vm-1-d", "threads")]
)
def test_mending_the_cache_does_not_bring_a_worse_aio(store, aio):
    found = judge(SINGLE + f"scsi0: {store},iothread=1,cache=writeback\n")
    assert changes(found) == {"scsi0": {"cache": "none", "aio": aio}} and rules(found) == [("IO104", "warning")]
    kept = judge(SINGLE + f"scsi0: {store},iothread=1,cache=writeback\n", {"disk": {"aio": "keep"}})
    assert changes(kept) == {"scsi0": {"cache": "none", "aio": aio}}


def test_librbd_is_told_not_set():
    found = judge(SINGLE + "scsi0: ceph:vm-100-disk-0,iothread=1\n")
    assert rules(found) == [("IO107", "note")] and found["plan"] == [] and found["summary"]["compliant"] == 1


def test_media_are_left_alone():
    text = (
        "ide2: none,media=cdrom\nide0: local:1/vm-1-cloudinit.qcow2,media=cdrom\nefidisk0: local:1/e.raw\n"
        "tpmstate0: local:1/t.raw\nscsi1: local:iso/x.iso,media=cdrom\n"
    )
    assert judge(text)["findings"] == [] and judge(text)["plan"] == []


@pytest.mark.parametrize(
    "text", ["scsi0: gone:d,iothread=1", "scsi0: local:1/d.raw,turbo=1", "sata0: local:1/d.raw,iothread=1"]
)
def test_what_cannot_be_judged_is_not_in_order(text):
    found = judge(SINGLE + text + "\n")
    assert ("IO100", "error") in rules(found) and found["plan"] == [] and found["summary"]["unresolved"] == 1


def test_what_waits_is_not_planned_again():
    text = (
        PCI
        + "scsi0: local:1/d.raw\n\n[PENDING]\nscsi0: local:1/d.raw,aio=threads,iothread=1\nscsihw: virtio-scsi-single\n"
    )
    found = judge(text, running=True)
    assert (
        found["plan"] == [] and found["summary"]["restart_pending"] == 1 and rules(found) == [("IO108", "warning")] * 2
    )


def test_what_waits_and_is_wrong_is_planned():
    found = judge(
        SINGLE + "scsi0: local:1/d.raw,aio=threads,iothread=1\n\n[PENDING]\nscsi0: local:1/d.raw\n",
        running=True,
        qemu=NEW,
    )
    assert changes(found) == {"scsi0": CURED}


def test_a_disk_on_its_way_out_is_left_alone():
    found = judge(SINGLE + "scsi0: local:1/d.raw\n\n[PENDING]\ndelete: scsi0\n")
    assert found["plan"] == []


def test_a_disk_whose_medium_is_taken_out_is_left_alone():
    found = judge(SINGLE + "scsi0: local:1/d.raw\n\n[PENDING]\nscsi0: none\n")
    assert found["plan"] == []


def test_a_locked_guest_is_told_and_left_alone():
    found = judge(PCI + "scsi0: local:1/d.raw\nlock: backup\n")
    assert ("IO110", "warning") in rules(found) and found["plan"] == [] and found["unresolved"][0]["reason"] == "locked"
    assert judge(SINGLE + "scsi0: local:1/d.raw,iothread=1,aio=threads\nlock: backup\n")["findings"] == []


def test_lines_that_a_write_would_drop_keep_the_guest_from_being_written():
    found = judge(PCI + "scsi0: local:1/d.raw\nnonsense\n")
    assert (
        found["plan"] == []
        and found["unresolved"][0]["reason"] == "unsafe_lines"
        and "line 3" in found["unresolved"][0]["detail"]
    )


FOREIGN = PCI + "scsi0: local:1/d.raw\n\n[PENDING]\ncores: 8\ndelete: net0\n"


@pytest.mark.parametrize(
    ("running", "allowed", "planned"),
    [(False, False, False), (False, True, True), (True, False, True), (None, False, True)],
)
def test_a_stopped_guest_with_somebody_elses_pending_changes_is_planned_only_where_that_is_allowed(
    running, allowed, planned
):
    found = assess([guest(FOREIGN, running=running)], {}, DAY, NODES, apply_foreign_pending=allowed)
    assert bool(found["plan"]) == planned and found["summary"]["to_change"] == planned
    assert any(finding["fixable"] for finding in found["findings"]) == planned
    if not planned:
        (entry,) = found["unresolved"]
        assert entry["reason"] == "foreign_pending" and "(cores, delete net0)" in entry["detail"]


def test_what_this_collection_left_pending_is_not_somebody_elses():
    text = (
        SINGLE
        + "scsi0: local:1/d.raw\nscsi1: local:1/e.raw\n\n[PENDING]\nscsi0: local:1/d.raw,aio=threads,iothread=1\n"
    )
    assert guest(text)["foreign_pending"] == [] and changes(judge(text, running=False, qemu=NEW)) == {"scsi1": CURED}


@pytest.mark.parametrize(("active", "planned"), [(False, False), (None, True), (True, True)])
def test_a_guest_on_an_offline_storage_is_left_alone(active, planned):
    """Of a record made by hand, for reading asks this of the live node alone."""
    one = guest(PCI + "scsi0: far:1/d.raw\nscsi1: local:1/e.raw\nscsi2: far:iso/x.iso,media=cdrom\n")
    for disk in one["disks"]:
        disk["storage"] = {
            **disk["storage"],
            **({} if active is None else {"active": active or disk["storage"]["id"] == "local"}),
        }
    found = assess([one], {}, DAY, NODES)
    assert bool(found["plan"]) == planned and found["summary"]["unresolved"] == (not planned)
    if not planned:
        assert (
            found["unresolved"][0]["reason"] == "storage_offline"
            and "storage far is offline" in found["unresolved"][0]["detail"]
        )
        assert not any(finding["fixable"] for finding in found["findings"])


def test_an_offline_storage_of_no_disk_that_changes_holds_nothing_back():
    one = guest(SINGLE + "scsi0: far:1/d.raw,iothread=1,aio=threads\nscsi1: local:1/e.raw\n")
    one["disks"][0]["storage"] = {**one["disks"][0]["storage"], "active": False}
    assert changes(assess([one], {}, DAY, NODES)) == {"scsi1": CURED}


SAFE = SINGLE + "scsi0: local:1/d.raw,iothread=1,aio=threads\n"


@pytest.mark.parametrize(
    "line",
    [
        "\ufeffscsi1: local:1/e.raw",
        " scsi1: local:1/e.raw",
        "SCSI1: local:1/e.raw",
        "scsi31: local:1/e.raw",
        "[x y]\nvirtio0: local:1/e.raw",
    ],
)
def test_a_line_that_was_to_be_a_disk_is_an_error_and_another_a_warning(line):
    assert ("IO100", "error") in rules(judge(SAFE + line + "\n"))
    assert rules(judge(SAFE + "nonsense\n")) == [("IO100", "warning")]
    assert ("IO100", "error") not in rules(judge(SAFE + "\n[before]\nscsi1: local:1/e.raw,unheard=1\n")), (
        "a snapshot's disk is not in force"
    )


@pytest.mark.parametrize(
    ("args", "found"),
    [
        ("-drive file=/dev/sda,if=virtio", True),
        ("-S --blockdev '{}'", True),
        ("-device vfio-pci,host=01:00", False),
        ("-cpu host,-drivel", False),
    ],
)
def test_disks_that_args_adds_are_not_called_in_order(args, found):
    assert rules(judge(SAFE + f"args: {args}\n")) == ([("IO100", "warning")] if found else [])


@pytest.mark.parametrize("selector", ["storage.type != 'rbd'", "bus != 'ide'", "!storage.krbd"])
def test_a_selector_of_guests_may_not_ask_for_a_disk(selector):
    """Of a guest these are null, and every driver would change."""
    with pytest.raises(
        PolicyError, match="^migrate_controllers: uses (storage|bus), a field of a disk, but selects guests"
    ):
        judge("scsi0: local:1/d.raw\n", migrate=selector)


def test_a_waiver_that_asks_for_a_disk_is_none_for_the_guest():
    waiver = {
        "id": "W-1",
        "match": "storage.id != 'x'",
        "rules": ["IO101", "IO102", "IO103"],
        "until": "2027-01-01",
        "reason": "y",
    }
    found = {
        finding["rule"]: finding["waived"]
        for finding in judge(PCI + "scsi0: local:1/d.raw\n", {"waivers": [waiver]})["findings"]
    }
    assert found["IO101"] is None and found["IO102"] and found["IO103"]


def test_snapshots_and_templates_get_a_note():
    found = judge(PCI + "scsi0: local:1/d.raw\ntemplate: 1\n\n[before]\nscsi0: local:1/d.raw\n")
    assert {("IO111", "note"), ("IO112", "note")} <= set(rules(found)) and found["plan"]


def test_a_snapshot_with_the_same_settings_is_no_note_where_nothing_changes():
    hardened = SINGLE + "scsi0: local:1/d.raw,iothread=1,aio=threads\n"
    assert judge(hardened + "\n[before]\n" + hardened)["findings"] == []
    assert rules(judge(hardened + "\n[before]\nscsi0: local:1/d.raw\n")) == [("IO111", "note")]


def test_what_a_config_says_without_end_is_told_in_short():
    many = "".join(f"\n[s{number}]\nscsi0: local:1/d.raw\n" for number in range(3000))
    (note,) = (one for one in judge(PCI + "scsi0: local:1/d.raw\n" + many)["findings"] if one["rule"] == "IO111")
    assert note["message"] == "a rollback to s0, s1, s10, s100, s1000, and 2995 more brings the old settings back"
    assert note["actual"] == ["s0", "s1", "s10", "s100", "s1000", "and 2995 more"]
    found = judge(PCI + f"lock: {'x' * 100_000}\nscsi0: local:1/d.raw\n")
    (locked,) = (one for one in found["findings"] if one["rule"] == "IO110")
    assert (
        locked["message"] == f"locked ({'x' * 59}…); run again when the lock is gone" and len(json.dumps(locked)) < 1000
    )


def test_a_storage_on_the_node_itself_is_told_from_a_remote_one():
    texts = {
        store: judge(SINGLE + f"scsi0: {store}:1/d.raw\n")["findings"][0]["message"]
        for store in ("own", "far", "named")
    }
    assert "served by this node itself (10.0.0.11)" in texts["own"]
    assert "itself" not in texts["far"] and "itself" not in texts["named"]
    policy = {"overrides": [{"match": "storage.location == 'node'", "disk": {"aio": "keep", "iothread": "keep"}}]}
    assert (
        judge(SINGLE + "scsi0: own:1/d.raw\n", policy)["findings"] == []
        and judge(SINGLE + "scsi0: far:1/d.raw\n", policy)["findings"]
    )
    unknown = {"overrides": [{"match": "storage.location == 'unknown'", "disk": {"aio": "keep", "iothread": "keep"}}]}
    assert judge(SINGLE + "scsi0: named:1/d.raw\n", unknown)["findings"] == []


def test_the_first_override_that_names_a_key_wins():
    policy = {"overrides": [{"match": "storage.id == 'far'", "disk": {"aio": "keep"}},
                            {"match": "guest.name == 'a'", "disk": {"aio": "native", "cache": "keep"}},
                            {"match": "guest.id == '100'", "controller": "keep"}]}  # fmt: skip
    found = judge("name: a\n" + PCI + "scsi0: far:1/d.raw,cache=writeback\n", policy)
    assert found["plan"] == [] and rules(found) == [("IO102", "error")]


def test_a_selector_that_fails_is_an_error_not_a_miss():
    with pytest.raises(PolicyError, match=r"overrides\[0\].match: fails for guest 100"):
        judge(
            "scsi0: local:1/d.raw\n", {"overrides": [{"match": "contains(guest.lock, 'x')", "disk": {"cache": "keep"}}]}
        )


def test_a_negation_means_what_it_reads_like():
    policy = {
        "overrides": [
            {"match": "storage.type == 'btrfs' && !storage.nocow", "disk": {"iothread": "keep", "aio": "keep"}}
        ]
    }
    assert (
        judge(SINGLE + "scsi0: cow:1/d.raw\n", policy)["findings"] == []
        and judge(SINGLE + "scsi0: nocow:1/d.raw\n", policy)["findings"] != []
    )
    policy["overrides"][0]["match"] = "!storage.servers[0]"
    with pytest.raises(PolicyError, match="stroage"):
        judge("scsi0: cow:1/d.raw\n", {"overrides": [{"match": "!stroage.nocow", "disk": {"cache": "keep"}}]})
    assert (
        judge(SINGLE + "scsi0: cow:1/d.raw\n", policy)["findings"] == []
        and judge(SINGLE + "scsi0: far:1/d.raw\n", policy)["findings"] != []
    )


@pytest.mark.parametrize("selector", ["guest.id", "guest.tags", "guest.name || guest.template", "length(guest.tags)"])
def test_a_selector_that_gives_a_value_matches_nobody_and_says_so(selector):
    with pytest.raises(PolicyError, match="^migrate_controllers: returns .* for guest 100"):
        judge("name: a\nscsi0: local:1/d.raw\n", migrate=selector)


@pytest.mark.parametrize(
    "expression", ["contains(guest.name, `5`)", "contains(guest.lock, 'x')", "starts_with(guest.lock, 'x')"]
)
def test_a_selector_that_cannot_be_evaluated_is_named_with_its_guest(expression):
    with pytest.raises(PolicyError, match=r"overrides\[0\].match: fails for guest 100"):
        judge("name: a\nscsi0: local:1/d.raw\n", {"overrides": [{"match": expression, "disk": {"cache": "keep"}}]})


@pytest.mark.parametrize(
    "expression",
    [
        "guest.tags[?@ == 'db'] | length(@) > `0`",
        "contains(guest.tags, 'db') && !guest.template",
        "storage.servers[0] == '10.0.0.99'",
        "effective.cache == 'none' && key != 'scsi9'",
        "guest.lock == `null`",
    ],
)
def test_selectors_that_are_conditions(expression):
    found = judge(
        "tags: db\n" + SINGLE + "scsi0: far:1/d.raw\n",
        {"overrides": [{"match": expression, "disk": {"aio": "keep", "iothread": "keep"}}]},
    )
    assert found["findings"] == []


WAIVER = {
    "id": "W-1",
    "match": "guest.id == '100'",
    "rules": ["IO101", "IO102", "IO103"],
    "until": "2026-11-23",
    "reason": "vendor",
}


def test_a_waiver_keeps_the_finding_and_drops_the_change():
    found = judge(PCI + "scsi0: local:1/d.raw\n", {"waivers": [WAIVER]})
    assert found["plan"] == [] and found["summary"]["waived"] == 1 and found["summary"]["waived_findings"] == 3
    assert all(finding["waived"]["id"] == "W-1" for finding in found["findings"])


def test_a_disk_is_waived_where_all_that_it_violates_is_and_then_it_is_not_compliant():
    """A waived note is no violation, and a drive that is rejected lies on no storage that is known."""

    def disks(rules, text="scsi0: local:1/d.raw\n"):
        found = judge(SINGLE + text, {"waivers": [{**WAIVER, "match": "key == 'scsi0'", "rules": rules}]}, qemu=NEW)
        return [(disk["compliant"], disk["waived"], disk["storage"]) for disk in found["guests"][0]["disks"]]

    local = {"id": "local", "type": "dir"}
    assert disks(["IO102", "IO103"]) == [(False, True, local)]
    assert disks(["IO102"]) == [(False, False, local)]
    assert disks(["IO103"], "scsi0: local:1/d.raw,iothread=1,aio=threads\n") == [(True, False, local)]
    assert disks(["IO103"], "scsi0: local:1/d.raw,iothread=1,aio=io_uring\n") == [(True, False, local)]
    assert disks(["IO102"], "scsi1: local:1/d.raw,no=such\n") == [(False, False, {"id": None, "type": None})]


def test_an_expired_waiver_waives_nothing_and_is_a_finding():
    found = judge(PCI + "scsi0: local:1/d.raw\n", {"waivers": [{**WAIVER, "until": "2026-11-22"}]})
    assert ("IO121", "warning") in rules(found) and found["plan"] and found["summary"]["waived_findings"] == 0


def test_a_waiver_that_matches_nothing_is_a_warning():
    found = judge(SINGLE + "scsi0: local:1/d.raw,iothread=1,aio=threads\n", {"waivers": [WAIVER]})
    assert rules(found) == [("IO122", "warning")]


def test_what_could_not_be_read_is_a_finding():
    problem = {"file": "/x", "line": 3, "guest": "7", "node": "pve1", "reason": "is empty"}
    found = assess([], {}, DAY, NODES, [problem], host="n1")
    assert [(f["rule"], f["severity"], f["file"], f["line"], f["host"]) for f in found["findings"]] == [
        ("IO100", "error", "/x", 3, "n1")
    ]


def test_everything_about_a_guest_names_its_host():
    """And what is about the policy names none."""
    unheld, unread = (
        guest("scsi0: local:1/d.raw\n"),
        {"file": "/x", "line": 3, "guest": "7", "node": "pve1", "reason": "x"},
    )
    policy = {"waivers": [{**WAIVER, "match": "guest.id == '1'"}]}
    found = assess([unheld], policy, problems=[unread], host="n1")
    for part in ("findings", "plan", "unresolved", "guests"):
        about = [entry for entry in found[part] if entry["guest"]]
        assert about and {entry["host"] for entry in about} == {"n1"}, part
    assert [entry["host"] for entry in found["findings"] if not entry["guest"]] == [None]


def test_guests_come_in_the_order_of_their_numbers():
    found = assess([guest(PCI + "scsi0: local:1/d.raw\n", number) for number in ("1000", "99", "100")], {}, DAY)
    assert [entry["guest"] for entry in found["plan"]] == ["99", "100", "1000"]


RUNS = {
    "driver": "file",
    "aio": "io_uring",
    "cache": "none",
    "cache_direct": True,
    "cache_no_flush": False,
    "iothread": False,
}


def running(text, **runs):
    found = guest(text, running=True)
    found["disks"][0]["runs"] = {**RUNS, **runs}
    return assess([found], {}, DAY)


def test_a_process_that_differs_from_its_config_is_drift():
    found = running(SINGLE + "scsi0: local:1/d.raw,iothread=1,aio=threads\n")
    assert (
        rules(found, "scsi0") == [("IO109", "warning")]
        and found["plan"] == []
        and found["summary"]["restart_pending"] == 1
    )
    assert found["findings"][0]["actual"] == {"iothread": False, "aio": "io_uring"}


def test_a_process_that_runs_as_configured_is_in_order():
    assert (
        running(SINGLE + "scsi0: local:1/d.raw,iothread=1,aio=threads\n", aio="threads", iothread=True)["findings"]
        == []
    )


def test_what_waits_is_told_by_what_runs():
    text = SINGLE + "scsi0: local:1/d.raw\n\n[PENDING]\nscsi0: local:1/d.raw,aio=threads,iothread=1\n"
    assert rules(running(text), "scsi0") == [("IO108", "warning")]
    assert running(text)["findings"][0]["wanted"] == {"iothread": True, "aio": "threads"}


@pytest.mark.parametrize(("lock", "found"), [("", [("IO109", "warning")]), ("lock: backup\n", [])])
def test_a_file_that_no_disk_names_is_told_unless_a_backup_is_at_work(lock, found):
    said = {
        "key": None,
        "option": "file",
        "cmdline": None,
        "seen": ["/new.raw"],
        "detail": "/new.raw: open for writing, and named by no disk",
    }
    one = guest(lock + SINGLE + "scsi0: local:1/d.raw,iothread=1,aio=threads\n", running=True, disagreements=[said])
    assert rules(assess([one], {}, DAY)) == found


def test_what_is_not_known_of_a_process_is_no_difference():
    assert running(SINGLE + "scsi0: local:1/d.raw,iothread=1,aio=threads\n", aio=None, iothread=True)["findings"] == []


def test_a_disk_that_stays_native_is_not_cached():
    text, policy = (
        SINGLE + "scsi0: local:1/d.raw,aio=native,iothread=1\n",
        {"disk": {"aio": "keep", "cache": "writeback"}},
    )
    found = judge(text, policy)
    assert (
        found["plan"] == []
        and ("IO104", "warning") in rules(found)
        and "keeps this disk's aio native" in found["findings"][0]["hint"]
    )
    unset = judge(SINGLE + "scsi0: thick:vm-100-disk-0,iothread=1\n", policy)
    assert changes(unset) == {"scsi0": {"cache": "writeback"}}


def test_a_drive_that_moves_is_judged_where_it_goes():
    text = SINGLE + "scsi0: ceph:vm-100-disk-0\n\n[PENDING]\nscsi0: thick:vm-100-disk-0,cache=writeback,iothread=1\n"
    assert changes(judge(text)) == {"scsi0": {"cache": "none", "aio": "threads"}}
