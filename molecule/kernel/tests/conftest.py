# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What the tests of this scenario look at."""

from __future__ import annotations

import json
import os
import pathlib

import pytest

DROP_IN = "/etc/sysctl.d/99-hypervisor-io-hardening.conf"


@pytest.fixture
def limits(host):
    """The kernel's four values: dirty_ratio, dirty_bytes, dirty_background_ratio, dirty_background_bytes."""
    text = host.check_output(
        "cd /proc/sys/vm && cat dirty_ratio dirty_bytes dirty_background_ratio dirty_background_bytes"
    )
    return tuple(map(int, text.split()))


@pytest.fixture
def drop_in(host):
    """The settings of the role's file, sorted, without blanks."""
    lines = host.file(DROP_IN).content_string.splitlines()
    return sorted(line.replace(" ", "") for line in lines if line and line[0] not in "#;")


@pytest.fixture
def report(host):
    """What the role said of the host when it ran last."""
    path = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "reports.json")
    return json.loads(path.read_text(encoding="utf-8"))[host.backend.get_hostname()]


@pytest.fixture
def found(report):
    """The findings' texts, by rule."""
    texts: dict[str, list[str]] = {}
    for finding in report["findings"]:
        texts.setdefault(finding["rule"], []).append(f"{finding['file']} {finding['message']}")
    return texts
