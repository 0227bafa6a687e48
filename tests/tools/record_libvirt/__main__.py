# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Records what real libvirt and QEMU make of domain XML, as tests/fixtures/libvirt/SUITE.json.

    sudo python3 tests/tools/record_libvirt bookworm trixie

Each suite of Debian is made with mmdebstrap in a temporary folder and runs there in namespaces of its own, with one loop
device for its block disks and its logical pool. ``inside.py`` does the rest there.
"""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
FIXTURES = HERE.parents[1] / "fixtures" / "libvirt"
MIRROR = "http://deb.debian.org/debian"
PACKAGES = (
    "libvirt-daemon-system libvirt-daemon-driver-qemu libvirt-daemon-driver-storage-gluster"
    " libvirt-daemon-driver-storage-rbd libvirt-clients qemu-system-x86 qemu-utils qemu-block-extra python3-minimal"
    " libpython3-stdlib"
)


MORE = {"trixie": ["libvirt-daemon-driver-storage-logical"]}


def record(suite: str, folder: pathlib.Path) -> None:
    """Make the suite's root in a folder, and record in it."""
    root = folder / suite
    if not root.exists():
        packages = ",".join([*PACKAGES.split(), *MORE.get(suite, [])])
        options = ["--variant=apt", "--aptopt=APT::Install-Recommends false", f"--include={packages}"]
        subprocess.run(["mmdebstrap", *options, suite, str(root), MIRROR], check=True)
    for name in ("domains.py", "inside.py"):
        shutil.copy(HERE / name, root / "tmp")
    backing = folder / f"{suite}.img"
    backing.write_bytes(b"")
    with backing.open("r+b") as file:
        file.truncate(64 << 20)
    loop = subprocess.run(["losetup", "--find", "--show", str(backing)], check=True, capture_output=True, text=True)
    device = loop.stdout.strip()
    try:
        subprocess.run(
            ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "sh", "-c", _MOUNTS, "sh", root, device],
            check=True,
        )
    finally:
        subprocess.run(["losetup", "--detach", device], check=False)
    FIXTURES.mkdir(exist_ok=True)
    shutil.copy(root / "tmp" / "recorded.json", FIXTURES / f"{suite}.json")
    shutil.copy(root / "tmp" / "written.json", FIXTURES)


# A /dev without /dev/kvm: libvirt would try for a minute whether it works. The one block device has a fixed name.
_MOUNTS = """
set -e
ip link set lo up
mount --make-rprivate /
mount -t proc proc "$1/proc"
mount -t sysfs sysfs "$1/sys"
mount -t tmpfs -o mode=755 tmpfs "$1/dev"
mount -t tmpfs -o mode=755 tmpfs "$1/run"
mount -t tmpfs tmpfs "$1/etc/libvirt"
mount -t tmpfs tmpfs "$1/var/lib/libvirt"
for node in null zero full random urandom tty; do cp -a "/dev/$node" "$1/dev/"; done
mkdir "$1/dev/pts" "$1/dev/shm" "$1/run/lock"
cp -a "$2" "$1/dev/sdx"
mount -t tmpfs tmpfs "$1/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$1/dev/pts"
ln -s pts/ptmx "$1/dev/ptmx"
ln -s /proc/self/fd "$1/dev/fd"
# The shell stays and reaps what libvirt leaves: it waits for its QEMU to be gone.
chroot "$1" python3 /tmp/inside.py
exit 0
"""

if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] == "--keep":
        for one in sys.argv[3:]:
            record(one, pathlib.Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            for one in sys.argv[1:]:
                record(one, pathlib.Path(scratch))
