# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The Python libraries that the controller needs beside ansible-core, and how to get them where Ansible runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import PurePath

#: As requirements.txt has them.
LIBRARIES = ("jmespath", "netaddr")
_DEBIAN = "/etc/debian_version"


def missing_libraries() -> str | None:
    """A sentence that names all libraries that are missing, with the command that installs them; None: none is."""
    missing = [name for name in LIBRARIES if find_spec(name) is None]
    if not missing:
        return None
    system = sys.prefix == sys.base_prefix
    return sentence(missing, sys.executable, sys.prefix, system and os.path.exists(_DEBIAN))


def sentence(missing: Iterable[str], python: str, prefix: str, debian: bool) -> str:
    """``prefix`` is the environment's folder; ``debian`` says whether it is that of Debian's own Python."""
    names = " ".join(missing)
    folder = PurePath(prefix)
    if debian:
        way = f"apt install {' '.join(f'python3-{name}' for name in names.split())}"
    elif folder.parts[-3:-1] == ("pipx", "venvs"):
        way = f"pipx inject {folder.name} {names}"
    else:
        way = f"'{python}' -m pip install {names}" if " " in python else f"{python} -m pip install {names}"
    what = " and ".join(names.split())
    return f"The Python on the controller that runs Ansible lacks {what}. Install what is missing there: {way}"
