# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What metadata tells of a guest."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._libvirt.record import record

LIBOSINFO = "http://libosinfo.org/xmlns/libvirt/domain/1.0"


def of(more):
    return record(f"<domain><name>a</name>{more}</domain>".encode(), id="a")


@pytest.mark.parametrize(
    ("system", "ostype"),
    [
        ("http://microsoft.com/win/11", "win11"),
        ("http://microsoft.com/win/10", "win10"),
        ("http://microsoft.com/win/2k22", "win11"),
        ("http://microsoft.com/win/2k8r2", "win7"),
        ("http://microsoft.com/win/xp", "wxp"),
        ("http://microsoft.com/win/2k28", "win11"),
        ("http://debian.org/debian/12", None),
    ],
)
def test_windows_is_known_by_libosinfos_id(system, ostype):
    guest = of(
        f"<metadata><libosinfo:libosinfo xmlns:libosinfo='{LIBOSINFO}'><libosinfo:os id='{system}'/>"
        "</libosinfo:libosinfo></metadata>"
    )
    assert (guest["ostype"], guest["next_start"]["ostype"]) == (ostype, ostype)


@pytest.mark.parametrize(
    ("more", "made_by"),
    [
        ("", None),
        (
            "<metadata><nova:instance xmlns:nova='http://openstack.org/xmlns/libvirt/nova/1.1'/></metadata>",
            "OpenStack Nova, by its metadata",
        ),
        ("<metadata><ovirt-vm:vm xmlns:ovirt-vm='http://ovirt.org/vm/1.0'/></metadata>", "oVirt, by its metadata"),
        ("<metadata><a:b xmlns:a='https://github.com/cockpit-project/cockpit/tree/main/pkg/machines'/></metadata>", None),
        ("<description>Managed by Terraform.</description>", "Terraform, by its description"),
        ("<title>created with OpenTofu</title>", "OpenTofu, by its title"),
        ("<description>terraform is installed here</description>", None),
    ],
)  # fmt: skip
def test_a_tool_that_takes_changes_back_is_named(more, made_by):
    assert of(more)["made_by"] == made_by
