# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The small functions that every room needs."""

from __future__ import annotations

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._model import differing, refused_at_start


def values(aio="threads", cache="none", iothread=True):
    return {"driver": "file", "aio": aio, "cache": cache, "iothread": iothread}


def test_only_what_differs_and_is_known_on_both_sides():
    assert differing(values(), values()) == {}
    assert differing(values("native", "writeback", False), values()) == {
        "iothread": (False, True),
        "aio": ("native", "threads"),
        "cache": ("writeback", "none"),
    }
    assert differing(values("native", "writeback"), values(), ["cache"]) == {"cache": ("writeback", "none")}
    assert differing(values(aio=None, iothread=None), values()) == {}
    assert differing(None, values()) == differing(values(), None) == {}


def test_native_with_a_cached_mode_is_what_qemu_refuses():
    assert refused_at_start("scsi0", values("native", "writeback")) == "scsi0 would have aio native with cache writeback, which QEMU refuses"
    assert refused_at_start("scsi0", values("native", "none")) is refused_at_start("scsi0", values("threads", "writeback")) is None
    assert refused_at_start("scsi0", values("native", None)) is refused_at_start("scsi0", None) is None
