# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The values that a run's variables have on its hosts, each checked once. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from .specs import specs
from .values import is_text, value_refusal

_PLAIN = (str, int, float, list, dict, type(None))


def given_refusals(
    values: Mapping[str | None, Mapping[str, Any]],
    extra: Collection[str],
    prefixes: Collection[str] | None,
    is_template: Callable[[Any], bool],
    evaluate: Callable[[str | None, str], Any],
) -> list[str]:
    """A sentence for each value that its variable does not take.

    ``values`` has the variables of each host, not templated, and those of the play for None; ``extra`` are the names of
    those that are the same on all hosts. Only names with one of ``prefixes`` are looked at; None is all of them.
    ``evaluate`` gives the value of a host's variable, or None where that is not known yet: then it is left to the task
    that uses it. Only templates that may give a wrong value are evaluated.
    """
    # A group's value is the same object on all of its hosts.
    seen: set[tuple[str, int]] = set()
    names = [name for name in sorted(specs()) if prefixes is None or name.startswith(tuple(prefixes))]
    found: dict[str, None] = {}
    for host, variables in values.items():
        for name in names:
            if name not in variables or (name, id(variables[name])) in seen:
                continue
            value = variables[name]
            if not isinstance(value, _PLAIN) or is_template(value):
                if is_text(name):
                    continue
                value = evaluate(host, name)
                if value is None or not isinstance(value, _PLAIN) or is_template(value):
                    continue
            else:
                seen.add((name, id(value)))
            if refusal := value_refusal(name, value, None if name in extra else host):
                found[refusal] = None
    return list(found)
