# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Virtual machines: a kernel of their own, resumed from the state of a machine that has booted."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import shutil
import socket
import subprocess

from . import box, images, recipe, ssh

# Where the machine's own ssh port is found, inside its network namespace.
PORT = 2222

SNAPSHOT = "booted"

MEMORY_MEGABYTES = 512

# What an emulated kernel spends much time on, and none of the write-back limits' business.
FASTER = (
    "mitigations=off audit=0 nowatchdog cryptomgr.notests rcupdate.rcu_expedited=1 random.trust_cpu=on tsc=reliable"
    " systemd.mask=systemd-udev-load-credentials.service systemd.mask=systemd-journal-flush.service"
    " systemd.mask=modprobe@loop.service"
    " systemd.mask=modprobe@fuse.service systemd.mask=modprobe@drm.service systemd.mask=modprobe@efi_pstore.service"
    " systemd.mask=modprobe@dm_mod.service systemd.mask=modprobe@configfs.service"
    " systemd.mask=systemd-update-utmp.service"
    " systemd.mask=systemd-random-seed.service systemd.mask=dev-hugepages.mount systemd.mask=dev-mqueue.mount"
    " systemd.mask=systemd-binfmt.service systemd.mask=proc-sys-fs-binfmt_misc.automount"
    " systemd.mask=systemd-network-generator.service"
    " systemd.mask=systemd-networkd-persistent-storage.service systemd.mask=getty-static.service"
    " systemd.mask=sys-kernel-debug.mount systemd.mask=sys-kernel-tracing.mount systemd.mask=polkit.service"
    " module_blacklist=kvm_amd,kvm_intel,kvm,ata_piix,ata_generic,libata,scsi_mod,scsi_common,powernow_k8,edac_core,psmouse,serio_raw,pcspkr,i2c_piix4"
)

# What every scenario will read from the disk sooner or later is in memory when the state is saved.
WARM_UP = (
    "systemctl is-system-running --wait; python3 -c 'import base64, json, logging, runpy, subprocess, tempfile,"
    " zipfile'; sudo true; sync"
)

# Emulation works everywhere. Where KVM works, IO_HARDENING_ACCEL=kvm is ten times faster; it is not
# tried by itself, because there are machines whose /dev/kvm opens and then hangs the guest.
ACCELERATOR = os.environ.get("IO_HARDENING_ACCEL", "tcg")

# Seconds, on the slowest machine imaginable; emulated Debian boots in 20 to 40.
BOOT_PATIENCE = 300.0


class MachineError(Exception):
    """A machine did not do what it was told; the message names the log to read."""


def start(
    cage: box.Box, cache: pathlib.Path, image: recipe.Image, folder: pathlib.Path, public_key: pathlib.Path
) -> int:
    """Start a machine in a box, in the state of one that has booted, and return its process id.

    ``folder`` gets its disk, logs and monitor socket.
    """
    saved = _booted(cage, cache, image)
    _copy_disk(saved, folder)
    shutil.copyfile(public_key, folder / "key.pub")
    argv = _argv(saved)
    # A reset ends the first process, a second one starts the machine from its disk: what the first has translated it
    # would throw away page by page during that boot, which costs as much as a third of it.
    return cage.start(["sh", "-c", '"$@" -no-reboot -loadvm "$0" && exec "$@"', SNAPSHOT, *argv], folder)


def _booted(cage: box.Box, cache: pathlib.Path, image: recipe.Image) -> pathlib.Path:
    """Return the folder with an image's disk that holds a booted machine's state."""
    # A state fits the QEMU that wrote it, started in the same way.
    version = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True, check=True).stdout
    digest = hashlib.sha256(json.dumps([version, WARM_UP, _argv(pathlib.Path("image"))]).encode()).hexdigest()[:8]
    return images.cached(
        cache / f"{image.key()}-booted-{digest}", lambda target: _boot(cage, images.tree(cache, image), target)
    )


def _boot(cage: box.Box, root: pathlib.Path, target: pathlib.Path) -> None:
    images.make_disk(root, target)
    ssh.make_key(target)
    pid = cage.start(_argv(target), target)
    try:
        ssh.write_config(target, {"machine": ssh.Access(cage, pid, PORT, "root")}, cage.label)
        ssh.wait(target, "machine", cage, BOOT_PATIENCE, target / "log")
        ssh.run(target, "machine", WARM_UP)
        answer = _monitor(target, f"savevm {SNAPSHOT}")
        if answer:
            raise MachineError(f"QEMU does not save the machine's state: {answer}")
        _monitor(target, "quit")
    finally:
        box.end(cage.cgroup)
    for name in ("key", "key.pub", "ssh_config", "qmp"):
        (target / name).unlink(missing_ok=True)


def _argv(image: pathlib.Path) -> list[str]:
    # Names without a folder are in the one it runs in: a socket's path is limited to 107 bytes, a
    # comma in a path would end an option.
    return [
        "qemu-system-x86_64",
        "-nodefaults", "-no-user-config", "-display", "none",
        "-machine", "pc", "-accel", ACCELERATOR,
        "-cpu", "host" if ACCELERATOR == "kvm" else "qemu64",
        "-smp", "1", "-m", str(MEMORY_MEGABYTES),
        "-kernel", str(image / "vmlinuz"), "-initrd", str(image / "initrd"),
        "-append", f"root=/dev/vda rw console=ttyS0 quiet {FASTER}",
        "-drive", "file=disk.qcow2,format=qcow2,if=virtio,cache=unsafe",
        "-netdev", f"user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:{PORT}-:22", "-device", "virtio-net-pci,netdev=net",
        "-device", "virtio-rng-pci",
        "-fw_cfg", f"name={recipe.FW_CFG_KEY},file=key.pub",
        "-serial", "file:console.log",
        "-qmp", "unix:qmp,server=on,wait=off",
    ]  # fmt: skip


def _copy_disk(source: pathlib.Path, folder: pathlib.Path) -> None:
    # Not an overlay on the source: a state can be resumed only from the image that holds it.
    subprocess.run(["cp", "--reflink=auto", "--sparse=always", str(source / "disk.qcow2"), str(folder)], check=True)


def _monitor(folder: pathlib.Path, command: str) -> str:
    """Give QEMU's human monitor a command and return what it answers."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        handle = os.open(folder, os.O_PATH)
        try:
            connection.connect(f"/proc/self/fd/{handle}/qmp")
        finally:
            os.close(handle)
        stream = connection.makefile("rw", encoding="utf-8")
        stream.readline()
        for request in (
            {"execute": "qmp_capabilities"},
            {"execute": "human-monitor-command", "arguments": {"command-line": command}},
        ):
            stream.write(json.dumps(request) + "\n")
            stream.flush()
            reply: dict = {"event": None}
            while "event" in reply:
                line = stream.readline()
                if not line:  # quit: the monitor ends with the machine
                    return ""
                reply = json.loads(line)
        return str(reply.get("return", reply)).strip()
