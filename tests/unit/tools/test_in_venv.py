# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The first run in a new checkout: tools/in-venv makes an environment, or says what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from ansible_collections.hypervisor.io_hardening.tests.playbooks import ROOT

HERE = "{}.{}".format(*sys.version_info[:2])


@pytest.fixture
def checkout(tmp_path):
    """A checkout in a folder with a blank in its name."""
    folder = tmp_path / "a b"
    for name in ("tools/in-venv", "tools/find-python", "tests/tools/apt-packages"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    (folder / "tools/requirements").mkdir()
    return folder


def in_venv(checkout, wants, *command, python=HERE, path="", **variables):
    """Status and standard error, with a registry that nobody serves."""
    (checkout / "tools/requirements/run.txt").write_text(f"# python: {python}\n{wants}\n")
    nothing = {"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_RETRIES": "0"}
    done = subprocess.run(
        [checkout / "tools/in-venv", "run", *command],
        env={**os.environ, **nothing, **variables, "PATH": f"{path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_without_a_network_it_says_so_and_the_next_call_tries_again(checkout):
    for _call in range(2):
        status, _output, said = in_venv(checkout, "no-such-package", "true")
        assert status == 1 and "Traceback" not in said
        assert said.splitlines()[-2].startswith(
            "build/venv-run cannot be made. pip could not install what tools/requirements/run.txt asks for, on the first"
            " run from the network: No matching distribution found for no-such-package"
        )
        assert "PIP_INDEX_URL" in said.splitlines()[-1] and (checkout / "build/venv-run.log").exists()
    command = ("python", "-c", "import sys; print(sys.prefix)")
    assert in_venv(checkout, "", *command)[:2] == (0, f"{checkout}/build/venv-run\n")
    assert in_venv(checkout, "", *command)[2] == "", "it is there now"
    # Scripts of packages name their interpreter by its path.
    assert in_venv(checkout, "", "pip", "--version")[1].startswith("pip ")


def test_without_ensurepip_and_root_it_names_the_package(checkout, tmp_path):
    (tmp_path / "ensurepip.py").write_text("raise ImportError\n")
    for name, text in {"id": "echo 1000", "dpkg-query": "exit 1"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    status, _output, said = in_venv(checkout, "", "true", path=tmp_path, PYTHONPATH=str(tmp_path))
    package = f"python{HERE}-venv"
    assert status == 1 and not (checkout / "build/venv-run").exists()
    assert said.splitlines()[1:] == [
        f"These packages are missing: {package}. Install them (on Debian, as root: apt-get install {package})."
    ]


def test_without_a_python_it_names_those_that_will_do(checkout):
    status, _output, said = in_venv(checkout, "", "true", python="3.1 3.2 3.3")
    assert (status, said) == (
        1,
        "build/venv-run needs Python 3.1, 3.2 or 3.3, which is not installed here. Install one with the system's packages"
        " (Debian 12 and later: apt-get install python3) or with pyenv, and run this again.\n",
    )
