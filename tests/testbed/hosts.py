# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Starts and ends all the hosts of a scenario."""

from __future__ import annotations

import concurrent.futures
import pathlib
import shutil
import time
from typing import NamedTuple

from . import box, container, machine, recipe, ssh

KINDS = {"container": container, "machine": machine}


class SpecError(Exception):
    """A host is asked for in a way that cannot be; the message says what is allowed."""


class Spec(NamedTuple):
    """A host as a scenario asks for it."""

    name: str
    kind: str
    image: recipe.Image
    user: str


def read_spec(platform: dict) -> Spec:
    """Make a spec of one entry of molecule.yml's ``platforms``; ``packages`` is a list, and may be left out.

    Raises SpecError.
    """
    name, kind, suite, user = (str(platform.get(key)) for key in ("name", "kind", "suite", "user"))
    spec = Spec(name, kind, recipe.Image(suite, tuple(platform.get("packages", ()))), user)
    for key, value, allowed in (
        ("kind", spec.kind, tuple(KINDS)),
        ("suite", suite, recipe.SUITES),
        ("user", spec.user, ("root", recipe.SUDO_USER)),
    ):
        if value not in allowed:
            raise SpecError(f"platform {spec.name}: {key} is {value!r}, allowed are {', '.join(allowed)}")
    return spec


def up(checkout: pathlib.Path, scenario: str, specs: list[Spec]) -> list[dict]:
    """Start hosts and return an instance config for molecule, one entry per host.

    What an earlier run of this scenario left behind is ended first. When one host does not come
    up, none stays.
    """
    down(checkout, scenario)
    folder = home(checkout, scenario)
    folder.mkdir(parents=True)
    key = ssh.make_key(folder)
    try:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            accesses = dict(pool.map(lambda spec: (spec.name, _start(checkout, scenario, spec, key)), specs))
            ssh.write_config(folder, accesses, box.prefix(checkout, scenario))
            list(pool.map(lambda spec: _greet(checkout, scenario, spec), specs))
    except BaseException:
        _end_boxes(checkout, scenario)
        raise
    return [
        {"instance": name, "address": name, "user": access.user, "port": access.port, "identity_file": str(key)}
        for name, access in accesses.items()
    ]


def down(checkout: pathlib.Path, scenario: str) -> None:
    """End every host of a scenario and remove what they wrote."""
    _end_boxes(checkout, scenario)
    shutil.rmtree(home(checkout, scenario), ignore_errors=True)


def home(checkout: pathlib.Path, scenario: str) -> pathlib.Path:
    """Return the folder of a scenario's hosts: key, ssh_config, and one folder for each host."""
    return checkout / "build" / "hosts" / scenario


def _end_boxes(checkout: pathlib.Path, scenario: str) -> None:
    for cgroup in box.leftovers(checkout, scenario):
        box.end(cgroup)


def _start(checkout: pathlib.Path, scenario: str, spec: Spec, key: pathlib.Path) -> ssh.Access:
    kind = KINDS[spec.kind]
    folder = home(checkout, scenario) / spec.name
    folder.mkdir()
    cage = box.Box(checkout, scenario, spec.name)
    pid = kind.start(cage, checkout / "build" / "images", spec.image, folder, key.with_suffix(".pub"))
    return ssh.Access(cage, pid, kind.PORT, spec.user)


def _greet(checkout: pathlib.Path, scenario: str, spec: Spec) -> None:
    folder = home(checkout, scenario)
    cage = box.Box(checkout, scenario, spec.name)
    # A machine believes that it is the day its state was saved.
    command = f"date --set=@{time.time():.0f}" if spec.kind == "machine" else "true"
    ssh.wait(folder, spec.name, cage, KINDS[spec.kind].BOOT_PATIENCE, folder / spec.name / "log", command)
