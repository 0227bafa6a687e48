# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Selectors: JMESPath conditions over a guest's or a disk's record, checked before they are used.

A selector decides whose driver changes and whose finding is waived. One that matches everything by mistake is
worse than none: so a mistyped field, a value where a condition is meant, and a list of ids are errors.
"""

from __future__ import annotations

from typing import Any

try:
    import jmespath
    import jmespath.exceptions
    import jmespath.functions
except ImportError:  # told to the user by `require_jmespath`, where there is a user to tell
    jmespath = None

from ...module_utils._model.disk_io import OPTIONS
from ...module_utils._shown import piece, shown
from .errors import PolicyError

_GUEST_KEYS = (
    "id",
    "name",
    "node",
    "hypervisor",
    "ostype",
    "machine",
    "tags",
    "template",
    "lock",
    "running",
    "snapshots",
)

_SETTINGS = ("driver", "aio", "cache", "cache_direct", "cache_no_flush", "iothread")
# The fields at the root, and those below them; None: not looked at.
_FIELDS: dict[str, tuple[str, ...] | None] = {
    "guest": _GUEST_KEYS,
    "controller": ("configured", "pending", "effective", "line"),
    "storage": ("id", "type", "krbd", "nocow", "shared", "servers", "disabled", "location"),
    "configured": OPTIONS,
    "pending": OPTIONS,
    "effective": _SETTINGS,
    "next": _SETTINGS,
    "runs": _SETTINGS,
    "aio_default": ("direct", "cached"),
    **dict.fromkeys(("key", "bus", "media", "volume", "format", "line", "error", "pending_delete")),
}
# What is known of a guest as a whole; the other fields are a disk's.
_OF_GUEST = ("guest", "controller")
# Fields of which a number is never equal, since they are text.
_TEXT = (
    "id",
    "name",
    "node",
    "hypervisor",
    "ostype",
    "machine",
    "lock",
    "type",
    "key",
    "bus",
    "media",
    "volume",
    "format",
)
_VALUES = ("literal", "multi_select_list", "multi_select_dict")
_EXAMPLE = "guest.id == '105'"


def require_jmespath() -> None:
    """Raise PolicyError where the controller lacks the one library selectors need."""
    if jmespath is None:
        raise PolicyError("", "the Python library jmespath is missing on the controller: pip install jmespath")


def guest_subject(guest: dict[str, Any]) -> dict[str, Any]:
    """What a selector sees of a guest record: ``{guest, controller}``."""
    return {"guest": {key: guest[key] for key in _GUEST_KEYS}, "controller": guest["controller"]}


class Selector:
    """A compiled JMESPath condition with its place in the policy, for errors.

    ``guests``: it chooses guests, and may not ask for a disk's fields: of a guest they would all be null,
    and ``storage.id != 'x'`` true of everybody. ``of_disk`` tells that it does ask for some. ``named`` are the only
    guests for which it can hold, as far as the expression says so in plain words: ``("id", "105")`` or ``("name",
    "web")``; None: any.
    """

    def __init__(self, place: str, expression: Any, guests: bool = False) -> None:
        require_jmespath()
        self.place = place
        self.of_disk = False
        self._roots = _OF_GUEST if guests else tuple(_FIELDS)
        if not isinstance(expression, str) or not expression.strip():
            raise PolicyError(place, f"is {shown(expression)}, it takes a JMESPath condition such as {_EXAMPLE}")
        self.expression = str(expression)
        self._shown = shown(self.expression)
        try:
            self._compiled = jmespath.compile(self.expression)
            self._compiled.parsed = _negate_whole(self._compiled.parsed)
            self._check(self._compiled.parsed)
            self.named = _named(self._compiled.parsed)
        except PolicyError:
            raise
        except RecursionError:
            raise PolicyError(place, f"is nested too deeply: {self._shown}") from None
        except Exception as exc:  # jmespath lets through what Python raises, and it is the expression's fault
            raise PolicyError(place, f"is not a JMESPath expression: {self._shown}: {_said(exc)}") from None
        if self._compiled.parsed["type"] in _VALUES:
            raise PolicyError(
                place,
                f"is {self._shown}, a value; it takes a condition such as {_EXAMPLE} or contains(['105', '106'],"
                " guest.id)",
            )

    def _check(self, node: dict[str, Any]) -> None:
        """Look at the fields that stand at the record's root, and at every function."""
        kind, children = node["type"], node["children"]
        if kind == "field":
            self._check_field(node["value"], self._roots, "")
            self.of_disk = self.of_disk or node["value"] not in _OF_GUEST
        elif kind == "comparator" and node["value"] in ("eq", "ne"):
            self._check_number(children, children[::-1])
        elif kind == "function_expression" and node["value"] == "contains" and len(children) == 2:
            values = (
                children[0]["value"]
                if children[0]["type"] == "literal"
                else [one.get("value") for one in _nodes(children[0])]
            )
            for value in values if isinstance(values, list) else ():
                self._check_number(({"type": "literal", "value": value}, children[1]))
        elif kind == "function_expression" and node["value"] not in jmespath.functions.Functions.FUNCTION_TABLE:
            raise PolicyError(
                self.place, f"calls {piece(node['value'])}(), which JMESPath does not have: {self._shown}"
            )
        elif kind == "subexpression" and children[0]["type"] == "field" and children[1]["type"] == "field":
            below = _FIELDS.get(children[0]["value"])
            if below:
                self._check_field(children[1]["value"], below, f"{children[0]['value']}.")
        # Behind a projection, a filter, a pipe or an & the root is another.
        below_root = [] if kind == "expref" else _nodes(node)
        for child in below_root[:1] if kind == "pipe" or _goes_on(kind) else below_root:
            self._check(child)

    def _check_number(self, *pairs: Any) -> None:
        """A text field beside a number: never equal, always unequal, and both are meant otherwise."""
        for value, field in pairs:
            if (
                value["type"] != "literal"
                or isinstance(value["value"], bool)
                or not isinstance(value["value"], (int, float))
            ):
                continue
            name = (
                field["children"][1]["value"]
                if field["type"] == "subexpression" and field["children"][1]["type"] == "field"
                else field.get("value")
            )
            if field["type"] in ("field", "subexpression") and name in _TEXT:
                number = shown(value["value"])
                raise PolicyError(
                    self.place,
                    f"holds {name}, which is text, against the number {number}: {self._shown}. Write '{number}' in raw"
                    " quotes.",
                )

    def _check_field(self, name: str, allowed: tuple[str, ...], lead: str) -> None:
        if name in allowed:
            return
        if not lead and name in _FIELDS:
            raise PolicyError(
                self.place,
                f"asks for {name}, a disk's, and chooses guests: {self._shown}. There are guest and controller.",
            )
        hint = "" if lead else f" Text stands in raw quotes: '{piece(name)}'."
        raise PolicyError(
            self.place,
            f"asks for {lead}{piece(name)}, which is not there: {self._shown}. There are"
            f" {', '.join(sorted(allowed))}.{hint}",
        )

    def matches(self, subject: dict[str, Any]) -> bool:
        """Whether the condition holds; null, which is what a missing value compares to, is no.

        Raises PolicyError where the expression cannot be evaluated, a function that is given null for instance, and
        where it gives a value: a selector that fails matches nothing silently, and one that is no condition not
        everything. One that asks for a disk's fields does not hold for a guest as a whole.
        """
        if self.of_disk and "key" not in subject:
            return False
        try:
            result = self._compiled.search(subject)
        except Exception as exc:  # as above
            raise PolicyError(self.place, f"fails on {_where(subject)}: {self._shown}: {_said(exc)}") from None
        if result is None or isinstance(result, bool):
            return bool(result)
        raise PolicyError(
            self.place,
            f"gives {shown(result)} on {_where(subject)}: {self._shown}; it takes a condition such as {_EXAMPLE} or"
            " guest.lock != `null`",
        )


