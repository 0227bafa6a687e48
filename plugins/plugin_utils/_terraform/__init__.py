# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Plans of Terraform and OpenTofu: their JSON, what each provider's resources mean, and records of the guests in them.

Text in, values out; only source_lines.py reads files.
The facts are from the sources of bpg/terraform-provider-proxmox d6bd1ff,
Telmate/terraform-provider-proxmox 225e289, hashicorp/terraform's internal/command/jsonplan and OpenTofu's.
"""

from __future__ import annotations
