# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Records how real libvirt prints definitions before and after an edit, as tests/fixtures/libvirt_edits/SUITE.json.

    sudo python3 tests/tools/record_libvirt --keep ROOTS bookworm trixie
    sudo env PYTHONPATH=build/collections python3 tests/tools/record_libvirt_edits ROOTS bookworm trixie

What is edited is scrambled before libvirt gets it: the order in what is recorded is libvirt's own.
"""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys

from domains import ASKED, domains

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._libvirt.definition import Definition

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE.parents[1] / "fixtures" / "libvirt_edits"

# Folders of its own for what libvirt writes, and a /dev without /dev/kvm, which libvirt would try for a minute.
_MOUNTS = """
set -e
ip link set lo up
mount --make-rprivate /
mount -t proc proc "$1/proc"
mount -t sysfs sysfs "$1/sys"
for folder in dev run tmp etc/libvirt var/lib/libvirt var/cache/libvirt var/log/libvirt
do mount -t tmpfs -o mode=755 tmpfs "$1/$folder"; done
for node in null zero full random urandom tty; do cp -a "/dev/$node" "$1/dev/"; done
mkdir "$1/dev/shm" "$1/dev/pts" "$1/run/lock"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$1/dev/pts"
ln -s pts/ptmx "$1/dev/ptmx"
ln -s /proc/self/fd "$1/dev/fd"
cp "$2" "$1/tmp/printed.py"
chroot "$1" python3 /tmp/printed.py
"""


def printed(root: pathlib.Path, texts: dict[str, str]) -> dict[str, str]:
    """What libvirt prints of domains that it is given; under ``version`` which libvirt it was."""
    command = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "sh", "-c", _MOUNTS, "sh"]
    done = subprocess.run(
        [*command, root, HERE / "printed.py"], input=json.dumps(texts), check=True, stdout=subprocess.PIPE, text=True
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def definition(text: str) -> Definition:
    """A definition without a record."""
    return Definition("web", None, "/web.xml", text.encode(), lambda raw: {})  # type: ignore[arg-type,return-value,typeddict-item]


def scrambled(text: str) -> str:
    """The text with the attributes of drivers from the last to the first, and <iothreads> at its end."""
    attribute = re.compile(r"\s[\w:]+='[^']*'")
    text = re.sub(r"<driver [^<>]*>", lambda tag: re.sub(
        r"<driver(.*?)(/?>)", lambda parts: "<driver" + "".join(reversed(attribute.findall(parts[1]))) + parts[2], tag[0]
    ), text)  # fmt: skip
    count = re.search(r"\n  <iothreads>\d+</iothreads>", text)
    return text if count is None else text.replace(count[0], "").replace("\n</domain>", f"{count[0]}\n</domain>")


def record(root: pathlib.Path, suite: str) -> None:
    """Record the domains of this folder with the libvirt of a root."""
    # Twice: libvirt 9.0 puts a controller that it added itself elsewhere when it reads its own definition.
    before = printed(root, {name: text for name, text in printed(root, domains()).items() if name != "version"})
    version = before.pop("version")
    edited = {name: definition(text).edited(ASKED.get(name) or _everything(text)) for name, text in before.items()}
    after = printed(root, {name: scrambled(each.raw.decode()) for name, each in edited.items()})
    found = {
        name: {"before": text, "asked": ASKED.get(name) or _everything(text), "after": after[name]}
        for name, text in before.items()
    }
    FIXTURES.mkdir(exist_ok=True)
    (FIXTURES / f"{suite}.json").write_text(
        json.dumps({"libvirt": version, "domains": found}, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8"
    )


def _everything(text: str) -> dict[str, dict[str, object]]:
    """All options, of all disks that can have them."""
    found: dict[str, dict[str, object]] = {}
    for disk in re.findall(r"<disk .*?</disk>", text, re.DOTALL):
        target = re.search(r"<target dev='(\w+)' bus='(\w+)'", disk)
        assert target
        found[target[1]] = {"aio": "threads", "cache": "directsync"}
        if target[2] in ("virtio", "scsi"):
            found[target[1]]["iothread"] = True
    return found


if __name__ == "__main__":
    for one in sys.argv[2:]:
        record(pathlib.Path(sys.argv[1], one), one)
