# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What is installed and what runs, from dpkg's list and the kernel's two lines."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._versions import packages


def record(name, version, state="install ok installed"):
    return f"Package: {name}\nStatus: {state}\nPriority: optional\nSection: admin\nVersion: {version}\nDescription: x\n y\n"


def parsed(*records):
    return packages.parse_status("\n".join(records).encode())


def test_the_packages_and_each_kernel_are_found():
    found = parsed(
        record("adduser", "3.134"),
        record("proxmox-kernel-6.8.12-1-pve-signed", "6.8.12-1"),
        record("proxmox-kernel-6.14.11-4-pve", "6.14.11-4"),
        record("pve-kernel-5.15.108-1-pve", "5.15.108-2"),
        record("pve-manager", "9.0.10"),
        record("pve-qemu-kvm", "10.0.2-4"),
        record("qemu-server", "1:9.0.22"),
    )
    assert found.packages == {"pve-manager": "9.0.10", "pve-qemu-kvm": "10.0.2-4", "qemu-server": "9.0.22"}
    assert found.kernels == ["5.15.108-2", "6.14.11-4", "6.8.12-1"]


@pytest.mark.parametrize(
    "name",
    ["proxmox-kernel-6.8", "proxmox-kernel-helper", "proxmox-kernel-6.8.12-1-pve-dbg", "pve-kernel-libc-dev", "pve-qemu-kvm-dbg"],
)  # fmt: skip
def test_what_is_no_kernel_to_boot_is_none(name):
    assert parsed(record(name, "6.8.12-1")) == ({"pve-manager": None, "pve-qemu-kvm": None, "qemu-server": None}, [])


@pytest.mark.parametrize("state", ["deinstall ok config-files", "install ok half-installed", "purge ok not-installed"])
def test_what_was_removed_or_is_not_whole_is_not_installed(state):
    found = parsed(record("pve-qemu-kvm", "10.0.2-4", state), record("pve-kernel-5.15.1-1-pve", "5.15.1-1", state))
    assert found.packages["pve-qemu-kvm"] is None and found.kernels == []


@pytest.mark.parametrize(
    "raw", [b"", b"\n\n\n", b"Package: pve-qemu-kvm", b"Package: pve-qemu-kvm\n", b"Package: pve-qemu-kvm\nVersion: 1\n", b"\xff\xfe"]
)  # fmt: skip
def test_a_broken_list_has_nothing(raw):
    assert packages.parse_status(raw) == (dict.fromkeys(packages.NAMES), [])


def test_a_description_that_looks_like_a_record_is_none():
    fake = record("adduser", "1").replace(" y", " Package: pve-qemu-kvm")
    assert parsed(fake).packages["pve-qemu-kvm"] is None


@pytest.mark.parametrize(
    ("release", "build", "version"),
    [
        ("6.8.12-1-pve", "#1 SMP PREEMPT_DYNAMIC PMX 6.8.12-1 (2024-08-05T16:17Z)\n", "6.8.12-1"),
        ("5.15.108-1-pve", "#1 SMP PVE 5.15.108-2 (2023-07-20T10:06Z)\n", "5.15.108-2"),
        ("6.14.11-9-bpo12-pve", "#1 SMP PREEMPT_DYNAMIC PMX 6.14.11-9~bpo12+1 (2026-05-05T16:17Z)\n", "6.14.11-9~bpo12+1"),
        ("6.8.12-1-pve", "", "6.8.12-1"),
        ("6.1.0-28-amd64", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)\n", None),
        ("6.18.44", "#1 SMP PREEMPT_DYNAMIC PMX 6.8.12-1", None),
    ],
)  # fmt: skip
def test_the_kernel_says_which_package_it_is_from(release, build, version):
    assert packages.kernel_version(release, build) == version
