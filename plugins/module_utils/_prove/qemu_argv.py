# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""QEMU's command line for one setting: the disk as Proxmox VE would attach it.

Pure: a setting and file descriptors in, arguments out. QEMU gets everything as an open file, so nothing has a name in
the file system.
"""

from __future__ import annotations

import json
from typing import Any

from .backup import DEVICE
from .setting import CONTROLLERS, DIRECT

NODE = "drive-prove"
"""The name of the disk's block node, for QMP."""

# The second half only makes an emulated guest boot faster.
_KERNEL_LINE = "console=ttyS0 loglevel=4 panic=-1 random.trust_cpu=on mitigations=off nokaslr cryptomgr.notests"


def _device(setting: dict[str, Any]) -> list[str]:
    """The -device and -object arguments of the disk's front end."""
    thread = ",iothread=iothread0" if setting["iothread"] else ""
    argv = ["-object", "iothread,id=iothread0"] if setting["iothread"] else []
    write_cache = "off" if setting["cache"] in ("writethrough", "directsync") else "on"
    drive = f"id={DEVICE},drive={NODE},write-cache={write_cache}"
    if setting["bus"] == "virtio":
        return [*argv, "-device", f"virtio-blk-pci,{drive}{thread}"]
    if setting["bus"] == "ide":
        return [*argv, "-device", f"ide-hd,bus=ide.0,{drive}"]
    if setting["bus"] == "sata":
        return [*argv, "-device", "ahci,id=ahci0", "-device", f"ide-hd,bus=ahci0.0,{drive}"]
    hardware = CONTROLLERS[setting["controller"]][0]
    return [*argv, "-device", f"{hardware},id=scsihw0{thread}", "-device", f"scsi-hd,bus=scsihw0.0,{drive}"]


def block_node(setting: dict[str, Any], image: str, image_format: str) -> dict[str, Any]:
    """The -blockdev document of the disk; ``image`` is a path that QEMU can open."""
    direct = setting["cache"] in DIRECT
    cache = {"direct": direct, "no-flush": setting["cache"] == "unsafe"}
    # The image has no name, so a lock on it protects nothing.
    file = {"driver": "file", "filename": image, "aio": setting["aio"], "cache": cache, "locking": "off"}
    return {"driver": "qcow2" if image_format == "qcow2" else "raw", "node-name": NODE, "cache": cache, "file": file}


def argv(
    qemu: str,
    setting: dict[str, Any],
    accelerator: str,
    fds: dict[str, int],
    image_format: str = "raw",
    memory_mib: int = 192,
) -> list[str]:
    """The whole command line.

    ``accelerator`` is kvm or tcg; ``fds`` are open file descriptors, {image, kernel, initrd, console, beat, monitor},
    the last three stream sockets.
    """
    path = {name: f"/proc/self/fd/{number}" for name, number in fds.items()}
    # By default a guest under tcg uses the processor's counter as its clock, finds it unstable after a freeze and
    # replaces it in the middle of the measurement. It keeps the emulated HPET.
    clock = "" if accelerator == "kvm" else " clocksource=hpet"
    command = [
        qemu,
        "-name",
        f"prove-io-{setting['name'].replace(',', ' ')}",
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-no-reboot",
        "-machine",
        f"pc,accel={accelerator}",
        "-cpu",
        "host" if accelerator == "kvm" else "qemu64",
        "-smp",
        "1",
        "-m",
        str(memory_mib),
        "-kernel",
        path["kernel"],
        "-initrd",
        path["initrd"],
        "-append",
        _KERNEL_LINE + clock,
    ]
    for name in ("console", "beat"):
        command += ["-chardev", f"socket,id={name},fd={fds[name]}", "-serial", f"chardev:{name}"]
    command += ["-chardev", f"socket,id=monitor,fd={fds['monitor']}", "-mon", "chardev=monitor,mode=control"]
    command += ["-blockdev", json.dumps(block_node(setting, path["image"], image_format))]
    return command + _device(setting)
