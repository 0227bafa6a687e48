# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A host's tree on disk, and the walk over it as the role takes it: read, assess, plan, apply."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.tree import Tree
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._writeback.apply import carry_out, prepare
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._writeback.assess import assess as assess_facts
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._writeback.read import read_facts

DEFAULTS = {
    "mode": "ratio",
    "state": "present",
    "take_over": False,
    "ratio": 2,
    "background_ratio": 1,
    "limit_bytes": 256 << 20,
    "background_limit_bytes": 128 << 20,
}


def host_tree(root: Path, files: dict[str, str] | None = None, **kernel: int) -> Path:
    """A tree with a kernel's values, memory, and ``files`` (path on the host: text, or ``-> target``)."""
    values = {"dirty_ratio": 20, "dirty_bytes": 0, "dirty_background_ratio": 10, "dirty_background_bytes": 0, **kernel}
    everything = {"/proc/sys/vm/" + key: "%d\n" % value for key, value in values.items()}
    everything["/proc/meminfo"] = "MemTotal:        8000000 kB\nMemFree: 5 kB\nMemAvailable:    6000000 kB\n"
    everything.update(files or {})
    for path, text in everything.items():
        place = root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> "):
            place.symlink_to(text[3:])
        else:
            place.write_text(text)
    return root


def snapshot(root: Path) -> dict[str, str]:
    """Every file and link of a tree: bytes, mode, target."""
    found = {}
    for place in sorted(root.rglob("*")):
        name = "/" + str(place.relative_to(root))
        if place.is_symlink():
            found[name] = "-> " + str(place.readlink())
        elif place.is_file():
            found[name] = f"{place.stat().st_mode & 0o7777:o} {place.read_bytes()!r}"
    return found


def kernel(root: Path) -> dict[str, int]:
    """The values of the tree's kernel."""
    return {place.name: int(place.read_text()) for place in (root / "proc/sys/vm").iterdir()}


def assess(root: Path, **settings) -> dict:
    """Read and assess a tree."""
    return assess_facts(read_facts(Tree(str(root))), {**DEFAULTS, **settings}, "pve1")


def harden(root: Path, **settings) -> dict:
    """The whole walk; the assessment with ``work``, ``None`` where there was no plan."""
    found = assess(root, **settings)
    found["work"] = None
    if found["plan"] is not None:
        tree = Tree(str(root))
        found["work"] = prepare(found["plan"], tree)
        carry_out(found["work"], tree)
    return found
