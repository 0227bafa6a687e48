#!/bin/sh
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

# restart.sh
#
# Starts guests cold, as an administrator does by hand: all but db, which the playbook restarts, and scratch, which would be gone.
set -eu
virsh() { command virsh --quiet --connect qemu:///system "$@" < /dev/null; }
sh state.sh before-by-hand

# A saved guest goes on from where it was, with what it had then.
virsh start saved
sh state.sh resumed

for guest in desktop mail saved; do
    virsh destroy "$guest"
    virsh start "$guest"
done
for guest in 'by hand' 'half done' 'in order' kept plain web '{{ 7 * 7 }} of ours'; do
    virsh start "$guest"
done
sh state.sh restarted
