# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The stand-in answers every recorded call as the real ``virsh`` 9.0 did: exit status and both outputs.

``tests/tools/record_virsh`` made the recording. Of text that is no XML, the parser's own words are not compared.
"""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.virsh_host import VirshHost

RECORDED = json.loads(
    (Path(__file__).resolve().parents[2] / "fixtures/libvirt/virsh-transcripts.json").read_text("utf-8")
)


def test_every_step_as_recorded(tmp_path):
    host = VirshHost(tmp_path / "root")
    # The recorded guests have no operating system that could shut down.
    host.declare("unresponsive", "11111111-2222-4333-8444-555555555501")
    folder = tmp_path / "files"
    folder.mkdir()
    for name, text in RECORDED["files"].items():
        (folder / name).write_text(text)
    for number, step in enumerate(RECORDED["steps"]):
        script = step["script"].replace("@FOLDER@", str(folder))
        done = host.run(script, step["readonly"])
        got = {"rc": done.returncode, "stdout": done.stdout, "stderr": done.stderr.replace(str(folder), "@FOLDER@")}
        want = {key: step[key] for key in got}
        if "no-xml.xml" in script:
            got["stderr"], want["stderr"] = (text["stderr"].split("\n")[0] for text in (got, want))
        assert got == want, f"{number} {step['script']}"
    assert number == len(RECORDED["steps"]) - 1 > 40
