#!/bin/sh
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

# Makes the guests of guests/ on the host it runs on, in the states that their names tell, with the host's own libvirt and QEMU.
# Run in a copy of this folder.
set -eu

# A container has no cgroup controllers to give away, and no security driver. The rest is as Debian ships it.
cat >> /etc/libvirt/qemu.conf <<'END'
cgroup_controllers = []
security_driver = "none"
user = "root"
group = "root"
END
systemctl restart libvirtd.service

# What all guests boot: it waits for the power button, and switches off. In 28 bytes there is no room for more.
#   enable the button's event (port 0x602); wait for an interrupt until the event is there (port 0x600); sleep for good (0x604)
printf '\272\002\006\270\000\001\357\373\364\272\000\006\355\366\304\001\164\366\272\004\006\270\000\040\357\364\353\375' > /srv/boot
truncate --size=510 /srv/boot
printf '\125\252' >> /srv/boot
for disk in $(sed -n "s,.*file='/srv/\([^']*\)'.*,\1,p; s/.*volume='\([^']*\)'.*/\1/p" guests/*.xml session/*.xml) mail-nbd.raw; do
    case $disk in
    *.qcow2) qemu-img create -q -f qcow2 "/srv/$disk" 1M && qemu-io -f qcow2 -c 'write -s /srv/boot 0 512' "/srv/$disk" > /dev/null ;;
    *) cp /srv/boot "/srv/$disk" && truncate --size=1M "/srv/$disk" ;;
    esac
done
qemu-nbd --fork --persistent --socket=/run/nbd.socket --export-name=mail --format=raw /srv/mail-nbd.raw

virsh() { command virsh --quiet --connect qemu:///system "$@" < /dev/null; }
virsh pool-define-as srv dir --target /srv
virsh pool-start srv
for guest in guests/*.xml; do
    [ "$guest" = guests/scratch.xml ] || virsh define "$guest"
done
virsh create guests/scratch.xml
for guest in db desktop mail saved; do
    virsh start "$guest"
done
virsh managedsave saved
virsh autostart web
virsh snapshot-create-as kept before-the-upgrade

# One whom polkit lets use libvirt, and who has a guest in a session of their own.
usermod --append --groups libvirt ops
chown ops /srv/mine.raw
runuser -u ops -- virsh --quiet --connect qemu:///session define /dev/stdin < session/mine.xml

sh state.sh before
