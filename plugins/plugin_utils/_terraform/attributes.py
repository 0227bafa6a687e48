# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The attributes of a resource as a plan has them: what is known, what is known only after apply, what is sensitive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Union

from ...module_utils._pve.config import printable
from ...module_utils._shown import piece, shown


class Unknown:
    """The value of an attribute that is known only after apply: there is one, ``UNKNOWN``."""

    def __bool__(self) -> bool:
        raise TypeError("whether a value is known is asked with isinstance")


UNKNOWN: Final = Unknown()

#: Text or a flag of an attribute; None where it is null.
Text = Union[str, None, Unknown]
Flag = Union[bool, None, Unknown]


class ShapeError(ValueError):
    """An attribute is not what its provider's schema says; the message names both."""


class Block:
    """The attributes of a resource, or of a block in it.

    ``after``, ``unknown`` and ``sensitive`` are a change's ``after``, ``after_unknown`` and ``after_sensitive``, or the
    parts of these for a block; ``path`` is where the block is in its resource, for people. ``before`` is that of a
    resource that exists and stays.
    """

    def __init__(self, after: Any, unknown: Any, sensitive: Any, path: str = "", before: Any = None) -> None:
        if not isinstance(after, Mapping):
            raise ShapeError(f"{path or 'after'} is {shown(after)} and not a block")
        self.path = path
        self._after = after
        self._unknown = unknown
        self._sensitive = sensitive
        self._before = before

    @property
    def exists(self) -> bool:
        """Whether the resource is there before the apply, and stays."""
        return isinstance(self._before, Mapping)

    def changes(self, name: str) -> bool:
        """Whether the attribute of a resource that exists gets another value."""
        return self.exists and self._before.get(name) != self._after.get(name)

    def has(self, name: str) -> bool:
        """Whether the provider's schema has the attribute: a plan lists all, those that are not set as null."""
        return name in self._after or _below(self._unknown, name) is not False

    def require(self, *names: str) -> None:
        """Raise ShapeError where the block has none of the attributes, so that it is not the whole of a resource."""
        if not any(map(self.has, names)):
            raise ShapeError(f"it has no attribute {' or '.join(names)}, so it is not judged")

    def names(self) -> list[str]:
        """The names of all attributes."""
        unknown = self._unknown if isinstance(self._unknown, Mapping) else {}
        return [*self._after, *(name for name in unknown if name not in self._after)]

    def text(self, name: str) -> Text:
        """Text; "" is None, as providers send neither. Raises ShapeError."""
        value = self._value(name)
        if value is None or isinstance(value, Unknown):
            return value
        if not isinstance(value, str):
            raise self._shape(name, value, "text")
        return printable(value) or None

    def label(self, name: str) -> str | None:
        """Text that only names something; None where it is not known, or not to be shown. Raises ShapeError."""
        return None if self.is_sensitive(name) else plain(self.text(name))

    def number(self, name: str) -> Text:
        """A whole number, as text. Raises ShapeError."""
        value = self._value(name)
        if value is None or isinstance(value, Unknown):
            return value
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self._shape(name, value, "a number")
        return str(value) if value < 10**9 else None

    def flag(self, name: str) -> Flag:
        """true or false; older providers write 1 and 0. Raises ShapeError."""
        value = self._value(name)
        if value is None or isinstance(value, Unknown):
            return value
        if value not in (0, 1):
            raise self._shape(name, value, "true or false")
        return bool(value)

    def texts(self, name: str) -> list[str]:
        """A list of text, or text with commas or semicolons; what is not known or sensitive is left out."""
        value = None if self.is_sensitive(name) else self._value(name)
        parts = value.replace(";", ",").split(",") if isinstance(value, str) else value
        return [printable(part) for part in parts if isinstance(part, str) and part] if isinstance(parts, list) else []

    def blocks(self, name: str) -> list[Block | Unknown] | Unknown:
        """The blocks of a name, in order; null is none. A block that is not known is null in the plan. Raises
        ShapeError.
        """
        value = self._value(name)
        if isinstance(value, Unknown):
            return value
        unknown = _below(self._unknown, name)
        value = [] if value is None else value
        if not isinstance(value, list):
            raise self._shape(name, value, "a list of blocks")
        count = max(len(value), len(unknown)) if isinstance(unknown, list) else len(value)
        items = [*value, *[None] * (count - len(value))]
        return [
            UNKNOWN if _is_unknown(item, _below(unknown, number)) else self._block(name, number, item)
            for number, item in enumerate(items)
            if item is not None or _marks(_below(unknown, number))
        ]

    def block(self, name: str) -> Block | None | Unknown:
        """A block of which there is at most one, as a list of one or as itself; None where there is none."""
        if isinstance(self._after.get(name), Mapping):
            return Block(self._after[name], _below(self._unknown, name), _below(self._sensitive, name), self._at(name))
        found = self.blocks(name)
        return found if isinstance(found, Unknown) else (found[0] if found else None)

    def named_blocks(self, name: str) -> dict[str, Block | Unknown] | Unknown:
        """The blocks of a map by their key; null is none. Raises ShapeError."""
        value = self._value(name)
        if isinstance(value, Unknown):
            return value
        if value is None:
            value = {}
        if not isinstance(value, Mapping):
            raise self._shape(name, value, "a map of blocks")
        unknown = _below(self._unknown, name)
        keys = [*value, *(key for key in unknown if key not in value)] if isinstance(unknown, Mapping) else [*value]
        return {
            printable(key): UNKNOWN
            if _is_unknown(value.get(key), _below(unknown, key))
            else Block(value.get(key), _below(unknown, key), _below(_below(self._sensitive, name), key), self._at(name))
            for key in keys
            if value.get(key) is not None or _marks(_below(unknown, key))
        }

    def is_sensitive(self, *names: str) -> bool:
        """Whether one of the attributes or a part of it, or the whole block, is marked sensitive."""
        return self._sensitive is True or any(_marks(_below(self._sensitive, name)) for name in names)

    def _value(self, name: str) -> Any:
        return UNKNOWN if _below(self._unknown, name) is True else self._after.get(name)

    def _block(self, name: str, number: int, item: Any) -> Block:
        unknown, sensitive = _below(self._unknown, name), _below(self._sensitive, name)
        return Block(item, _below(unknown, number), _below(sensitive, number), f"{self._at(name)}[{number}]")

    def _at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def _shape(self, name: str, value: Any, wanted: str) -> ShapeError:
        # A value that may be a secret is not shown.
        kind = "not" if self.is_sensitive(name) else f"{shown(value)} and not"
        return ShapeError(f"{piece(self._at(name))} is {kind} {wanted}")


