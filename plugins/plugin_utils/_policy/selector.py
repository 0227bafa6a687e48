# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Selectors: JMESPath conditions over what a finding can be about, checked before they are used.

That is the record of a guest or a disk, or a host (``Fields``). A selector decides which guests get another driver and
which findings are waived. One that matches everything by mistake is worse than none, so a mistyped field, a value in
place of a condition, and a list of ids are errors.
"""

from __future__ import annotations

from typing import Any, NamedTuple

try:
    import jmespath
    import jmespath.exceptions
    import jmespath.functions
except ImportError:  # _libraries.py tells the user
    jmespath = None

from ...module_utils._model.disk_io import OPTIONS
from ...module_utils._model.records import Guest
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
    "address",
    "module",
)

#: What selectors see: ``guest`` and ``controller``, and of a disk its own fields too.
Subject = dict[str, Any]
_Node = dict[str, Any]

_SETTINGS = ("driver", "aio", "cache", "cache_direct", "cache_no_flush", "iothread", "controller")


class Fields(NamedTuple):
    """What a selector may use. ``names`` are the fields at the root, with those below them; None: not checked.

    ``whole``: those of a guest as a whole, the others are a disk's. ``text``: a number never equals one. ``examples``
    of conditions: for one thing, for several, and for what is set.
    """

    names: dict[str, tuple[str, ...] | None]
    whole: tuple[str, ...]
    text: tuple[str, ...]
    examples: tuple[str, str, str]


#: Of selectors over guests and disks.
GUESTS = Fields(
    names={
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
    },
    whole=("guest", "controller"),
    text=(
        "id",
        "name",
        "node",
        "hypervisor",
        "ostype",
        "machine",
        "lock",
        "address",
        "module",
        "type",
        "key",
        "bus",
        "media",
        "volume",
        "format",
    ),
    examples=("guest.id == '105'", "contains(['105', '106'], guest.id)", "guest.lock != `null`"),
)
_HOST_KEYS = ("host", "subject", "object")
#: Of selectors over the findings about a host itself.
HOSTS = Fields(
    names=dict.fromkeys(_HOST_KEYS),
    whole=_HOST_KEYS,
    text=_HOST_KEYS,
    examples=("host == 'pve1'", "contains(['pve1', 'pve2'], host)", "object != `null`"),
)
_VALUES = ("literal", "multi_select_list", "multi_select_dict")


def guest_subject(guest: Guest) -> Subject:
    """What a selector sees of a guest record: ``{guest, controller}``.

    A guest that a plan's resource defines has its address, and the id that the plan has, or null. The address of others
    is "", and so is the root module, so that functions of text can be used on both.
    """
    resource = guest["resource"]
    record: dict[str, Any] = {**guest, "address": "", "module": ""}
    if resource:
        record.update(id=resource["id"], address=resource["address"], module=resource["module"] or "")
    return {"guest": {key: record[key] for key in _GUEST_KEYS}, "controller": guest["controller"]}


def host_subject(host: str | None, subject: str, about: str | None) -> Subject:
    """What a selector sees of a finding about a host.

    The host's name in the inventory, the subject (``load``), and the finding's object (``job nightly``), which is None
    where the finding is about the host as a whole.
    """
    return {"host": host, "subject": subject, "object": about}


class Selector:
    """A compiled JMESPath condition with its place in the policy, for errors.

    ``guests``: it selects guests and may not use a disk's fields: they are null for a guest, and
    ``storage.id != 'x'`` would be true for every guest. ``of_disk``: it uses some. ``named``: the only guests that it
    can match, where the expression lists them: ``("id", "105")`` or ``("name", "web")``; None: any.
    """

    def __init__(self, place: str, expression: Any, guests: bool = False, fields: Fields = GUESTS) -> None:
        self.place = place
        self.of_disk = False
        self._fields = fields
        self._roots = fields.whole if guests else tuple(fields.names)
        one, several, _set = fields.examples
        if not isinstance(expression, str) or not expression.strip():
            raise PolicyError(place, f"is {shown(expression)}, it takes a JMESPath condition such as {one}")
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
        except Exception as exc:  # jmespath lets Python's own errors through, and the expression is at fault
            raise PolicyError(place, f"is not a JMESPath expression: {self._shown}: {_said(exc)}") from None
        if self._compiled.parsed["type"] in _VALUES:
            raise PolicyError(place, f"is {self._shown}, a value; it takes a condition such as {one} or {several}")

    def _check(self, node: _Node) -> None:
        """Check the fields at the record's root, and every function."""
        kind, children = node["type"], node["children"]
        if kind == "field":
            self._check_field(node["value"], self._roots, "")
            self.of_disk = self.of_disk or node["value"] not in self._fields.whole
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
            below = self._fields.names.get(children[0]["value"])
            if below:
                self._check_field(children[1]["value"], below, f"{children[0]['value']}.")
        # A projection, a filter, a pipe or an & has another root.
        below_root = [] if kind == "expref" else _nodes(node)
        for child in below_root[:1] if kind == "pipe" or _goes_on(kind) else below_root:
            self._check(child)

    def _check_number(self, *pairs: Any) -> None:
        """Refuse to compare a text field with a number: they are never equal."""
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
            if field["type"] in ("field", "subexpression") and name in self._fields.text:
                number = shown(value["value"])
                raise PolicyError(
                    self.place,
                    f"compares {name}, which is text, with the number {number}: {self._shown}. Write '{number}' in raw"
                    " quotes.",
                )

    def _check_field(self, name: str, allowed: tuple[str, ...], lead: str) -> None:
        if name in allowed:
            return
        if not lead and name in self._fields.names:
            raise PolicyError(
                self.place,
                f"uses {name}, a field of a disk, but selects guests: {self._shown}. Allowed are guest and controller.",
            )
        hint = "" if lead else f" Write text in raw quotes: '{piece(name)}'."
        raise PolicyError(
            self.place,
            f"uses {lead}{piece(name)}, which does not exist: {self._shown}. Allowed are"
            f" {', '.join(sorted(allowed))}.{hint}",
        )

    def matches(self, subject: Subject) -> bool:
        """Whether the condition is true; null, the result for a missing value, counts as false.

        Raises PolicyError where the expression cannot be evaluated, for instance because a function gets null, and
        where its result is not true, false or null. A selector that uses a disk's fields does not match a guest as a
        whole.
        """
        if self.of_disk and "key" not in subject:
            return False
        try:
            result = self._compiled.search(subject)
        except Exception as exc:  # as above
            raise PolicyError(self.place, f"fails for {_where(subject)}: {self._shown}: {_said(exc)}") from None
        if result is None or isinstance(result, bool):
            return bool(result)
        one, _several, is_set = self._fields.examples
        raise PolicyError(
            self.place,
            f"returns {shown(result)} for {_where(subject)}: {self._shown}; it takes a condition such as {one} or"
            f" {is_set}",
        )


