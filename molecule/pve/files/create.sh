#!/bin/sh
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

# create.sh FIRST STORAGE, on a Proxmox VE node: makes the scenario's five guests. Nothing boots in them.
set -eu
first=$1 storage=$2
tag=io-hardening-test

for id in $(seq "$first" $((first + 4))); do
    if pvesh get /cluster/resources --type vm --output-format json | grep -Eq "\"vmid\":${id}[,}]"; then
        echo "guest $id exists in this cluster; choose five free ids with PVE_FIRST_VMID" >&2
        exit 1
    fi
done

make() {
    id=$1 name=$2
    qm create "$id" --name "io-hardening-$name" --tags "$tag" --memory 128 --ostype l26 --onboot 0 \
        --scsihw virtio-scsi-pci --scsi0 "$storage:1,discard=on,ssd=1,backup=0"
}
make "$first" stopped
make $((first + 1)) running
make $((first + 2)) locked
make $((first + 3)) template
make $((first + 4)) foreign-pending

qm start $((first + 1))
qm template $((first + 3))

# A guest that ended by itself, not by qm: what waited for its next cold start still waits.
qm start $((first + 4))
qm set $((first + 4)) --memory 192
kill -9 "$(cat /var/run/qemu-server/$((first + 4)).pid)"
tries=50
while qm status $((first + 4)) | grep -q running; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || { echo "guest $((first + 4)) survives being killed" >&2; exit 1; }
    sleep 0.2
done

qm set $((first + 2)) --lock backup
