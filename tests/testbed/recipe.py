# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a test host's image is made of, and nothing else: the image's cache key is this content.

One tree per Debian suite serves both kinds of host: a container boots it as it is, a virtual
machine boots a disk made from it. Everything a scenario needs is inside, because installing in an
emulated machine takes minutes.
"""

from __future__ import annotations

import hashlib
import json
from typing import NamedTuple

SUITES = ("bookworm", "trixie")

# The user that scenarios log in as where they go through sudo.
SUDO_USER = "ops"

# What the guest is handed at its start, by QEMU's fw_cfg: a key made for this run.
FW_CFG_KEY = "opt/org.io-hardening.key"

PACKAGES = (
    "dbus",
    "initramfs-tools",
    "iproute2",
    "linux-image-cloud-amd64",
    "netbase",
    "openssh-server",
    "procps",
    "python3",
    "sudo",
    "systemd",
    "systemd-sysv",
    "tuned",
    "udev",
)

DEBOOTSTRAP_OPTIONS = (
    "--variant=minbase",
    '--aptopt=Acquire::Languages "none"',
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
)

# path in the image: (mode, text)
FILES: dict[str, tuple[int, str]] = {
    "etc/fstab": (0o644, "/dev/vda / ext4 defaults,noatime 0 1\n"),
    "etc/hosts": (0o644, "127.0.0.1 localhost\n::1 localhost\n"),
    "etc/initramfs-tools/conf.d/testbed": (0o644, "MODULES=list\nCOMPRESS=zstd\n"),
    "etc/initramfs-tools/modules": (0o644, "virtio_pci\nvirtio_blk\next4\n"),
    "etc/modules-load.d/testbed.conf": (0o644, "qemu_fw_cfg\n"),
    "etc/ssh/sshd_config.d/testbed.conf": (
        0o644,
        (
            "AuthorizedKeysFile none\n"
            "AuthorizedKeysCommand /usr/local/sbin/testbed-key\n"
            "AuthorizedKeysCommandUser root\n"
            "PasswordAuthentication no\n"
            "PermitRootLogin prohibit-password\n"
            "UseDNS no\n"
        ),
    ),
    f"etc/sudoers.d/{SUDO_USER}": (0o440, f"{SUDO_USER} ALL=(ALL:ALL) NOPASSWD: ALL\n"),
    "etc/systemd/network/10-testbed.network": (
        0o644,
        "[Match]\nName=en* eth*\n\n[Network]\nAddress=10.0.2.15/24\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n",
    ),
    # A container's /proc/sys is its host's: give it files of its own, so that no test can change
    # the machine it runs on and the role still finds something to write.
    "etc/systemd/system/testbed-own-vm-sysctl.service": (
        0o644,
        (
            "[Unit]\n"
            "Description=Give the container files of its own under /proc/sys/vm\n"
            "ConditionVirtualization=container\n"
            "DefaultDependencies=no\n"
            "Before=systemd-sysctl.service sysinit.target\n\n"
            "[Service]\n"
            "Type=oneshot\n"
            "RemainAfterExit=yes\n"
            "ExecStart=/usr/local/sbin/testbed-own-vm-sysctl\n\n"
            "[Install]\n"
            "WantedBy=sysinit.target\n"
        ),
    ),
    "usr/local/sbin/testbed-key": (
        0o755,
        (
            "#!/bin/sh\n"
            "# The public key that may log in, handed over when this host was started.\n"
            f"for key in /etc/ssh/testbed.pub /sys/firmware/qemu_fw_cfg/by_name/{FW_CFG_KEY}/raw; do\n"
            '    [ -e "$key" ] && exec cat "$key"\n'
            "done\n"
        ),
    ),
    "usr/local/sbin/testbed-own-vm-sysctl": (
        0o755,
        (
            "#!/bin/sh\n"
            "set -eu\n"
            "mkdir -p /run/testbed-vm\n"
            "for file in /proc/sys/vm/*; do\n"
            # Some, such as compact_memory, can only be written: what cannot be read is not copied.
            '    cat "$file" > "/run/testbed-vm/${file##*/}" 2>/dev/null || true\n'
            "done\n"
            "# What Debian boots with, whatever the machine underneath is set to.\n"
            "echo 20 > /run/testbed-vm/dirty_ratio\n"
            "echo 10 > /run/testbed-vm/dirty_background_ratio\n"
            "echo 0 > /run/testbed-vm/dirty_bytes\n"
            "echo 0 > /run/testbed-vm/dirty_background_bytes\n"
            "mount --bind /run/testbed-vm /proc/sys/vm\n"
        ),
    ),
}

# Runs in the new tree when its packages are installed.
FINISH = f"""
set -eu
useradd --create-home --shell /bin/sh {SUDO_USER}
# A login would start a systemd of its own: 20 seconds in an emulated machine.
pam-auth-update --package --remove systemd
ssh-keygen -A
systemd-machine-id-setup
. /etc/os-release
echo "$VERSION_CODENAME" > /etc/hostname
echo "127.0.1.1 $VERSION_CODENAME" >> /etc/hosts
systemctl enable ssh.service systemd-networkd.service testbed-own-vm-sysctl.service
systemctl disable tuned.service
systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    fstrim.timer e2scrub_reap.service systemd-logind.service systemd-networkd-wait-online.service getty@tty1.service serial-getty@ttyS0.service \
    console-getty.service systemd-networkd.socket
rm -rf /var/cache/apt/archives /var/lib/apt/lists
"""

# The virtual machine's disk; the tree takes about 450 MB of it.
DISK_MEGABYTES = 1500


class Image(NamedTuple):
    """An image: a Debian suite, and the packages that a scenario needs besides those that all hosts have."""

    suite: str
    packages: tuple[str, ...] = ()

    def all_packages(self) -> tuple[str, ...]:
        """Return the names of all packages that are asked for, without what they depend on."""
        return (*PACKAGES, *self.packages)

    def key(self) -> str:
        """Return the image's name: the suite and a digest of all that makes it.

        No date is part of it, so an image is built once until the recipe changes.
        """
        content = [self.suite, self.all_packages(), DEBOOTSTRAP_OPTIONS, FILES, FINISH, DISK_MEGABYTES]
        return f"{self.suite}-{hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]}"
