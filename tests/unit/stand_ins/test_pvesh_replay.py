# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The stand-ins answer every recorded call as the real ``pvesh``, ``pvesm`` and ``qm`` did: exit status, both outputs,
the file. Lists that the real ones write in the order of a Perl hash are compared as sets, and when a job runs next not.
"""

from __future__ import annotations

import json
import re

import pytest

from ansible_collections.hypervisor.io_hardening.tests.unit.facts import facts
from ansible_collections.hypervisor.io_hardening.tests.unit.shared_data import requires_shared_pve, shared_pve
from ansible_collections.hypervisor.io_hardening.tests.unit.stand_ins.qm_host import QmHost

STEPS = facts("load_answers")
CALLS = [step for step in STEPS if "command" in step]

# What was true of the recorded host: no answer tells it whole.
NO_ZFS = "exec of zpool {} failed: No such file or directory at /usr/share/perl5/PVE/Cmd.pm line 174.\n\n"
LIST = "zfs error: open3: " + NO_ZFS.format("list -o name -H tank")
WORDS = {
    "ceph": "no ceph here\n",
    "gone": "unable to activate storage 'gone' - directory is expected to be a mount point but is not mounted: '/mnt/gone'\n",
    "nfsoff": "storage 'nfsoff' is not online\n",
    "tank": LIST
    + LIST
    + "could not activate storage 'tank', zfs error: open3: "
    + NO_ZFS.format("import -d /dev/disk/by-id/ -o cachefile=none tank"),
}
MORE_LINES = {
    101: "memory: 32\n",
    102: "tags: a;b;db;prod\n",
    103: "tags: restart-ok\n",
    111: "bios: ovmf\n",
    129: "futurekey: 1\nscsi0: local:129/vm-129-disk-0.raw,turbo=1\n",
    132: "scsi1: local:132/vm-132-disk-1.raw\n",
    135: "scsi0: /dev/disk/by-id/scsi-0QEMU disk=1\n",
}


def recorded(*words):
    """The first recorded step whose command has these words."""
    return next(step for step in CALLS if all(word in " ".join(step["command"]) for word in words))


def guests():
    """The guests of the recorded host, as far as its answers name them: that of a job's volumes is cut."""
    cut = recorded("included_volumes")["stdout"]
    whole = json.loads(cut[: cut.rindex(',{"children"')] + "]}")["children"]
    for guest in [
        *whole,
        {"id": 132, "name": "cut", "children": [{"id": "132:scsi0", "name": "local:132/vm-132-disk-0.raw"}]},
    ]:
        lines = [f"name: {guest['name']}\n"] if guest["name"] else []
        for disk in guest["children"]:
            left_out = "" if disk.get("included", 1) else ",backup=0"
            size = ",size=1G" if guest["id"] == 101 else ""
            lines.append(f"{disk['id'].partition(':')[2]}: {disk['name']}{left_out}{size}\n")
        if guest["id"] == 101:
            lines.append("boot: order=scsi0\n")
        yield guest["id"], "".join(lines)


@pytest.fixture
def host(tmp_path):
    host = QmHost(tmp_path)
    configs = dict(guests())
    for vmid in sorted(configs.keys() | MORE_LINES.keys()):
        host.config(vmid).write_text(configs.get(vmid, "") + MORE_LINES.get(vmid, ""))
    file(host, "/etc/pve/storage.cfg").write_text(
        recorded("pvesm set local --delete")["changed"]["/etc/pve/storage.cfg"]
    )
    host.declare("job-ids", *job_ids())
    host.declare("apt-versions", recorded("apt/versions")["stdout"].strip())
    host.declare("storages-offline", *WORDS)
    host.declare("storages-words", *(f"{name} {json.dumps(words)}" for name, words in WORDS.items()))
    rows = [line.split() for line in recorded("pvesm status")["stdout"].splitlines()[1:]]
    host.declare("storages-sizes", *(" ".join([row[0], *row[3:6]]) for row in rows))
    yield host
    host.close()


def job_ids():
    """The ids that were made for the recorded jobs, in order."""
    last = [step["changed"]["/etc/pve/jobs.cfg"] for step in CALLS if "/etc/pve/jobs.cfg" in step["changed"]][-1]
    return re.findall(r"^vzdump: (\S+)$", last, re.MULTILINE)


def file(host, path):
    return host.root / path.lstrip("/")


def contents(host):
    return {path: file(host, path).read_text() if file(host, path).exists() else None for path in FILES}


FILES = ["/etc/vzdump.conf", *(f"/etc/pve/{name}.cfg" for name in ("jobs", "datacenter", "storage"))]
CONTENT = re.compile(r'((?:^\tcontent |"content":")([a-z,]+))', re.MULTILINE)


def alike(text):
    """A text with its lists of content in order, and without the time of a job's next run and the digest of storage.cfg:
    the recorded one is not that of the recorded text.
    """
    text = CONTENT.sub(lambda found: found[1].replace(found[2], ",".join(sorted(found[2].split(",")))), text)
    text = re.sub(r'"digest":"[0-9a-f]{40}"', '"digest":"N"', text)
    return re.sub(r'"next-run":\d+', '"next-run":N', text)


def test_every_step_as_recorded(host):
    for number, step in enumerate(STEPS):
        if "written" in step:
            file(host, step["written"]).write_text(step["text"])
            continue
        name = f"{number}: {' '.join(step['command'])}"
        before = contents(host)
        got = host.run(*step["command"])
        assert got.returncode == step["rc"], name
        # Each storage says what is wrong with it, in no order.
        assert sorted(got.stderr.splitlines()) == sorted(step["stderr"].splitlines()), name
        if "included_volumes" in name:
            assert alike(got.stdout).startswith(step["stdout"]), name
        else:
            assert alike(got.stdout) == alike(step["stdout"]), name
        for path, text in {**before, **step["changed"]}.items():
            found = contents(host)[path]
            assert (found and alike(found)) == (text and alike(text)), f"{name}: {path}"
        for path, text in step["changed"].items():
            file(host, path).write_text(text)


def test_every_step_is_there():
    assert len(CALLS) == 33 and len(STEPS) == 36


@requires_shared_pve
def test_the_fixture_is_the_recording():
    assert json.loads((shared_pve() / "load-transcripts.json").read_text()) == STEPS
