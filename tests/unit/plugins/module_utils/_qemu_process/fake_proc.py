# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""QEMU command lines as Proxmox VE, libvirt and people write them, and /proc trees that hold them."""

from __future__ import annotations

import json
import os

# The shape that Proxmox VE gives a guest on a machine version from 10.0 on.
PVE = [
    "/usr/bin/kvm",
    "-id",
    "8101",
    "-name",
    "db01,debug-threads=on",
    "-no-shutdown",
    "-chardev",
    "socket,id=qmp,path=/var/run/qemu-server/8101.qmp,server=on,wait=off",
    "-mon",
    "chardev=qmp,mode=control",
    "-chardev",
    "socket,id=qmp-event,path=/var/run/qmeventd.sock,reconnect-ms=5000",
    "-mon",
    "chardev=qmp-event,mode=control",
    "-pidfile",
    "/var/run/qemu-server/8101.pid",
    "-daemonize",
    "-nodefaults",
    "-object",
    "iothread,id=iothread-virtioscsi0",
    "-device",
    "virtio-scsi-pci,id=virtioscsi0,bus=pci.3,addr=0x1,iothread=iothread-virtioscsi0",
    "-blockdev",
    json.dumps(
        {
            "driver": "throttle",
            "node-name": "drive-scsi0",
            "throttle-group": "throttle-drive-scsi0",
            "file": {
                "driver": "qcow2",
                "node-name": "f1",
                "cache": {"direct": True, "no-flush": False},
                "file": {
                    "driver": "file",
                    "aio": "threads",
                    "filename": "/images/8101/vm-8101-disk-0.qcow2",
                    "node-name": "e1",
                    "cache": {"direct": True, "no-flush": False},
                },
            },
        }
    ),
    "-device",
    "scsi-hd,bus=virtioscsi0.0,scsi-id=0,drive=drive-scsi0,id=scsi0,bootindex=100,write-cache=on",
    "-device",
    "virtio-scsi-pci,id=virtioscsi1,bus=pci.3,addr=0x2",
    "-blockdev",
    json.dumps(
        {
            "driver": "throttle",
            "node-name": "drive-scsi1",
            "throttle-group": "throttle-drive-scsi1",
            "file": {
                "driver": "raw",
                "node-name": "f2",
                "file": {
                    "driver": "host_device",
                    "aio": "native",
                    "filename": "/dev/fast/vm-8101-disk-1",
                    "node-name": "e2",
                    "cache": {"direct": True, "no-flush": False},
                },
            },
        }
    ),
    "-device",
    "scsi-hd,bus=virtioscsi1.0,scsi-id=0,drive=drive-scsi1,id=scsi1,write-cache=off",
    "-machine",
    "accel=kvm,type=pc-q35-10.0+pve1",
]

# The shape of an older machine version.
PVE_DRIVES = [
    "/usr/bin/kvm",
    "-id",
    "8102",
    "-name",
    "old",
    "-pidfile",
    "/var/run/qemu-server/8102.pid",
    "-daemonize",
    "-object",
    "iothread,id=iothread-virtio1",
    "-device",
    "lsi,id=scsihw0,bus=pci.0,addr=0x5",
    "-drive",
    "file=/images/8102/a,,b.raw,if=none,id=drive-scsi0,format=raw,cache=none,aio=native,detect-zeroes=on",
    "-device",
    "scsi-hd,bus=scsihw0.0,scsi-id=0,drive=drive-scsi0,id=scsi0,bootindex=100",
    "-drive",
    "file=/images/8102/c.qcow2,if=none,id=drive-virtio1,cache=writethrough,format=qcow2,aio=threads",
    "-device",
    "virtio-blk-pci,drive=drive-virtio1,id=virtio1,bus=pci.0,addr=0xa,iothread=iothread-virtio1",
    "-drive",
    "if=none,id=drive-ide2,media=cdrom,aio=io_uring",
    "-device",
    "ide-cd,bus=ide.1,unit=0,drive=drive-ide2,id=ide2",
    "-drive",
    "if=pflash,unit=1,id=drive-efidisk0,format=raw,file=/images/8102/efi.raw",
    "-machine",
    "type=pc-i440fx-9.0+pve0",
]

