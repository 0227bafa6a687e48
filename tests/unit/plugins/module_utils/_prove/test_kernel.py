# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations

import gzip
import lzma

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove import initramfs, kernel
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._prove.errors import ProveError


def module(*needs):
    return b"\x7fELF..\0license=GPL\0depends=" + ",".join(needs).encode() + b"\0name=x\0"


@pytest.fixture(name="host")
def fixture_host(tmp_path):
    modules = tmp_path / "lib/modules/6.8.12-4-pve"
    (modules / "kernel/drivers/deep").mkdir(parents=True)
    (tmp_path / "boot").mkdir()
    for version in ("6.8.9-1-pve", "6.8.12-4-pve"):
        (tmp_path / "boot" / ("vmlinuz-" + version)).write_bytes(b"kernel")
    (modules / "modules.builtin").write_text("kernel/drivers/scsi/scsi_mod.ko\n")
    (modules / "kernel/virtio_pci.ko").write_bytes(module("virtio", "virtio-ring"))
    (modules / "kernel/virtio.ko").write_bytes(module())
    (modules / "kernel/drivers/deep/virtio_ring.ko.xz").write_bytes(lzma.compress(module("virtio")))
    (modules / "kernel/sd_mod.ko.gz").write_bytes(gzip.compress(module("scsi_mod")))
    (modules / "kernel/broken.ko").write_bytes(module("absent"))
    return tmp_path


def test_the_newest_kernel_is_taken_by_number_not_by_letter(host):
    image, modules = kernel.find(root=str(host))
    assert image == str(host / "boot/vmlinuz-6.8.12-4-pve")
    assert modules == str(host / "lib/modules/6.8.12-4-pve")


def test_a_named_kernel_comes_with_the_modules_next_to_it(host):
    image = str(host / "boot/vmlinuz-6.8.12-4-pve")
    assert kernel.find(image, root="/nowhere") == (image, str(host / "lib/modules/6.8.12-4-pve"))


def test_what_is_missing_is_said(host, tmp_path):
    with pytest.raises(ProveError, match="install one"):
        kernel.find(root=str(tmp_path / "lib"))
    with pytest.raises(ProveError, match="does not exist or cannot be read"):
        kernel.find(str(host / "boot/vmlinuz-1"))
    with pytest.raises(ProveError, match="name their directory"):
        kernel.find(str(host / "boot/vmlinuz-6.8.9-1-pve"))


def test_modules_come_in_the_order_to_load_them(host):
    found = kernel.load_order(["virtio_pci", "sd_mod", "virtio"], str(host / "lib/modules/6.8.12-4-pve"))
    # Unpacked, and without scsi_mod, which is built in.
    assert found == [
        ("virtio", module()),
        ("virtio_ring", module("virtio")),
        ("virtio_pci", module("virtio", "virtio-ring")),
        ("sd_mod", module("scsi_mod")),
    ]


def test_a_kernel_without_the_module_is_refused(host):
    modules = str(host / "lib/modules/6.8.12-4-pve")
    with pytest.raises(ProveError, match="no module absent, which broken needs"):
        kernel.load_order(["broken"], modules)


def test_libraries_as_ldd_prints_them():
    text = (
        "\tlinux-vdso.so.1 (0x00007fce08eb9000)\n"
        "\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007fce08dc4000)\n"
        "\t/lib64/ld-linux-x86-64.so.2 (0x00007fce08ebb000)\n"
    )
    assert initramfs.libraries(text) == ["/lib/x86_64-linux-gnu/libm.so.6", "/lib64/ld-linux-x86-64.so.2"]
