# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""In the root of a Debian with libvirt: define every domain, start what starts, and write down what came of it."""

from __future__ import annotations

import functools
import http.server
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import threading
import time
from typing import Any

import domains as _domains

BLOCK = "/dev/sdx"
# What has nothing to do with disks, on a command line.
_LEFT_OUT = frozenset(
    """
    m smp uuid display no-user-config nodefaults rtc boot audiodev msg sandbox overcommit no-shutdown no-acpi serial
    chardev mon cpu S accel no-hpet no-reboot
    """.split()
)
_LEFT_OUT_DEVICES = re.compile(r'[{"driver:]*(pcie-root-port|pcie-pci-bridge|VGA|cirrus-vga)\b')


def virsh(*words: str) -> str:
    """What a command of virsh prints. Raises RuntimeError with its sentence."""
    done = subprocess.run(["virsh", "-q", "-c", "qemu:///system", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().replace("error: ", ""))
    return done.stdout


def prepare() -> None:
    """Images, secrets, pools, and what serves the network disks."""
    images = pathlib.Path(_domains.IMAGES)
    images.mkdir(parents=True, exist_ok=True)
    letters = [chr(97 + number) for number in range(26)]
    names = [f"{bus}{letter}" for bus in ("vd", "sd", "hd", "fd") for letter in [*letters, "aa", "ab"]]
    for name in [
        *(f"{name}.raw" for name in names),
        "cd.iso",
        "volume.raw",
        "code.fd",
        "vars.fd",
        "disk.raw",
        "export.raw",
    ]:
        with (images / name).open("wb") as file:
            file.truncate(1474560)

    def image(*words: str) -> None:
        # LUKS measures the processor, which fails at times on a busy machine.
        for left in range(20, -1, -1):
            done = subprocess.run(["qemu-img", "create", "-q", *words], check=not left, cwd=images)
            if not done.returncode:
                return

    luks = ["--object", "secret,id=key,data=secret"]
    image("-f", "qcow2", "bottom.qcow2", "4M")
    image("-f", "qcow2", "-b", "bottom.qcow2", "-F", "qcow2", "middle.qcow2")
    image("-f", "qcow2", "-b", "middle.qcow2", "-F", "qcow2", "top.qcow2")
    for name in ("alone", "second", "volume", "past"):
        image("-f", "qcow2", f"{name}.qcow2", "4M")
    image("-f", "luks", *luks, "-o", "key-secret=key,iter-time=500", "luks.raw", "4M")
    image(
        "-f",
        "qcow2",
        *luks,
        "-o",
        "encrypt.format=luks,encrypt.key-secret=key,encrypt.iter-time=500",
        "luks.qcow2",
        "4M",
    )
    subprocess.run(["qemu-nbd", "--fork", "-e", "9", "-p", str(_domains.NBD_PORT), "-x", "export", "-f", "raw", "export.raw"],
                   check=True, cwd=images)  # fmt: skip
    handler = functools.partial(_Ranges, directory=str(images))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", _domains.HTTP_PORT), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


class _Ranges(http.server.SimpleHTTPRequestHandler):
    """Files, with the one header that QEMU asks of a server."""

    def end_headers(self) -> None:
        """Say that parts of a file can be had."""
        self.send_header("Accept-Ranges", "bytes")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


def start_libvirt() -> None:
    """A libvirt without what a container lacks."""
    pathlib.Path("/etc/libvirt/qemu.conf").write_text(
        'cgroup_controllers = []\nsecurity_driver = "none"\nuser = "root"\ngroup = "root"\nremember_owner = 0\n'
        "namespaces = []\n",
        "ascii",
    )
    for daemon in ("virtlogd", "libvirtd"):
        subprocess.run([daemon, "-d"], check=True)
    for _second in range(30):
        try:
            virsh("list")
            break
        except RuntimeError:
            time.sleep(1)
    for kind, uuid, value in (("volume", _domains.LUKS_SECRET, "c2VjcmV0"), ("ceph", _domains.CEPH_SECRET, "c2VjcmV0")):
        usage = "<volume>/luks</volume>" if kind == "volume" else "<name>admin</name>"
        _file("secret.xml", f"<secret><uuid>{uuid}</uuid><usage type='{kind}'>{usage}</usage></secret>")
        virsh("secret-define", "/tmp/secret.xml")
        virsh("secret-set-value", uuid, "--base64", value)
    virsh("pool-define-as", "images", "dir", "--target", _domains.IMAGES)
    virsh("pool-start", "images")


# LVM's commands as libvirt calls them: device-mapper is not everywhere where this runs. The volume is the block device.
_LVM = {
    "vgchange": "",
    "pvs": f"{BLOCK} {_domains.GROUP}",
    "vgs": "67108864:50331648",
    "lvs": f"{_domains.VOLUME}##0aaaaa-bbbb-cccc-dddd-eeee-ffff-gggggg#{BLOCK}(0)#linear#1#16777216#4194304#16777216#-wi-a-----",
}


def logical_pool() -> None:
    """A pool of type logical with one volume."""
    for name, answer in _LVM.items():
        program = pathlib.Path("/sbin", name)
        program.write_text(f"#!/bin/sh\necho '{answer}'\n", "ascii")
        program.chmod(0o755)
    pathlib.Path("/dev", _domains.GROUP).mkdir()
    pathlib.Path("/dev", _domains.GROUP, _domains.VOLUME).symlink_to(BLOCK)
    virsh("pool-define-as", _domains.GROUP, "logical", "--source-name", _domains.GROUP)
    virsh("pool-start", _domains.GROUP)


def _file(name: str, text: str) -> str:
    path = pathlib.Path("/tmp", name)
    path.write_text(text, "utf-8")
    return str(path)


def about_disks(argv: list[str]) -> list[str]:
    """A command line without what says nothing of disks."""
    kept = argv[:1]
    at = 1
    while at < len(argv):
        word = argv[at]
        value = argv[at + 1 : at + 2] if at + 1 < len(argv) and not re.match(r"-[a-zA-Z]", argv[at + 1]) else []
        at += 1 + len(value)
        left_out = word[1:] in _LEFT_OUT or (word == "-device" and value and _LEFT_OUT_DEVICES.match(value[0]))
        if not left_out:
            kept += [word, *value]
    return kept


# The same of live XML.
_LEFT_OUT_XML = re.compile(
    r"^  (?:  )?<(cpu|clock|seclabel|input|audio|currentMemory|vcpu|on_\w+|controller type='(?:pci|usb)')\b"
    r"(?:[^>]*/>|.*?</(?:\1|controller)>)\n",
    re.MULTILINE | re.DOTALL,
)


def _same(native: list[str], running: list[str]) -> bool:
    """Whether two command lines are the same but for the order of disks and the guest's folder."""

    def words(argv: list[str]) -> list[str]:
        of_disks = [re.sub(r"libvirt-\d+-", "libvirt-", word.replace(',"backing":null', "")) for word in argv]
        return sorted(word for word in of_disks if "masterKey" not in word and not word.startswith("guest="))

    return words(native) == words(running)


def record(name: str, written: str) -> dict[str, Any]:
    """What comes of one domain: its definition, its command line, and the same of the running guest."""
    found: dict[str, Any] = {"name": name}
    try:
        virsh("define", _file("domain.xml", written))
        uuid = virsh("list", "--all", "--uuid").split()[0]
    except RuntimeError as error:
        return {**found, "refused": str(error)}
    try:
        found["defined"] = virsh("dumpxml", "--inactive", uuid)
        try:
            native = shlex.split(virsh("domxml-to-native", "qemu-argv", "--domain", uuid))
            found["native"] = about_disks(native[next(at for at, word in enumerate(native) if word[0] == "/") :])
        except RuntimeError as error:
            found["no_native"] = str(error)
        try:
            if name == "past":
                found.update(_past(uuid))
            virsh("start", "--paused", uuid)
            found["live"] = _LEFT_OUT_XML.sub("", virsh("dumpxml", uuid))
            found["cmdline"] = about_disks(_cmdline(uuid))
            if _same(found.get("native", []), found["cmdline"]):
                del found["native"]
            virsh("destroy", uuid)
        except RuntimeError as error:
            found["not_started"] = str(error)
    finally:
        virsh("undefine", "--nvram", "--managed-save", "--snapshots-metadata", uuid)
    return found


def _past(uuid: str) -> dict[str, Any]:
    """What is kept of earlier definitions: a snapshot of the stopped guest, one of the running guest, and its managed
    save. Between them the disk gets another cache, and then another aio.
    """

    def snapshot(name: str) -> str:
        virsh("snapshot-create-as", uuid, name)
        return _LEFT_OUT_XML.sub("", virsh("snapshot-dumpxml", uuid, name))

    def change(old: str, new: str) -> None:
        virsh("define", _file("changed.xml", virsh("dumpxml", "--inactive", uuid).replace(old, new)))

    stopped = snapshot("stopped")
    change("type='qcow2'/>", "type='qcow2' cache='none'/>")
    virsh("start", "--paused", uuid)
    running = snapshot("running")
    change("cache='none'/>", "cache='none' io='threads'/>")
    virsh("managedsave", uuid)
    saved = virsh("managedsave-dumpxml", uuid)
    after = virsh("dumpxml", "--inactive", uuid)
    virsh("managedsave-remove", uuid)
    change(" cache='none' io='threads'/>", "/>")
    return {
        "snapshots": {"running": running, "stopped": stopped},
        "saved": _LEFT_OUT_XML.sub("", saved),
        "after": after,
    }


def _cmdline(uuid: str) -> list[str]:
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        words = (process / "cmdline").read_bytes().decode("utf-8").split("\0")[:-1]
        if uuid in words and "qemu" in words[0]:
            return words
    raise RuntimeError("no process")


def main() -> None:
    """Record all domains."""
    os.environ["LIBVIRT_DEFAULT_URI"] = "qemu:///system"
    prepare()
    start_libvirt()
    recorded = []
    for name, written in _domains.domains(BLOCK).items():
        if name == "volumes":
            logical_pool()
        recorded.append(record(name, written))
    version = virsh("version")
    document = {
        "libvirt": re.search(r"Using library: libvirt ([0-9.]+)", version)[1],
        "qemu": re.search(r"Running hypervisor: QEMU ([0-9.]+)", version)[1],
        "domains": recorded,
    }
    with open("/tmp/recorded.json", "w", encoding="utf-8") as file:
        rows = ",\n".join(json.dumps(row) for row in document.pop("domains"))
        head = json.dumps(document)[:-1]
        file.write(f'{head}, "domains": [\n{rows}\n]}}\n')
    with open("/tmp/written.json", "w", encoding="utf-8") as file:
        rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(text)}" for name, text in _domains.domains(BLOCK).items())
        file.write(f"{{\n{rows}\n}}\n")
    for row in recorded:
        print(row["name"], *(f"{key}: {row[key]}" for key in ("refused", "no_native", "not_started") if key in row))
    for daemon in ("libvirtd", "virtlogd"):
        os.kill(int(pathlib.Path(f"/run/{daemon}.pid").read_text("ascii")), signal.SIGTERM)


if __name__ == "__main__":
    main()