def _is_unknown(item: Any, marks: Any) -> bool:
    """Whether nothing of a block can be read: it is not known, or not there though a part of it is not known."""
    return marks is True or (item is None and _marks(marks))


def _marks(marks: Any) -> bool:
    """Whether anything is marked."""
    if isinstance(marks, (Mapping, list)):
        return any(map(_marks, marks.values() if isinstance(marks, Mapping) else marks))
    return marks is True


def _below(marks: Any, key: str | int) -> Any:
    """The mark of a member: a mark of true is that of all members; false where there is none."""
    if marks is True:
        return True
    if isinstance(marks, Mapping) and isinstance(key, str):
        return marks.get(key, False)
    if isinstance(marks, list) and isinstance(key, int) and key < len(marks):
        return marks[key]
    return False


class Deciding:
    """Takes the values that decide, and notes the names of those that are known only after apply."""

    def __init__(self) -> None:
        self._names: list[str] = []

    def text(self, value: Text, name: str) -> str | None:
        """The text; None where it is not known, which is noted."""
        return None if self._is_unknown(value, name) else plain(value)

    def flag(self, value: Flag, name: str) -> bool | None:
        """The flag; None where it is not known, which is noted."""
        return None if self._is_unknown(value, name) or isinstance(value, Unknown) else value

    def _is_unknown(self, value: object, name: str) -> bool:
        if isinstance(value, Unknown):
            self._names.append(name)
        return isinstance(value, Unknown)

    @property
    def names(self) -> tuple[str, ...]:
        """What was not known, in the order in which it was asked for."""
        return tuple(self._names)


def plain(value: Text) -> str | None:
    """Text that does not decide: None where it is not known."""
    return value if isinstance(value, str) else None
