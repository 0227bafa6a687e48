# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Whatever a guest is like: its plan, carried out, leaves nothing to plan, and has lost nothing."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ansible_collections.hypervisor.io_hardening.plugins.module_utils import _plan
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._model.disk_io import native_needs_direct
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve import config as _config
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve import drive as _drive
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve.definition import Definition

from .fleet import guest, judge

STORES = ["local", "thick", "ceph", "krbd", "cow", "nocow", "own", "smb", "plugin", "gone"]
KEYS = ["scsi0", "scsi1", "virtio0", "sata0", "ide0"]
OPTIONS = {
    "aio": [None, "threads", "io_uring", "native"],
    "cache": [None, "none", "writeback", "writethrough", "directsync", "unsafe"],
    "iothread": [None, "1", "0"],
}

drive = st.builds(
    lambda store, options, more: ",".join(
        [f"{store}:100/d.raw", *(f"{k}={v}" for k, v in options.items() if v), *more]
    ),
    st.sampled_from(STORES),
    st.fixed_dictionaries({name: st.sampled_from(values) for name, values in OPTIONS.items()}),
    st.sampled_from([[], ["discard=on"], ["discard=on", "serial=x%20y", "mbps_wr=3.5", "backup=no"]]),
)


def lines(keys, scsihw):
    return st.builds(
        lambda drives, hw: [f"{key}: {text}" for key, text in drives.items()] + ([f"scsihw: {hw}"] if hw else []),
        st.dictionaries(st.sampled_from(keys), drive, max_size=3),
        st.sampled_from(scsihw),
    )


HARDWARE = [None, "lsi", "virtio-scsi-pci", "virtio-scsi-single", "megasas"]
configs = st.builds(
    lambda main, pending: "\n".join(["name: a", *main, *(["", "[PENDING]", *pending] if pending else []), ""]),
    lines(KEYS, HARDWARE),
    st.one_of(st.just([]), lines(KEYS[:3], [None, "virtio-scsi-single"])),
)
aios = st.sampled_from(["threads", "io_uring", "keep", ["threads", "io_uring"]])
caches = st.sampled_from(["none", "keep", "writeback", ["none", "writeback"], "directsync"])
policies = st.builds(
    lambda aio, cache, loosen, controller: {
        "controller": controller,
        "disk": {"aio": aio, "cache": cache, "loosen": loosen},
    },
    aios,
    caches,
    st.sampled_from([[], ["writethrough", "directsync"]]),
    st.sampled_from(["virtio-scsi-single", "keep"]),
)


@settings(max_examples=300)
@given(configs, policies, st.sampled_from([None, "guest.id == '100'"]))
def test_a_plan_carried_out_leaves_nothing_to_plan(text, policy, migrate):
    document = judge(text, policy, migrate)
    assume(document["plan"])
    definition = Definition("100", None, "/100.conf", text.encode(), {})
    edited = definition.edited(_plan.wanted(document["plan"][0]["changes"]))
    assert edited is not definition, "a plan that changes nothing"
    before, values, after = definition.config, edited.values, edited.config.text
    again = judge(after, policy, migrate)
    assert again["plan"] == []
    for key in values:
        if key == "scsihw":
            continue
        old = _drive.parse(key, before.next(key)).options
        new = _drive.parse(key, _config.parse(after).next(key)).options
        assert {name: value for name, value in new.items() if name not in OPTIONS} == {
            name: value for name, value in old.items() if name not in OPTIONS
        }
    rest = {key: entry.value for key, entry in before.main.entries.items() if key not in values}
    assert {key: entry.value for key, entry in _config.parse(after).main.entries.items() if key not in values} == rest


@settings(max_examples=300)
@given(configs, policies)
def test_no_plan_makes_a_disk_that_keeps_its_guest_from_starting(text, policy):
    document = judge(text, policy)
    if not document["plan"]:
        return
    definition = Definition("100", None, "/100.conf", text.encode(), {})
    after = guest(definition.edited(_plan.wanted(document["plan"][0]["changes"])).config.text)
    bad_before = {disk["key"] for disk in guest(text)["disks"] if unstartable(disk)}
    assert {disk["key"] for disk in after["disks"] if unstartable(disk)} <= bad_before


def unstartable(disk):
    now = disk["next"] or disk["effective"]
    return bool(now) and native_needs_direct(now["aio"], now["cache_direct"])
