# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The variables of all playbooks and roles, from their argument specs: there is no other list of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

try:
    import yaml
except ImportError:  # ansible-core brings it to the controller, the only place where this is called
    yaml = None

_COLLECTION = Path(__file__).parents[3]
#: What begins the names of the collection's variables.
PREFIXES = (
    "awx_",
    "calibrate_io_",
    "gate_",
    "guest_io_",
    "harden_io_",
    "host_writeback_",
    "io_hardening_",
    "io_host_",
    "io_load_",
    "prove_io_",
    "report_",
    "restart_",
    "rollback_",
    "survey_",
)
#: Prefix of the questions that AWX asks; the rest is the name of the variable they are about.
SURVEY = "survey_"
#: Holds a secret: an answer of a survey is not one.
SECRET = "io_hardening_api"
#: Variables of plays themselves, which Ansible asks for before it looks at any host.
OF_PLAYS = ("io_hardening_hosts", "restart_hosts_at_once")


def files() -> Iterator[Path]:
    """The files with argument specs: of the roles, and of the playbooks."""
    yield from sorted(_COLLECTION.glob("roles/*/meta/argument_specs.yml"))
    yield from sorted(_COLLECTION.glob("playbooks/**/*.meta.yml"))


@lru_cache(maxsize=1)
def specs() -> dict[str, dict[str, Any]]:
    """Each variable's argument spec, by its name. The question of a survey has that of the variable it is about."""
    # Not every PyYAML has it. Without it a run starts a tenth of a second later.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, dict[str, Any]] = {}
    for path in files():
        with path.open(encoding="utf-8") as file:
            for entry in yaml.load(file, Loader=loader)["argument_specs"].values():
                found.update(entry["options"])
    questions = {SURVEY + name: spec for name, spec in found.items() if name not in (*OF_PLAYS, SECRET)}
    return {**found, **questions}


@lru_cache(maxsize=1)
def known() -> dict[str, tuple[str, ...]]:
    """The names of the variables by their prefix."""
    names = sorted(specs())
    return {prefix: tuple(name for name in names if name.startswith(prefix)) for prefix in PREFIXES}
