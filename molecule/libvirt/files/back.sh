#!/bin/sh
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

# back.sh
#
# After the rollback: what was started for the tests is off again, and the guests that ran at first run cold once more.
set -eu
virsh() { command virsh --quiet --connect qemu:///system "$@" < /dev/null; }
sh state.sh rolled-back
for guest in $(virsh list --uuid --persistent); do
    virsh destroy "$guest"
done
for guest in db desktop mail; do
    virsh start "$guest"
done
sh state.sh started-again
