# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""NFS: mounts that wait for ever, below guests whose main loop waits with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...module_utils._model.findings import Finding, finding
from ...module_utils._shown import path, piece, some
from ...module_utils._text import natural_key
from .host_policy import HostPolicy


def judge(facts: Mapping[str, Any], _policy: HostPolicy) -> Iterator[Finding]:
    """IO506."""
    for mount in facts["nfs_mounts"]:
        guests = sorted(mount["guests"], key=natural_key)
        if mount["hard"] and guests:
            whose = "guest" if len(guests) == 1 else "guests"
            yield finding(
                "IO506",
                "warning",
                f"mount {path(mount['path'])}: hard NFS from {piece(mount['source'])} below disks of {whose}"
                f" {', '.join(some(guests))} without an iothread; when the server does not answer, QEMU's main loop"
                " waits for it without end, and the guest cannot even be stopped",
                "Give the guests an iothread, as hardening does: then their disks wait, and they do not. Leave the"
                " mount hard, a soft one loses writes.",
                actual=guests,
            )
