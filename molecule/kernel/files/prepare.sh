#!/bin/sh
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

# Gives the host everything that fights over the write-back limits.
set -eu

# A vendor's file that sorts behind the role's, with a setting that is none of the role's business,
# and one that holds nothing but a limit.
printf '# tuned for our appliance\nvm.dirty_ratio = 40\nvm.swappiness = 10\n' > /etc/sysctl.d/99-zz-vendor.conf
printf 'vm.dirty_background_ratio = 30\n' > /etc/sysctl.d/99-zzz-limit.conf

# Debian 12 reads it at boot, by a link in sysctl.d. On Debian 13 tuned alone applies it, after its profile.
printf 'vm.dirty_background_bytes = 50000000\n' >> /etc/sysctl.conf

# tuned, from the next boot on.
echo virtual-host > /etc/tuned/active_profile
echo manual > /etc/tuned/profile_mode
systemctl --quiet --no-reload enable tuned.service

# In force when the role comes: the twins in bytes.
sysctl -q -w vm.dirty_bytes=500000000 vm.dirty_background_bytes=100000000

cp /proc/sys/kernel/random/boot_id /root/boot-id.before
mkdir /root/sysctl.before
cp -a /etc/sysctl.conf /etc/sysctl.d /root/sysctl.before/
