# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Of a disk on a storage that is not known, or of a plugin's type, all that is certain is judged; and only what is not
is IO100.
"""

from __future__ import annotations

import pytest

from .fleet import DAY, NODES, assess, changes, guest, judge, rules

PCI, SINGLE = "scsihw: virtio-scsi-pci\n", "scsihw: virtio-scsi-single\n"
NEW = {"running": None, "installed": "10.1.2"}


@pytest.mark.parametrize(
    ("drive", "found", "planned"),
    [
        ("scsi0: gone:d,aio=threads,iothread=1", [], {}),
        ("scsi0: gone:d,aio=threads,iothread=1,cache=none", [], {}),
        ("scsi0: gone:d,aio=threads", [("IO102", "warning")], {"iothread": True}),
        ("scsi0: gone:d", [("IO100", "error"), ("IO102", "error")], {"iothread": True}),
        ("scsi0: gone:d,iothread=1", [("IO100", "error")], {}),
        ("scsi0: gone:d,aio=io_uring,iothread=1", [("IO103", "error")], {"aio": "threads"}),
        ("scsi0: gone:d,aio=native,cache=none,iothread=1", [("IO103", "error")], {"aio": "threads"}),
        ("scsi0: gone:d,aio=native,iothread=1", [("IO103", "error")], {"aio": "threads"}),
        (
            "scsi0: gone:d,aio=native,cache=writeback,iothread=1",
            [("IO104", "warning"), ("IO105", "error")],
            {"aio": "threads"},
        ),
        ("scsi0: gone:d,aio=threads,cache=writeback,iothread=1", [("IO104", "warning")], {}),
        ("scsi0: gone:d,aio=threads,cache=unsafe,iothread=1", [("IO104", "error")], {"cache": "writeback"}),
        ("scsi0: gone:d,aio=threads,cache=directsync,iothread=1", [("IO104", "warning")], {}),
        ("ide0: gone:d", [("IO100", "error"), ("IO106", "error")], {}),
        ("sata0: gone:d,aio=threads", [("IO106", "warning")], {}),
        ("virtio0: gone:d,aio=native", [("IO102", "error"), ("IO103", "error")], {"iothread": True, "aio": "threads"}),
        ("scsi0: plugin:d,iothread=1,aio=threads", [], {}),
        ("scsi0: plugin:d", [("IO102", "error"), ("IO103", "error")], {"iothread": True, "aio": "threads"}),
        ("scsi0: plugin:d,iothread=1,aio=threads,cache=writeback", [("IO104", "warning")], {}),
    ],
)
def test_what_is_certain_on_every_storage(drive, found, planned):
    document = judge(SINGLE + drive + "\n")
    assert rules(document) == found and changes(document).get(drive.split(":")[0], {}) == planned


@pytest.mark.parametrize(
    ("drive", "policy", "words"),
    [
        ("gone:d,iothread=1", {}, "aio is unset, and the default depends on storage gone, which is not defined"),
        (
            "gone:d,iothread=1",
            {"cache": "writeback"},
            "aio and cache are unset, and the default depends on storage gone",
        ),
        (
            "gone:d,iothread=1,aio=threads",
            {"cache": "writeback"},
            "cache is unset, and the default depends on storage gone",
        ),
    ],
)
def test_what_is_not_certain_is_named(drive, policy, words):
    (finding,) = judge(SINGLE + f"scsi0: {drive}\n", {"disk": policy})["findings"]
    assert finding["rule"] == "IO100" and words in finding["message"]


def test_what_the_policy_keeps_need_not_be_known():
    assert judge(SINGLE + "scsi0: gone:d\n", {"disk": {"aio": "keep", "iothread": "keep"}})["findings"] == []
    assert judge(SINGLE + "scsi0: gone:d,aio=native\n", {"disk": {"aio": "keep", "iothread": "keep"}})["findings"] == []


def test_native_is_not_planned_where_the_cache_is_not_known():
    document = judge(SINGLE + "scsi0: gone:d,aio=threads,iothread=1\n", {"disk": {"aio": "native"}})
    assert document["plan"] == [] and "the cache of this one is not known" in document["findings"][0]["message"]


@pytest.mark.parametrize(
    ("option", "found"),
    [("aio", ["its command line does not show its aio"]), ("cache", ["its command line does not show its cache"])],
)
def test_what_a_command_line_does_not_tell_is_not_in_order(option, found):
    """Of a guest that is known from its process alone."""
    one = guest(SINGLE + "scsi0: /mnt/d.raw,iothread=1,aio=threads\n", running=True, config=None, hypervisor="libvirt")
    one["disks"][0]["effective"] = {**one["disks"][0]["effective"], option: None}
    document = assess([one], {}, DAY, NODES)
    assert [finding["message"] for finding in document["findings"] if finding["rule"] == "IO100"] == found


@pytest.mark.parametrize("running", [True, False])
def test_a_live_node_writes_no_disk_on_a_storage_that_is_gone(running):
    """qm refuses the whole call; the guest's other disks are written."""
    document = judge(
        SINGLE + "scsi0: gone:d,aio=threads\nscsi1: thick:vm-100-disk-0,aio=threads\n", running=running, qemu=NEW
    )
    assert changes(document) == {"scsi1": {"iothread": True}}
    (finding,) = [finding for finding in document["findings"] if finding["disk"] == "scsi0"]
    assert (
        not finding["fixable"]
        and "qm does not write a disk without one" in finding["hint"]
        and document["summary"]["to_change"] == 1
    )


def test_a_controller_is_changed_whatever_the_storage_is():
    assert changes(judge(PCI + "scsi0: gone:d,aio=threads,iothread=1\n")) == {
        "controller": {"type": "virtio-scsi-single"}
    }


CACHED = SINGLE + "scsi0: plugin:d,iothread=1,aio=threads,cache=writeback\n"


@pytest.mark.parametrize(("kind", "planned"), [("block", {"scsi0": {"cache": "none"}}), ("file", {})])
def test_a_policy_tells_what_a_plugins_type_is(kind, planned):
    """A block device takes direct I/O; what a file lies on is not known by that."""
    assert changes(judge(CACHED, {"storage_types": {"odd": kind}})) == planned
    assert changes(judge(CACHED.replace("plugin", "gone"), {"storage_types": {"odd": kind}})) == {}


def test_a_selector_sees_the_driver_of_a_plugins_type():
    policy = {
        "storage_types": {"odd": "block"},
        "overrides": [{"match": "effective.driver == 'host_device'", "disk": {"cache": "keep"}}],
    }
    assert judge(CACHED, policy)["findings"] == []


def test_an_unset_value_of_an_unknown_storage_is_null():
    (disk,) = guest("scsi0: gone:d\n")["disks"]
    assert disk["effective"] == {
        "driver": None,
        "aio": None,
        "cache": None,
        "cache_direct": None,
        "cache_no_flush": False,
        "iothread": False,
        "controller": {"model": "lsi", "dedicated": False, "gives_iothread": False},
    }
    assert disk["aio_default"] is None
    (disk,) = guest("scsi0: gone:d,aio=native,cache=directsync\n")["disks"]
    assert disk["effective"] == {
        "driver": None,
        "aio": "native",
        "cache": "directsync",
        "cache_direct": True,
        "cache_no_flush": False,
        "iothread": False,
        "controller": {"model": "lsi", "dedicated": False, "gives_iothread": False},
    }
