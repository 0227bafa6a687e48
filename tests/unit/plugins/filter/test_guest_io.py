# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A config's text through the filters, as a playbook takes it."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.filter.guest_io import assess, from_qemu_server

GOOD = "scsihw: virtio-scsi-single\nscsi0: far:1/d.raw,aio=threads,iothread=1\n"
FAR = "nfs: far\n\tserver 10.0.0.9\n\texport /far\n\tnodes n2\n"


def found(text, node=None):
    document = assess(
        [from_qemu_server(text, storage_cfg=FAR, node=node)], {"controller": "virtio-scsi-single"}, "2026-11-23"
    )
    return [(finding["rule"], finding["severity"]) for finding in document["findings"]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "this one is empty: not a guest config"),
        (" \n\n", "is empty"),
        ("nothing of a config\n", "has no line 'key: value'"),
        ("arch: amd64\nostype: debian\nrootfs: local-lvm:vm-101-disk-0,size=8G\n", "config of a container"),
        ("arch: amd64\nostype: debian\n", "config of a container"),
    ],
)
def test_what_is_no_config_of_a_guest_is_refused(text, words):
    with pytest.raises(Exception, match=words):
        from_qemu_server(text)


def test_bare_text_is_judged_as_a_file_is():
    assert found(GOOD) == []
    assert found(GOOD.replace("iothread=1", "iothread=1,snapshot=1")) == [("IO113", "error")]


def test_a_storage_of_other_nodes_keeps_a_guest_from_starting_where_its_node_is_known():
    assert (found(GOOD, "n2"), found(GOOD, "n1")) == ([], [("IO113", "error")])
