# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Plans of Terraform and OpenTofu on the controller: found, read, and turned into records of the guests they define."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Optional

from ...module_utils._host import whole_file
from ...module_utils._model import records
from ...module_utils._model.records import Guest, Problem, Storage
from ...module_utils._shown import piece
from ...module_utils._text import plural
from .._terraform import plan_file
from .._terraform.attributes import Block, ShapeError
from .._terraform.defined import Defined, Place, Template
from .._terraform.plan_file import Change, Kept, PlanError
from .._terraform.providers import hypervisor, looks_like_a_guest, reader
from .._terraform.record import record
from .._terraform.source_lines import SourceLines

#: The largest plan that is read.
MAX_BYTES = 1 << 30

_START = 4096
# A hypervisor, ``id`` or ``name``, and that of a guest of it.
_Key = tuple[str, str, Optional[str]]
_SAVED = "is a saved plan: give what terraform show -json prints of it, or tofu show -json"


class Resource(NamedTuple):
    """A guest that a plan defines, before its template is known."""

    defined: Defined
    place: Place


class Plan(NamedTuple):
    """What one plan has: ``host`` is what reports call it, ``deleted`` how many guests it deletes or forgets."""

    path: str
    host: str
    resources: list[Resource]
    problems: list[Problem]
    deleted: int


def plan_files(root: str) -> list[str]:
    """The plans below a directory, by their content and whatever their names, sorted; hidden names are left out. Those
    behind a link out of the directory come last. Raises OSError.
    """
    files, links = _listed(root)
    own = os.path.realpath(root)
    outside = [path for path in links if not _is_in(os.path.realpath(path), own)]
    # A link to a folder that has this one would lead to the whole machine.
    folders = [path for path in outside if os.path.isdir(path) and not _is_in(own, os.path.realpath(path))]
    files += [path for path in outside if os.path.isfile(path)]
    return [path for path in files + [path for folder in folders for path in _listed(folder)[0]] if is_plan(path)]


def _listed(root: str) -> tuple[list[str], list[str]]:
    """The files below a directory, and the links."""
    files, links = [], []
    for folder, folders, names in os.walk(root, onerror=_raise):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths = [os.path.join(folder, name) for name in sorted(names) if not name.startswith(".")]
        files += [path for path in paths if not os.path.islink(path) and os.path.isfile(path)]
        links += [path for path in (*(os.path.join(folder, name) for name in folders), *paths) if os.path.islink(path)]
    return files, links


def _is_in(path: str, folder: str) -> bool:
    return os.path.commonpath([path, folder]) == folder


