# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What ``terraform show -json PLAN`` and ``tofu show -json PLAN`` print: the resources that a plan changes or keeps.

The format is of version 1 (developer.hashicorp.com/terraform/internals/json-format): members that are not known are
passed over, another major version is refused. Only ``resource_changes`` tells what is unknown until apply, so
``planned_values`` is not read, and neither is the configuration, which holds secrets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ...module_utils._shown import piece, shown
from .json_text import JsonError, Reader

_MAJOR = re.compile(r"1\.\d+\Z", re.ASCII)
_OF_A_PLAN = ('"planned_values"', '"resource_changes"', '"terraform_version"')
# Behind a line of another program, such as the one that runs terraform on GitHub.
_AT_A_LINE = re.compile(r'^[ \t]*\{[ \t]*"format_version"', re.MULTILINE)


class PlanError(ValueError):
    """The file is not a plan that can be read; the message says why and what to do."""


class Change(NamedTuple):
    """One entry of ``resource_changes``. ``deferred`` is why it is not planned yet, None where it is;
    ``previous`` its address before it was moved."""

    address: str
    module: str | None
    mode: str
    type: str
    name: str
    provider: str
    actions: tuple[str, ...]
    change: dict[str, Any]
    deferred: str | None = None
    previous: str | None = None

    @property
    def goes(self) -> bool:
        """Whether nothing of it is left, or nothing is made: a delete, a forget, an object that was deposed before."""
        return set(self.actions) <= {"delete", "forget"}


class Kept(NamedTuple):
    """A managed resource that the state had before: a plan made with ``-target`` does not list all of them."""

    address: str
    type: str


class Flags(NamedTuple):
    """What a plan says of itself. A member that is missing, as with an older Terraform, is None."""

    errored: bool | None
    complete: bool | None


def is_one(text: str) -> bool:
    """Whether a file's text is to be read as a plan: JSON of Terraform's with a ``format_version``, a state, or what
    is taken for a plan and is none. That other text is around it does not make it less of one.
    """
    if not _begins(text):
        return bool(_AT_A_LINE.search(text)) and any(name in text for name in _OF_A_PLAN)
    if '"resource_changes"' in text or '"lineage"' in text or _another(text):
        return True
    return '"format_version"' in text and any(name in text for name in _OF_A_PLAN)


def _begins(text: str) -> bool:
    return text.lstrip().startswith("{")


def decoded(raw: bytes) -> str:
    """The text of a file of JSON, UTF-8 or, as PowerShell writes it, UTF-16. Raises PlanError."""
    encoding = json.detect_encoding(raw)
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as exc:
        raise PlanError(f"is not text in UTF-8: byte {exc.start + 1}") from None


def read(text: str) -> Iterator[Change | Kept | Flags]:
    """The entries of a plan one by one, the flags last. Raises PlanError, in the middle where the text is cut off."""
    if not _begins(text):
        raise PlanError(f"has other text before the plan. {_MAKE}; on GitHub, with terraform_wrapper: false")
    another = _another(text)
    if another:
        raise PlanError(another)
    try:
        yield from _read(Reader(text))
    except JsonError as exc:
        raise PlanError(f"is not whole: {exc}. {_MAKE}") from None


def _another(text: str) -> str | None:
    """Why a text that is taken for a plan is none; None where it is not such a text."""
    if '"format_version"' in text:
        return None
    if '"urn:pulumi:' in text:
        return "is of Pulumi, which is not read here: gate its guests as qm config has them after pulumi up"
    return f"is the log of terraform plan -json and not the plan. {_MAKE}" if '"@level"' in text else None


_MAKE = "Write it anew with terraform show -json PLAN, or tofu show -json PLAN"


def _read(reader: Reader) -> Iterator[Change | Kept | Flags]:
    seen: set[str] = set()
    found: dict[str, Any] = {}
    for name in reader.members():
        if name in seen and name in _READ:
            raise PlanError(f"has two members {name}. {_MAKE}")
        seen.add(name)
        if name in ("resource_changes", "deferred_changes"):
            for item in reader.items():
                yield _change(item) if name == "resource_changes" else _deferred(item)
        elif name == "prior_state":
            yield from _kept(reader.value_or_skip())
        elif name in _READ:
            found[name] = reader.value()
        else:
            reader.skip()
    reader.end()
    _check(found, seen)
    yield Flags(found.get("errored"), found.get("complete"))


def _kept(state: Any) -> Iterator[Kept]:
    """The managed resources of a state, of all its modules; nothing of one that is not as the format has it."""
    modules = [_member(_member(state, "values"), "root_module")]
    while modules:
        module = modules.pop()
        modules += _listed(module, "child_modules")
        for resource in _listed(module, "resources"):
            address, kind = _member(resource, "address"), _member(resource, "type")
            if isinstance(address, str) and isinstance(kind, str) and _member(resource, "mode") == "managed":
                yield Kept(address, kind)


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _listed(value: Any, name: str) -> list[Any]:
    found = _member(value, name)
    return found if isinstance(found, list) else []


_READ = ("format_version", "errored", "complete", "resource_changes", "deferred_changes")


def _check(found: dict[str, Any], seen: set[str]) -> None:
    version = found.get("format_version")
    if version is None and "lineage" in seen:
        raise PlanError("is a state and not a plan: give the output of terraform show -json PLAN, with a saved plan")
    if not isinstance(version, str) or not _MAJOR.match(version):
        raise PlanError(f"has format_version {shown(version)}; this version of the collection reads 1.0 and later 1.x")
    if "values" in seen and "resource_changes" not in seen:
        raise PlanError("is a state and not a plan: give the output of terraform show -json PLAN, with a saved plan")
    if "planned_values" not in seen and "resource_changes" not in seen:
        raise PlanError("has neither resource_changes nor planned_values, so it is no plan")


def _change(item: Any, deferred: str | None = None) -> Change:
    if not isinstance(item, dict):
        raise PlanError(f"has {shown(item)} in resource_changes, which is not a resource")
    address, kind, change = item.get("address"), item.get("type"), item.get("change")
    if not isinstance(address, str) or not isinstance(kind, str) or not isinstance(change, dict):
        # The rest of a resource may hold secrets.
        named = f": {piece(address)}" if isinstance(address, str) else ""
        raise PlanError(f"has a resource without address, type and change{named}")
    actions = change.get("actions")
    if not isinstance(actions, list) or not actions or not all(isinstance(action, str) for action in actions):
        raise PlanError(f"does not say what is done with {piece(address)}: actions is {shown(actions)}")
    deposed = isinstance(item.get("deposed"), str)
    return Change(
        address=address,
        module=item["module_address"] if isinstance(item.get("module_address"), str) else None,
        mode=str(item.get("mode", "managed")),
        type=kind,
        name=str(item.get("name", "")),
        provider=str(item.get("provider_name", "")),
        actions=("delete",) if deposed else tuple(actions),
        change=change,
        deferred=deferred,
        previous=item["previous_address"] if isinstance(item.get("previous_address"), str) else None,
    )


def _deferred(item: Any) -> Change:
    if not isinstance(item, dict):
        raise PlanError(f"has {shown(item)} in deferred_changes, which is not a resource")
    return _change(item.get("resource_change"), str(item.get("reason", "no reason given")))
