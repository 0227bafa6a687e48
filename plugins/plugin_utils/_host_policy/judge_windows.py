# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The disk drivers of a host's Windows guests against the known defects: IO405 and IO406. Nothing here has a cure: no
run changes what is in a guest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...module_utils._model.findings import Finding, finding
from ...module_utils._shown import some
from ...module_utils._text import plural
from .._policy import defects
from .._policy.defects import Trigger
from .._policy.version import parse

#: The name in the facts for each trigger of virtio-win's defects.
_DRIVERS: dict[Trigger | None, str] = {defects.VIOSCSI: "vioscsi"}


def judge(facts: Mapping[str, Any], policy: Any, leads: bool) -> list[Finding]:
    """The findings about the drivers; ``facts`` as in docs/data.md, "Windows drivers". The other two do not matter."""
    return [*_drivers(facts["guests"]), *_unknown(facts["guests"])]


def _drivers(guests: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """IO405 for each Windows guest whose driver has a known defect."""
    for guest in guests:
        for defect in defects.VIRTIO_WIN.values():
            release = parse(guest["drivers"].get(_DRIVERS[defect.hits]))
            if release is not None and defect.concerns(release):
                message = f"guest {guest['guest']}: {_DRIVERS[defect.hits]} of virtio-win {release}: {defect.effect}"
                advice = f"Install virtio-win {defect.fixed} or later in the guest."
                yield finding("IO405", "warning", message, advice, actual=str(release), wanted=str(defect.fixed))


def _unknown(guests: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """IO406, once a host: the Windows guests whose agent did not tell, by the reason."""
    reasons: dict[str, list[str]] = {}
    for guest in guests:
        if guest["unknown"]:
            reasons.setdefault(guest["unknown"], []).append(guest["guest"])
    if reasons:
        many = sum(map(len, reasons.values()))
        told = "; ".join(f"{', '.join(some(ids))}: {reason}" for reason, ids in reasons.items())
        message = f"the version of virtio-win in {plural(many, 'Windows guest')} is not known ({told})"
        advice = "Check it in the guests, or run QEMU's guest agent of 5.2 or later there and check again."
        yield finding("IO406", "note", message, advice)
