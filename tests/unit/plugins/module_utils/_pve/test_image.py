# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Where the images are whose file system nothing but itself tells."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._pve.image import image_path

DIR, NFS = {"images": "/var/lib/vz/images"}, {"images": None}


@pytest.mark.parametrize(
    ("volume", "storage", "path"),
    [
        ("local:100/vm-100-disk-0.qcow2", DIR, "/var/lib/vz/images/100/vm-100-disk-0.qcow2"),
        ("local:120/base-120-disk-0.qcow2/121/vm-121-disk-0.qcow2", DIR, "/var/lib/vz/images/121/vm-121-disk-0.qcow2"),
        ("nas:100/vm-100-disk-0.qcow2", NFS, None),
        ("/mnt/x/disk.raw", None, "/mnt/x/disk.raw"),
        ("/dev/disk/by-id/x", None, None),
        ("nbd:unix:/x", None, None),
        ("none", None, None),
        (None, None, None),
        ("local:vm-100-disk-0", DIR, None),
        ("local:100/..", DIR, None),
        ("local:../../etc/passwd", DIR, None),
        ("local:" + "1" * 5000 + "/d", DIR, None),
        ("gone:100/d.raw", {"type": None}, None),
    ],
)
def test_the_path_of_an_image(volume, storage, path):
    assert image_path(volume, storage) == path