def _said(exc: Exception) -> str:
    """The first line of what jmespath or Python said of an expression."""
    lines = str(exc).splitlines()
    return piece(lines[0]) if lines and lines[0] else "syntax error"


def _nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    """The children of a node that are nodes; those of a slice are numbers."""
    return [child for child in node["children"] if isinstance(child, dict)]


def _named(node: dict[str, Any]) -> frozenset[tuple[str, str]] | None:
    """The guests that ``guest.id == '105'`` and ``contains(['105', '106'], guest.id)`` name, or names in place of ids:
    alone, with || or &&.
    """
    kind, children = node["type"], node["children"]
    if kind == "comparator" and node["value"] == "eq":
        left, right = children if _names_by(children[0]) else children[::-1]
        return frozenset([(_names_by(left), right["value"])]) if _names_by(left) and _is_text(right) else None
    if kind == "function_expression" and node["value"] == "contains" and len(children) == 2 and _names_by(children[1]):
        values = children[0]["children"] if children[0]["type"] == "multi_select_list" else ()
        return (
            frozenset((_names_by(children[1]), value["value"]) for value in values)
            if values and all(map(_is_text, values))
            else None
        )
    if kind == "and_expression":
        return min((found for found in map(_named, children) if found is not None), key=len, default=None)
    if kind == "or_expression":
        found = [_named(child) for child in children]
        return None if None in found else frozenset().union(*found)
    return None


def _names_by(node: dict[str, Any]) -> str | None:
    """``id`` for ``guest.id``, ``name`` for ``guest.name``, None for anything else."""
    fields = [child.get("value") for child in node["children"] if isinstance(child, dict) and child["type"] == "field"]
    return fields[1] if node["type"] == "subexpression" and fields in (["guest", "id"], ["guest", "name"]) else None


def _is_text(node: dict[str, Any]) -> bool:
    return node["type"] == "literal" and isinstance(node["value"], str)


def _goes_on(kind: str) -> bool:
    """True for nodes that go on from what their first child gives: ``a.b``, ``a[0]``, ``a[*]``, ``a[?b]``."""
    return kind in ("subexpression", "index_expression", "flatten") or kind.endswith("projection")


def _negate_whole(node: dict[str, Any]) -> dict[str, Any]:
    """The same tree with ``!a.b`` read as ``!(a.b)``.

    JMESPath binds the ``!`` first: ``(!a).b`` looks for a field of true or false, finds none and gives null for
    everybody. Nobody means that, and everybody writes ``!storage.nocow``.
    """
    children = [_negate_whole(child) if isinstance(child, dict) else child for child in node["children"]]
    if _goes_on(node["type"]) and children and children[0]["type"] == "not_expression":
        whole = {**node, "children": [children[0]["children"][0], *children[1:]]}
        return {"type": "not_expression", "children": [_negate_whole(whole)]}
    return {**node, "children": children}


def _where(subject: dict[str, Any]) -> str:
    guest = (subject.get("guest") or {}).get("id")
    return f"guest {piece(guest)}" + (f" disk {piece(subject['key'])}" if subject.get("key") else "")
