#!/bin/sh
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

# Makes the host it runs on look like a Proxmox VE node: its folders, its guests, its commands.
# Run in a copy of this folder that holds the stand-ins, too.
set -eu
node=/etc/pve/nodes/$(hostname)
mkdir -p "$node/qemu-server" /run/qemu-server /run/lock/qemu-server /usr/local/libexec/pve
cp pve/storage.cfg /etc/pve/
cp pve/guests/*.conf "$node/qemu-server/"
chmod 640 /etc/pve/storage.cfg "$node"/qemu-server/*
ln -s "nodes/$(hostname)/qemu-server" /etc/pve/qemu-server
ln -s "nodes/$(hostname)" /etc/pve/local

# The stand-ins, each behind a command that writes down every call. As pvesm the one for pvesh is that.
cp pvesh pvesm
for command in qm pvesh pvesm; do
    cp "$command" "/usr/local/libexec/pve/$command"
    printf '#!/bin/sh\nQM_LOG=/var/log/qm-calls.json exec /usr/local/libexec/pve/%s "$@"\n' "$command" > "/usr/sbin/$command"
    chmod 755 "/usr/local/libexec/pve/$command" "/usr/sbin/$command"
done

# What tells which QEMU would start a guest: it is read, not run.
printf 'QEMU emulator version 10.1.2 (pve-qemu-kvm_10.1.2-1)\n\0' > /usr/bin/kvm
chmod 755 /usr/bin/kvm

# Guests that are found running; the second has something of its own waiting for its next cold start.
for guest in 102 104 108; do
    qm start "$guest"
done
qm set 104 --scsihw virtio-scsi-single --scsi0 local-lvm:vm-104-disk-0,aio=threads,iothread=1,size=8G