# The shape that libvirt 9.0 gives a domain: every option in JSON, nodes that refer to each other.
LIBVIRT = [
    "/usr/bin/qemu-system-x86_64",
    "-name",
    "guest=web07,debug-threads=on",
    "-S",
    "-object",
    '{"qom-type":"secret","id":"masterKey0","format":"raw","file":"/var/lib/libvirt/qemu/d/master-key.aes"}',
    "-machine",
    "pc-q35-7.2,usb=off,dump-guest-core=off,memory-backend=pc.ram",
    "-accel",
    "kvm",
    "-object",
    '{"qom-type":"iothread","id":"iothread1"}',
    "-object",
    '{"qom-type":"iothread","id":"iothread2"}',
    "-uuid",
    "6b1d9d7e-57a2-4f7e-9d0a-2f0b6c1f7a10",
    "-display",
    "none",
    "-no-user-config",
    "-nodefaults",
    "-chardev",
    "socket,id=charmonitor,fd=30,server=on,wait=off",
    "-mon",
    "chardev=charmonitor,id=monitor,mode=control",
    "-device",
    '{"driver":"virtio-scsi-pci","iothread":"iothread2","id":"scsi0","bus":"pci.1","addr":"0x0"}',
    "-blockdev",
    '{"driver":"file","filename":"/images/web07.qcow2","aio":"native","node-name":"libvirt-3-storage",'
    '"cache":{"direct":true,"no-flush":false},"auto-read-only":true,"discard":"unmap"}',
    "-blockdev",
    '{"node-name":"libvirt-3-format","read-only":false,"cache":{"direct":true,"no-flush":false},'
    '"driver":"qcow2","file":"libvirt-3-storage"}',
    "-device",
    '{"driver":"virtio-blk-pci","iothread":"iothread1","bus":"pci.3","addr":"0x0",'
    '"drive":"libvirt-3-format","id":"virtio-disk0","bootindex":1,"write-cache":"on"}',
    "-blockdev",
    '{"driver":"file","filename":"/images/data.raw","aio":"threads","node-name":"libvirt-2-storage",'
    '"cache":{"direct":false,"no-flush":false}}',
    "-blockdev",
    '{"node-name":"libvirt-2-format","read-only":false,"cache":{"direct":false,"no-flush":false},'
    '"driver":"raw","file":"libvirt-2-storage"}',
    "-device",
    '{"driver":"scsi-hd","bus":"scsi0.0","scsi-id":0,"device_id":"drive-scsi0-0-0-0",'
    '"drive":"libvirt-2-format","id":"scsi0-0-0-0","write-cache":"off"}',
    "-blockdev",
    '{"driver":"file","filename":"/images/old.raw","node-name":"libvirt-1-storage"}',
    "-blockdev",
    '{"node-name":"libvirt-1-format","driver":"raw","file":"libvirt-1-storage"}',
    "-device",
    '{"driver":"ide-hd","bus":"ide.1","drive":"libvirt-1-format","id":"sata0-0-1"}',
]

BINARY = b"\x7fELF\0QEMU emulator version %s\nCopyright (c) 2003 and later\n\0"
PVE_VERSION = b"10.1.2 (pve-qemu-kvm_10.1.2-1)"


class FakeProc:
    """A directory that is to a reader what / is: proc, usr/bin and var/run/qemu-server of a made-up host."""

    def __init__(self, root):
        self.root = root
        (root / "proc").mkdir()
        (root / "usr/bin").mkdir(parents=True)
        (root / "var/run/qemu-server").mkdir(parents=True)
        self.binary("/usr/bin/kvm", PVE_VERSION)
        self.binary("/usr/bin/qemu-system-x86_64", b"7.2.22 (Debian 1:7.2+dfsg-7)")

    def binary(self, path, version):
        (self.root / path.lstrip("/")).write_bytes(BINARY % version)

    def process(self, pid, argv, exe=None, maps="", files=(), pid_file=None, uid=0, parent=1):
        """One process; `files` holds (target, flags) pairs or bare targets, `argv` words or bytes.

        `pid_file` is the VMID of a pid file that names it; None: that of its -id where there is none yet, False: none.
        """
        path = self.root / "proc" / str(pid)
        (path / "fd").mkdir(parents=True)
        (path / "fdinfo").mkdir()
        (path / "cmdline").write_bytes(b"".join(os.fsencode(part) + b"\0" for part in argv))
        (path / "status").write_text(f"Name:\tkvm\nPPid:\t{parent}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n")
        (path / "exe").symlink_to(exe or argv[0])
        (path / "cwd").symlink_to("/")
        (path / "maps").write_text(maps)
        for number, opened in enumerate(files, 3):
            target, flags = opened if isinstance(opened, tuple) else (opened, "02")
            (path / "fd" / str(number)).symlink_to(target)
            (path / "fdinfo" / str(number)).write_text(f"pos:\t0\nflags:\t{flags}\nmnt_id:\t29\nino:\t1\n")
        own = argv[argv.index("-id") + 1] if "-id" in argv[:-1] else None
        if pid_file is None and own and len(own) < 10 and not (self.root / f"var/run/qemu-server/{own}.pid").exists():
            pid_file = own
        if pid_file:
            (self.root / f"var/run/qemu-server/{pid_file}.pid").write_text(f"{pid}\n")
        return path