def is_plan(path: str) -> bool:
    """Whether a file is to be read as a plan: JSON that has what plans have, or a saved plan. Raises OSError."""
    start = whole_file.read_start(path, _START)
    if _is_saved(start):
        return True
    begins = start.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n").startswith(b"{")
    if begins and b'"format_version"' in start and plan_file.is_one(start.decode("utf-8", "replace")):
        return True
    raw = whole_file.read(path, MAX_BYTES) if begins else start
    # Broken text still counts by what can be read of it.
    return plan_file.is_one(raw.decode(json.detect_encoding(raw), "replace"))


def read_plan(path: str, root: str, source: str | None = None) -> Plan:
    """Read a plan. What cannot be read of it is a problem; nothing is raised.

    ``root`` is the plan, or the directory that it is found in; ``source`` the directory of its .tf files.
    """
    host = os.path.basename(path) if path == root else os.path.relpath(path, root)
    plan = Plan(path, host, [], [], 0)
    lines = SourceLines(source)
    deleted = 0
    listed: set[str | None] = set()
    kept: list[Kept] = []
    try:
        if path != root and not _is_in(os.path.realpath(path), os.path.realpath(root)):
            raise PlanError("is behind a link, which is not followed: put the plan itself there")
        raw = whole_file.read(path, MAX_BYTES)
        if _is_saved(raw[:_START]):
            raise PlanError(_SAVED)
        for entry in plan_file.read(plan_file.decoded(raw)):
            if isinstance(entry, Change):
                deleted += _add(plan, entry, lines)
                listed.update((entry.address, entry.previous))
            elif isinstance(entry, Kept):
                kept += [entry] if looks_like_a_guest(entry.type) else []
            elif entry.errored is not False and entry.errored is not None:
                plan.problems.append(_problem(plan, "the plan ended with an error, so it may lack guests: plan again"))
            elif entry.complete is False:
                plan.problems.append(_problem(plan, "the plan is not complete: plan again without -target"))
    except OSError as exc:
        plan.problems.append(_problem(plan, f"cannot be read: {exc.strerror or exc}"))
    except PlanError as exc:
        plan.problems.append(_problem(plan, str(exc)))
    else:
        plan.resources.extend(_left_out(plan, one) for one in kept if one.address not in listed)
    return plan._replace(deleted=deleted)


def _left_out(plan: Plan, kept: Kept) -> Resource:
    """A guest that is in the state and that the plan does not look at."""
    fault = "the plan leaves it out, as one that was made with -target or -refresh-only, so it was not judged"
    resource: records.Resource = {"words": "", "address": kept.address, "module": None, "id": None, "note": ""}
    return Resource(Defined(hypervisor=hypervisor(kept.type), fault=fault), Place(plan.path, None, resource))


def _raise(error: OSError) -> None:
    raise error


def _is_saved(start: bytes) -> bool:
    return start.startswith(b"PK\x03\x04") and b"tfplan" in start


def _add(plan: Plan, entry: Change, lines: SourceLines) -> int:
    """Add a resource that is a guest to the plan; returns 1 for one that is deleted."""
    if entry.mode == "data":
        return 0
    read = reader(entry.provider, entry.type)
    if read is None and not looks_like_a_guest(entry.type):
        return 0
    if entry.goes:
        return 1
    try:
        defined = _defined(entry, read)
    except ShapeError as exc:
        defined = Defined(hypervisor=hypervisor(entry.type), fault=str(exc))
    exists = _exists(entry)
    if exists and defined.cloned:
        defined = defined._replace(cloned=Template(id=defined.id, itself=True))
    resource: records.Resource = {
        "words": defined.words,
        "address": entry.address,
        "module": entry.module,
        "id": defined.id,
        "note": defined.restarts if exists else "",
    }
    file, line = lines.find(entry.module, entry.type, entry.name) or (plan.path, None)
    plan.resources.append(Resource(defined, Place(file, line, resource)))
    return 0


def _defined(entry: Change, read: Callable[[Block], Defined] | None) -> Defined:
    """Raises ShapeError where nothing of the guest can be judged."""
    if read is None:
        who = f"of {piece(entry.provider)}" if entry.provider else "without a provider"
        raise ShapeError(f"resources {piece(entry.type)} {who} are not known here, so this one was not judged")
    if entry.deferred is not None:
        raise ShapeError(f"its plan is put off ({piece(entry.deferred)}), so nothing of it is known")
    after = entry.change.get("after")
    if not isinstance(after, Mapping):
        raise ShapeError("the plan does not say what it will be")
    before = entry.change.get("before") if _exists(entry) else None
    return read(Block(after, entry.change.get("after_unknown"), entry.change.get("after_sensitive"), before=before))


def _exists(entry: Change) -> bool:
    """Whether the guest is there before the apply and is not made anew."""
    return "create" not in entry.actions


def _problem(plan: Plan, reason: str) -> Problem:
    return records.problem(plan.path, reason)


def guests_of(plans: Sequence[Plan], configs: Iterable[Guest], storages: Mapping[str, Storage]) -> list[list[Guest]]:
    """The records of each plan's guests. Their templates are looked for among ``configs`` and all plans' guests."""
    return _Records(plans, configs, storages).all()


class _Records:
    """Makes records, those of templates before those of their clones."""

    def __init__(self, plans: Sequence[Plan], configs: Iterable[Guest], storages: Mapping[str, Storage]) -> None:
        self._plans = plans
        self._storages = storages
        self._made: dict[int, Guest | None] = {}
        # By id and by name: a fleet of clones asks for each of its guests.
        self._configs: dict[_Key, list[Guest]] = {}
        for guest in configs:
            for key in (("id", guest["id"]), ("name", guest["name"])):
                self._configs.setdefault((guest["hypervisor"], *key), []).append(guest)
        self._resources = _by_key(plans)

    def all(self) -> list[list[Guest]]:
        made = [[self._record(resource) for resource in plan.resources] for plan in self._plans]
        return [[guest for guest in guests if guest is not None] for guests in made]

    def _record(self, resource: Resource) -> Guest | None:
        """The record of a resource; None while it is being made, as of one that clones itself."""
        key = id(resource)
        if key not in self._made:
            self._made[key] = None
            cloned = resource.defined.cloned
            template = self._template(cloned, resource) if cloned else None
            self._made[key] = record(resource.defined, resource.place, self._storages, template)
        return self._made[key]

    def _template(self, cloned: Template, by: Resource) -> Guest | None:
        """The one guest that is cloned, or the config of the guest itself; None where it is not there, or may be one of
        several.
        """
        named = ("id", cloned.id) if cloned.id else ("name", cloned.name or None)
        key = (by.defined.hypervisor, *named)
        found: list[Guest | None] = [*self._configs.get(key, ())]
        for other in () if cloned.itself else self._resources.get(key, ()):
            if other is not by:
                # Of what is not to be shown, a clone's findings do not speak either.
                found.append(None if _is_sensitive(other.defined) else self._record(other))
        return found[0] if len(found) == 1 else None


def _is_sensitive(defined: Defined) -> bool:
    return defined.sensitive or any(drive.sensitive for drive in defined.drives)


def _by_key(plans: Sequence[Plan]) -> dict[_Key, list[Resource]]:
    """The resources of all plans by their hypervisor with ``("id", …)`` and with ``("name", …)``."""
    found: dict[_Key, list[Resource]] = {}
    for resource in (resource for plan in plans for resource in plan.resources):
        for key in (("id", resource.defined.id), ("name", resource.defined.name)):
            found.setdefault((resource.defined.hypervisor, *key), []).append(resource)
    return found


def deleted_words(plan: Plan) -> list[str]:
    """What is said of the guests that a plan deletes or forgets; nothing where there are none."""
    return [f"{plan.path} ({plural(plan.deleted, 'guest')} that it deletes or forgets)"] if plan.deleted else []


def named_by(plans: Sequence[Plan]) -> Callable[[Guest], str | None]:
    """What tells, for the guest of a config, the resource that defines it, in words; None where no plan has its id, and
    its node where both are known.
    """
    places = {id(resource): plan.path for plan in plans for resource in plan.resources}
    resources = _by_key(plans)

    def named(guest: Guest) -> str | None:
        for resource in resources.get((guest["hypervisor"], "id", guest["id"]), ()):
            node = resource.defined.node
            if None in (node, guest["node"]) or node == guest["node"]:
                return f"{piece(resource.place.resource['address'])} in {places[id(resource)]}"
        return None

    return named
