# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Selectors: JMESPath over a guest's or a disk's record, checked before they are used."""

from __future__ import annotations

from typing import Any

try:
    import jmespath
    import jmespath.exceptions
except ImportError:  # told to the user by `require_jmespath`, where there is a user to tell
    jmespath = None

from .errors import PolicyError


def require_jmespath() -> None:
    """Raise PolicyError where the controller lacks the one library selectors need."""
    if jmespath is None:
        raise PolicyError("", "the Python library jmespath is missing on the controller: pip install jmespath")


_GUEST_KEYS = ("id", "name", "node", "hypervisor", "ostype", "machine", "tags", "template", "lock", "running", "snapshots")


def guest_subject(guest: dict[str, Any]) -> dict[str, Any]:
    """What a selector sees of a guest record: ``{guest, controller}``."""
    return {"guest": {key: guest[key] for key in _GUEST_KEYS}, "controller": guest["controller"]}


class Selector:
    """A compiled JMESPath expression with its place in the policy, for errors."""

    def __init__(self, place: str, expression: Any) -> None:
        require_jmespath()
        self.place = place
        if not isinstance(expression, str) or not expression.strip():
            raise PolicyError(place, f"is {expression!r}, it takes a JMESPath expression such as guest.id == '105'")
        self.expression = expression
        try:
            self._compiled = jmespath.compile(expression)
        except jmespath.exceptions.JMESPathError as exc:
            lines = str(exc).splitlines()
            raise PolicyError(
                place, f"is no JMESPath expression: {expression!r}: {lines[0] if lines else 'syntax error'}"
            ) from exc

    def matches(self, subject: dict[str, Any]) -> bool:
        """True where the expression gives a true value (JMESPath's truth: not null, false or empty).

        Raises PolicyError where the expression cannot be evaluated, a function
        that is given null for instance: a selector that fails matches nothing silently.
        """
        try:
            result = self._compiled.search(subject)
        except jmespath.exceptions.JMESPathError as exc:
            guest = (subject.get("guest") or {}).get("id")
            where = f"guest {guest}" + (f" disk {subject['key']}" if subject.get("key") else "")
            raise PolicyError(self.place, f"fails on {where}: {self.expression!r}: {str(exc).splitlines()[0]}") from exc
        return not (result is None or result is False or result == "" or result == [] or result == {})
