#!/bin/sh
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

# prepare.sh SCENARIO HOST
#
# Runs the scenario's files/prepare.sh on the host, in a copy of its files, and writes down the state before.
# Over one ssh connection: each task of Ansible's would take an emulated machine seconds.
set -eu
scenario=$1 host=$2
cd "$(dirname "$0")/../.."
archive=build/hosts/$scenario/$host/prepare.tar
tar --create --file "$archive" -C "molecule/$scenario/files" . -C ../../shared fingerprint.py -C ../../tests/stand_ins qm pvesh
ssh -F "build/hosts/$scenario/ssh_config" -l root "$host" \
    'cd /root && tar --extract && sh prepare.sh && python3 fingerprint.py > fingerprint.before' < "$archive"
