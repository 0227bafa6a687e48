# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""QEMU's command line for one setting: the disk as Proxmox VE would attach it.

Pure: a setting and file descriptors in, arguments out. Everything QEMU opens is handed to it
as an open file, so nothing has a name in the file system.
"""

from __future__ import annotations

import json

from .setting import CONTROLLERS, DIRECT

NODE = "drive-prove"
"""The name of the disk's block node, for QMP."""


# The second half only makes an emulated guest boot sooner.
_KERNEL_LINE = "console=ttyS0 loglevel=4 panic=-1 random.trust_cpu=on mitigations=off nokaslr cryptomgr.notests"


def _device(setting):
    """The -device (and -object) arguments of the disk's front end."""
    thread = ",iothread=iothread0" if setting["iothread"] else ""
    argv = ["-object", "iothread,id=iothread0"] if setting["iothread"] else []
    write_cache = "off" if setting["cache"] in ("writethrough", "directsync") else "on"
    drive = "drive=%s,write-cache=%s" % (NODE, write_cache)
    if setting["bus"] == "virtio":
        return argv + ["-device", "virtio-blk-pci,%s%s" % (drive, thread)]
    if setting["bus"] == "ide":
        return argv + ["-device", "ide-hd,bus=ide.0,%s" % drive]
    if setting["bus"] == "sata":
        return argv + ["-device", "ahci,id=ahci0", "-device", "ide-hd,bus=ahci0.0,%s" % drive]
    hardware = CONTROLLERS[setting["controller"]][0]
    return argv + ["-device", "%s,id=scsihw0%s" % (hardware, thread), "-device", "scsi-hd,bus=scsihw0.0,%s" % drive]


def block_node(setting, image, image_format):
    """The -blockdev document of the disk. image: a path QEMU can open."""
    direct = setting["cache"] in DIRECT
    cache = {"direct": direct, "no-flush": setting["cache"] == "unsafe"}
    # The image has no name: a lock on it protects nobody.
    file = {"driver": "file", "filename": image, "aio": setting["aio"], "cache": cache, "locking": "off"}
    return {"driver": "qcow2" if image_format == "qcow2" else "raw", "node-name": NODE, "cache": cache, "file": file}


def argv(qemu, setting, accelerator, fds, image_format="raw", memory_mib=192):
    """The whole command line.

    accelerator: kvm or tcg. fds: open file descriptors {image, kernel, initrd, console, beat,
    monitor}, the last three stream sockets.
    """
    path = "/proc/self/fd/%d"
    # The clock that a guest under tcg keeps by itself, the processor's counter, is found
    # unstable after a freeze and replaced in mid-measurement; the emulated HPET is not.
    clock = "" if accelerator == "kvm" else " clocksource=hpet"
    command = [
        qemu,
        "-name",
        "prove-io-%s" % setting["name"].replace(",", " "),
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-no-reboot",
        "-machine",
        "pc,accel=%s" % accelerator,
        "-cpu",
        "host" if accelerator == "kvm" else "qemu64",
        "-smp",
        "1",
        "-m",
        str(memory_mib),
        "-kernel",
        path % fds["kernel"],
        "-initrd",
        path % fds["initrd"],
        "-append",
        _KERNEL_LINE + clock,
    ]
    for name in ("console", "beat"):
        command += ["-chardev", "socket,id=%s,fd=%d" % (name, fds[name]), "-serial", "chardev:%s" % name]
    command += ["-chardev", "socket,id=monitor,fd=%d" % fds["monitor"], "-mon", "chardev=monitor,mode=control"]
    command += ["-blockdev", json.dumps(block_node(setting, path % fds["image"], image_format))]
    return command + _device(setting)
