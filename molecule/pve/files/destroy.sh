#!/bin/sh
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

# destroy.sh FIRST, on a Proxmox VE node: destroys those of the five guests that carry the scenario's tag.
set -eu
for id in $(seq "$1" $(($1 + 4))); do
    config=/etc/pve/qemu-server/$id.conf
    [ -e "$config" ] || continue
    if ! grep -q '^tags:.*io-hardening-test' "$config"; then
        echo "guest $id is not the scenario's; it is left alone" >&2
        continue
    fi
    qm unlock "$id"
    qm stop "$id"
    qm destroy "$id" --purge 1
done
