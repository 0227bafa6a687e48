# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A process and libvirt's XML of its guest, joined."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._libvirt.running import with_targets
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._libvirt.xml import XmlError
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._model.records import disagreement

LIVE = b"""<domain id='1'><name>a</name><devices>
  <disk type='file'><source file='/snapshot'/><backingStore type='file'><source file='/image'/><backingStore/>
    </backingStore><mirror type='block'><source dev='/dev/vg/copy'/></mirror>
    <target dev='vda' bus='virtio'/><alias name='ua-boot'/></disk>
  <disk type='file'><source file='/data'/><target dev='vdb' bus='virtio'/></disk></devices></domain>"""


def joined(*said):
    running = {
        "pid": 1,
        "disks": [{"key": "ua-boot"}, {"key": "virtio-disk1"}, {"key": "pflash"}],
        "disagreements": said,
    }
    return with_targets(running, LIVE)


def test_disks_and_disagreements_get_their_targets():
    said = disagreement(key="ua-boot", option="cache_direct", cmdline=True, seen=False, detail="it is not")
    found = joined(said, disagreement(option="aio", seen="native", detail="it has one"))
    assert [disk["key"] for disk in found["disks"]] == ["vda", "vdb", "pflash"]
    assert [one["key"] for one in found["disagreements"]] == ["vda", None]
    assert (said["key"], found["pid"]) == ("ua-boot", 1)


@pytest.mark.parametrize(
    ("said", "known"),
    [
        (disagreement(option="file", seen=["/snapshot"], detail=""), True),
        (disagreement(option="file", seen=["/snapshot", "/dev/vg/copy"], detail=""), True),
        (disagreement(option="file", seen=["/snapshot", "/elsewhere"], detail=""), False),
        (disagreement(key="ua-boot", option="file", cmdline="/before", seen=None, detail=""), True),
        (disagreement(key="ua-boot", option="file", cmdline="/snapshot", seen=None, detail=""), False),
        (disagreement(key="pflash", option="file", cmdline="/vars", seen=None, detail=""), False),
    ],
)
def test_what_libvirt_knows_of_moved_images_is_no_disagreement(said, known):
    assert bool(joined(said)["disagreements"]) is not known


def test_xml_that_cannot_be_read_is_an_error():
    with pytest.raises(XmlError):
        with_targets({"disks": [], "disagreements": []}, b"<domain")
