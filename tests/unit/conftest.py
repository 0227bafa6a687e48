# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What all unit tests share."""

from __future__ import annotations

from hypothesis import settings

# A busy machine makes any example slow once; how fast things are is measured in tests/benchmarks.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
