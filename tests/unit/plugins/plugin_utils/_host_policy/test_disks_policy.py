# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a policy asks of disks is right as a whole, or refused with the place of its fault and what is allowed there."""

from __future__ import annotations

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._host_policy import disks_policy
from ansible_collections.hypervisor.io_hardening.plugins.plugin_utils._policy.errors import PolicyError

WWN = "wwn-0x5000c500a1b2c3d4"


def wanted(document, *ids):
    return disks_policy.wanted(disks_policy.parse("disks", document), ids)


def test_values_become_what_the_kernel_takes_in_the_order_of_the_writes():
    document = {WWN: {"strict_limit": True, "max_bytes": "32 MiB", "nr_requests": 16, "max_sectors_kb": 128}}
    assert list(wanted(document, "scsi-3x", WWN).items()) == [
        ("max_sectors_kb", "128"),
        ("nr_requests", "16"),
        ("max_bytes", "33554432"),
        ("strict_limit", "1"),
    ]
    assert wanted(document, "wwn-0x5000c500a1b2c3d", WWN + "0") == {}
    assert disks_policy.parse("disks", None) == ()


def test_each_option_is_from_the_first_entry_that_fits_and_names_it():
    document = {
        WWN: {"nr_requests": 16},
        "ata-ST4000*": {"nr_requests": 32, "max_sectors_kb": 128},
        "ata-*": {"max_sectors_kb": 64, "max_bytes": "8 MiB"},
    }
    assert wanted(document, WWN, "ata-ST4000NM0025_X") == {
        "nr_requests": "16",
        "max_sectors_kb": "128",
        "max_bytes": "8388608",
    }
    assert wanted(document, "ata-ST4000NM0025_Y") == {
        "nr_requests": "32",
        "max_sectors_kb": "128",
        "max_bytes": "8388608",
    }


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (["sda"], "disks: is ['sda'], it takes a mapping from a disk's stable name to its settings"),
        (
            {"/dev/sda": {"nr_requests": 16}},
            "disks./dev/sda: is not a disk's stable name; it takes the name of a disk in",
        ),
        ({"sda": {"nr_requests": 16}}, "disks.sda: is the kernel's name, which is another disk's after a boot"),
        ({"nvme0n1": {"nr_requests": 16}}, "is the kernel's name"),
        ({"*": {"nr_requests": 16}}, "disks.*: is not a disk's stable name"),
        ({"a*b": {"nr_requests": 16}}, "is not a disk's stable name"),
        ({7: {"nr_requests": 16}}, "disks.7: is not a disk's stable name"),
        ({f"{WWN}-part1": {"nr_requests": 16}}, "names a partition, which has no queue of its own; name its disk"),
        ({WWN: 16}, f"disks.{WWN}: is 16, it takes a mapping with the keys max_sectors_kb, nr_requests"),
        ({WWN: {}}, "asks for nothing; it takes max_sectors_kb, nr_requests, max_bytes, strict_limit"),
        ({WWN: {"nr_requests": None}}, "asks for nothing"),
        ({WWN: {"scheduler": "bfq"}}, f"disks.{WWN}.scheduler: is not known; allowed here: max_sectors_kb"),
        ({WWN: {"nr_requests": 3}}, f"disks.{WWN}.nr_requests: is 3, it takes a whole number from 4 to 2048"),
        ({WWN: {"nr_requests": "16"}}, "is '16', it takes a whole number"),
        ({WWN: {"max_sectors_kb": 2}}, f"disks.{WWN}.max_sectors_kb: is 2, it takes a whole number from 4"),
        ({WWN: {"max_bytes": 33554432}}, f"disks.{WWN}.max_bytes: is 33554432, it takes a size such as 8 GiB"),
        ({WWN: {"max_bytes": "100 KiB"}}, "it takes a multiple of 1 MiB"),
        ({WWN: {"strict_limit": True}}, f"disks.{WWN}.strict_limit: takes a max_bytes beside it"),
        ({WWN: {"max_bytes": "8 MiB", "strict_limit": 1}}, "is 1, it takes true or false"),
    ],
)
def test_a_mistake_is_refused_with_its_place(document, said):
    with pytest.raises(PolicyError) as caught:
        disks_policy.parse("disks", document)
    assert said in str(caught.value)
