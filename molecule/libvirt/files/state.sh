#!/bin/sh
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

# state.sh FOLDER
#
# Writes down what virsh and the kernel say about every guest: its XML, by its id, so that no name needs quoting.
set -eu
rm -rf "$1"
mkdir -p "$1"
cd "$1"
virsh() { command virsh --quiet --connect qemu:///system "$@" < /dev/null; }
virsh list --all --name | sort > names
virsh list --all --name --autostart > autostart
virsh list --all --name --with-managed-save > saved
for guest in $(virsh list --all --uuid); do
    virsh dumpxml --inactive --security-info "$guest" > "$guest.xml"
    virsh domstate "$guest" > "$guest.state"
    if grep -q running "$guest.state"; then
        virsh dumpxml "$guest" > "$guest.live.xml"
        name=$(virsh domname "$guest")
        pid=$(cat "/run/libvirt/qemu/$name.pid")
        tr '\0' '\n' < "/proc/$pid/cmdline" > "$guest.cmdline"
        # When it was started.
        cut -d ' ' -f 1,22 "/proc/$pid/stat" > "$guest.process"
    fi
    for snapshot in $(virsh snapshot-list --name "$guest"); do
        virsh snapshot-dumpxml --security-info "$guest" "$snapshot" > "$guest.snapshot.$snapshot.xml"
    done
done
for guest in $(virsh list --all --uuid --with-managed-save); do
    virsh managedsave-dumpxml "$guest" > "$guest.saved.xml"
done
