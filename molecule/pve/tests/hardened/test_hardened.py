# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The scenario's guests after two runs."""

from __future__ import annotations

BEFORE = "backup=0,discard=on,ssd=1"
AFTER = "aio=threads,backup=0,discard=on,iothread=1,ssd=1"


def test_stopped_guest_is_changed(section, first):
    main = section(first)
    assert (main["scsihw"], main["scsi0"]) == ("virtio-scsi-single", AFTER)


def test_running_guest_waits_for_its_next_cold_start(host, section, first):
    main, pending = section(first + 1), section(first + 1, "PENDING")
    assert (main["scsihw"], main["scsi0"]) == ("virtio-scsi-pci", BEFORE)
    assert (pending["scsihw"], pending["scsi0"]) == ("virtio-scsi-single", AFTER)
    assert "running" in host.check_output(f"qm status {first + 1}")


def test_locked_guest_is_left_alone(section, first):
    main = section(first + 2)
    assert (main["scsihw"], main["scsi0"], main["lock"]) == ("virtio-scsi-pci", BEFORE, "backup")


def test_template_is_changed(section, first):
    main = section(first + 3)
    assert (main["scsihw"], main["scsi0"]) == ("virtio-scsi-single", AFTER)


def test_guest_with_somebody_elses_pending_change_is_left_alone(section, first):
    main, pending = section(first + 4), section(first + 4, "PENDING")
    assert (main["scsihw"], main["scsi0"], main["memory"]) == ("virtio-scsi-pci", BEFORE, "128")
    assert pending == {"memory": "192"}