def _said(exc: Exception) -> str:
    """The first line of the error that jmespath or Python raised."""
    lines = str(exc).splitlines()
    # jmespath ends it with a colon: the next lines show where.
    return piece(lines[0].rstrip(":")) if lines and lines[0] else "syntax error"


def _nodes(node: _Node) -> list[_Node]:
    """The children that are nodes; those of a slice are numbers."""
    return [child for child in node["children"] if isinstance(child, dict)]


def _named(node: _Node) -> frozenset[tuple[str, str]] | None:
    """The guests that ``guest.id == '105'`` or ``contains(['105', '106'], guest.id)`` list, by id or by name; such
    terms may be combined with || and &&.
    """
    kind, children = node["type"], node["children"]
    if kind == "comparator" and node["value"] == "eq":
        left, right = children if _names_by(children[0]) else children[::-1]
        by = _names_by(left)
        return frozenset([(by, right["value"])]) if by and _is_text(right) else None
    if kind == "function_expression" and node["value"] == "contains" and len(children) == 2:
        by = _names_by(children[1])
        values = children[0]["children"] if children[0]["type"] == "multi_select_list" else ()
        return (
            frozenset((by, value["value"]) for value in values)
            if by and values and all(map(_is_text, values))
            else None
        )
    if kind == "and_expression":
        return min((found for found in map(_named, children) if found is not None), key=len, default=None)
    if kind == "or_expression":
        either: frozenset[tuple[str, str]] = frozenset()
        for child in children:
            named = _named(child)
            if named is None:
                return None
            either |= named
        return either
    return None


def _names_by(node: _Node) -> str | None:
    """``id`` for ``guest.id``, ``name`` for ``guest.name``, None for anything else."""
    fields = [child.get("value") for child in node["children"] if isinstance(child, dict) and child["type"] == "field"]
    return fields[1] if node["type"] == "subexpression" and fields in (["guest", "id"], ["guest", "name"]) else None


def _is_text(node: _Node) -> bool:
    return node["type"] == "literal" and isinstance(node["value"], str)


def _goes_on(kind: str) -> bool:
    """True for nodes that continue from the result of their first child: ``a.b``, ``a[0]``, ``a[*]``, ``a[?b]``."""
    return kind in ("subexpression", "index_expression", "flatten") or kind.endswith("projection")


def _negate_whole(node: _Node) -> _Node:
    """The same tree with ``!a.b`` read as ``!(a.b)``.

    JMESPath reads it as ``(!a).b``, a field of true or false, which is null for every guest. Everybody writes
    ``!storage.nocow``, which is never what was meant.
    """
    children = [_negate_whole(child) if isinstance(child, dict) else child for child in node["children"]]
    if _goes_on(node["type"]) and children and children[0]["type"] == "not_expression":
        whole = {**node, "children": [children[0]["children"][0], *children[1:]]}
        return {"type": "not_expression", "children": [_negate_whole(whole)]}
    return {**node, "children": children}


def _where(subject: Subject) -> str:
    if "host" in subject:
        return f"host {piece(subject['host'])}" + (f" {piece(subject['object'])}" if subject["object"] else "")
    guest = (subject.get("guest") or {}).get("id")
    return f"guest {piece(guest)}" + (f" disk {piece(subject['key'])}" if subject.get("key") else "")
