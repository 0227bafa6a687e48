# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What is to be done to a guest, how, and the reason why it is not: what apply, refuse and write hand each other."""

from __future__ import annotations

from typing import Any, NamedTuple

from .._pve import config as _config
from . import qm
from .journal import Journal
from .node import Node


class Options(NamedTuple):
    """How to apply. ``run`` runs a command; without a journal none is kept.

    ``timeout`` is in seconds: for one call of qm, and for another run that writes the same tree. ``node`` is what apply
    asks a live node with; apply makes it.
    """

    run: qm.Run
    root: str = "/"
    check: bool = False
    max_parallel: int = 2
    apply_foreign_pending: bool = False
    timeout: int = 300
    journal: Journal | None = None
    node: Node | None = None


class Work(NamedTuple):
    """What is to be done to a guest: the plan's entry, the config as it is, each key's value to be (None: none), and
    the config with them.
    """

    entry: dict[str, Any]
    config: _config.Config
    values: dict[str, str | None]
    edited: str


class Refused(Exception):
    """A guest is not written, or not as it should be: ``reason`` is a result's (docs/data.md), ``detail`` says what to
    do.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
