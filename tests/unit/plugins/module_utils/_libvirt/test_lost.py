# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The proof of a write: what counts as lost, and what is shown of it."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._libvirt.lost import lost

DISK = "<disk><driver name='qemu' io='{}'/><target dev='{}'/></disk>"


def domain(inside):
    return f"<domain><name>web</name>{inside}</domain>".encode()


def devices(inside):
    return domain(f"<devices>{inside}</devices>")


A, B = DISK.format("native", "vda"), DISK.format("native", "vdb")


@pytest.mark.parametrize(
    ("written", "after"),
    [
        (devices(A), devices(A)),
        (devices(A), devices(A.replace("><", ">\n    <"))),
        (devices(A), devices(A.replace("name='qemu' io='native'", 'io="native"  name="qemu"'))),
        (devices(A), devices(A.replace("<driver name='qemu' io='native'/>", "<driver name='qemu' io='native'></driver>"))),
        (domain("<title>a  b</title>"), domain("<title>a\n b </title>")),
        (domain("<title>&lt;&#233;</title>"), domain("<title><![CDATA[<é]]></title>")),
        (domain("<m><!-- a  b --></m>"), domain("<m>\n<!-- a\nb -->\n</m>")),
        # libvirt 9.0 moves a controller that it added itself before.
        (devices("<controller type='fdc' index='0'/><controller type='pci' index='1'/>"),
         devices("<controller type='pci' index='1'/><controller type='fdc' index='0'/>")),
    ],
)  # fmt: skip
def test_the_form_of_a_text_does_not_count(written, after):
    assert lost(written, after) == []


@pytest.mark.parametrize(
    ("written", "after", "said"),
    [
        (devices(A), devices(DISK.format("threads", "vda")),
         ["io of devices/disk vda/driver reads back as 'threads', 'native' was written"]),
        (devices(A), devices(A.replace(" io='native'", "")), ["io of devices/disk vda/driver is gone"]),
        (devices(A), devices(A.replace(" io=", " cache='none' io=")), ["cache of devices/disk vda/driver is new"]),
        (devices(A + B), devices(A), ["devices/disk vdb is gone"]),
        (devices(A), devices(A + B), ["devices/disk vdb is new"]),
        (devices(A + B), devices(B + A), ["devices/the order of the disks is not what was written"]),
        (devices(A), devices(A + "<controller type='usb' index='0'/>"), ["devices/controller usb 0 is new"]),
        (devices("<graphics passwd='secret'/>"), devices("<graphics passwd='other'/>"),
         ["passwd of devices/graphics is not what was written"]),
        (domain("<iothreads>2</iothreads>"), domain("<iothreads>1</iothreads>"),
         ["iothreads reads back as '1', '2' was written"]),
        (domain("<title>a</title>"), domain("<title>b</title>"), ["title is not what was written"]),
        (domain("<m/>").replace(b"<domain>", b"<domain type='kvm'>"), domain("<m/>"), ["type of the domain is gone"]),
        (domain("<c><a v='1'/><a v='2'/></c>"), domain("<c><a v='2'/><a v='1'/></c>"),
         ["v of c/a is not what was written", "v of c/a (2) is not what was written"]),
        (domain("<c><a/><a/><a/></c>"), domain("<c><a/></c>"), ["c/a (2) is gone", "c/a (3) is gone"]),
        (domain("<m><!-- a --></m>"), domain("<m/>"), ["the comments are not what they were"]),
        (domain("<m><![CDATA[<!-- a -->]]><?p <!-- a -->?></m>"), domain("<m/>"), ["m is not what was written"]),
        (domain("text"), domain("other"), ["the domain is not what was written"]),
    ],
)  # fmt: skip
def test_anything_else_is_told(written, after, said):
    assert lost(written, after) == said
