# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What reports say of the tool that made them."""

from __future__ import annotations

#: The collection's name.
NAME = "hypervisor.io_hardening"
#: Its version. An installed collection has no galaxy.yml: a test holds the two equal.
VERSION = "0.1.0"
HOME = "https://github.com/hypervisor/io_hardening"
