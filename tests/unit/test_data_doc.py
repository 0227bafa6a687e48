# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""docs/data.md, docs/findings.schema.json and the types of _model say the same."""

from __future__ import annotations

import json
import re
import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest
import yaml

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._model import findings, operations, records

PROJECT = Path(__file__).resolve().parents[2]
DOC = (PROJECT / "docs/data.md").read_text("utf-8")
SCHEMA = json.loads((PROJECT / "docs/findings.schema.json").read_text("utf-8"))
BLOCKS = dict(re.findall(r"^```yaml (\w+)\n(.*?)^```$", DOC, re.MULTILINE | re.DOTALL))
TYPES = {
    name: kind
    for module in (records, findings, operations)
    for name, kind in vars(module).items()
    if is_typeddict(kind) and not name.startswith("_")
}


def alternatives(kind):
    """The types of a union; of another type itself."""
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def faults(value, kind, place, seen):
    """What of a value is not of its type, in words; the types that were met are added to ``seen``."""
    kinds = alternatives(kind)
    if value is None or kind is Any:
        return [] if kind is Any or type(None) in kinds else [f"{place} is null"]
    (kind,) = set(kinds) - {type(None)}
    origin = get_origin(kind)
    if origin is Literal:
        return [] if value in get_args(kind) else [f"{place} is {value!r}"]
    if origin is list:
        (item,) = get_args(kind)
        note(item, seen)
        return [fault for each in value for fault in faults(each, item, f"{place}[]", seen)]
    if is_typeddict(kind):
        note(kind, seen)
        hints = get_type_hints(kind)
        wrong = [f"{place}.{key} is {where}" for where, keys in odd_keys(set(value), set(hints)) for key in keys]
        return wrong + [
            fault for key in set(value) & set(hints) for fault in faults(value[key], hints[key], f"{place}.{key}", seen)
        ]
    kind = origin or kind
    return [] if isinstance(value, (int, float) if kind is float else kind) else [f"{place} is {value!r}"]


def note(kind, seen):
    """Add a type and those that its keys can hold."""
    for one in alternatives(kind):
        if get_origin(one) is list:
            note(get_args(one)[0], seen)
        elif is_typeddict(one) and one.__name__ not in seen:
            seen.add(one.__name__)
            for hint in get_type_hints(one).values():
                note(hint, seen)


def odd_keys(told, typed):
    return [("not in the type", sorted(told - typed)), ("not in the page", sorted(typed - told))]


@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_each_shape_of_the_page_is_its_type(name):
    assert faults(yaml.safe_load(BLOCKS[name]), TYPES[name], name, set()) == []


def test_every_type_is_on_the_page():
    seen = set()
    for name in BLOCKS:
        note(TYPES[name], seen)
    assert seen == set(TYPES)


@pytest.mark.parametrize("change", [{"aio": None}, {"cache_direct": "yes"}, {"more": 1}])
def test_a_shape_that_differs_is_seen(change):
    disk = yaml.safe_load(BLOCKS["Guest"])["disks"][0]
    assert faults(disk, records.Disk, "disk", set()) == []
    changed = {**disk["effective"], **change}
    assert (faults({**disk, "effective": changed}, records.Disk, "disk", set()) == []) == (change == {"aio": None})
    assert faults({key: disk[key] for key in disk if key != "line"}, records.Disk, "disk", set())


@pytest.mark.parametrize(
    ("shape", "sets"),
    [
        ("Result", [findings.ResultStatus, findings.ResultReason]),
        ("Document", [findings.GuestStatus, findings.UnresolvedReason]),
        ("RollbackPlan", [operations.RollbackReason]),
        ("RestartResult", [operations.RestartStatus, operations.RestartReason]),
    ],
)
def test_the_page_has_every_word_of_a_closed_set(shape, sets):
    words = [word for closed in sets for word in get_args(closed)]
    assert [word for word in words if not re.search(rf"\b{word}\b", BLOCKS[shape])] == []


def schema_faults(schema, kind, place):
    """Where the JSON schema and a type differ, in words."""
    if kind is Any:
        return []
    schema = {**schema, **SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]} if "$ref" in schema else schema
    kinds = alternatives(kind)
    nullable = type(None) in kinds
    told = [schema] if "oneOf" not in schema else [one for one in schema["oneOf"] if one != {"type": "null"}]
    says_null = (
        "null" in schema.get("type", ())
        or None in schema.get("enum", ())
        or {"type": "null"} in schema.get("oneOf", ())
    )
    wrong = [] if nullable == says_null else [f"{place}: null is {'allowed' if says_null else 'refused'} by the schema"]
    (kind,) = set(kinds) - {type(None)}
    (schema,) = told
    if is_typeddict(kind):
        if schema["additionalProperties"] is not False:
            wrong.append(f"{place}: other keys are allowed")
        hints = get_type_hints(kind)
        properties = schema["properties"]
        wrong += [f"{place}.{key} is {where}" for where, keys in odd_keys(set(properties), set(hints)) for key in keys]
        wrong += [
            f"{place}.{key} is not required alike" for key in set(schema["required"]) ^ set(kind.__required_keys__)
        ]
        return wrong + [
            fault
            for key in set(properties) & set(hints)
            for fault in schema_faults(properties[key], hints[key], f"{place}.{key}")
        ]
    if get_origin(kind) is list:
        return wrong + schema_faults(schema["items"], get_args(kind)[0], f"{place}[]")
    if get_origin(kind) is Literal:
        same = set(schema.get("enum", ())) == set(get_args(kind)) | ({None} if nullable else set())
        return wrong if same else [*wrong, f"{place}: other words"]
    return wrong


def test_the_schema_of_the_findings_document_is_its_type():
    assert schema_faults(SCHEMA, findings.Document, "document") == []
