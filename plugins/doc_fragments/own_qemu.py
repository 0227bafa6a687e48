# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

from __future__ import annotations


class ModuleDocFragment:
    """The options of a module that starts a QEMU of its own."""

    DOCUMENTATION = r"""
options:
  accelerator:
    description: V(auto) uses KVM if the guest boots with it within 20 seconds, else emulation (V(tcg)).
    type: str
    choices: [auto, kvm, tcg]
    default: auto
  qemu:
    description: The QEMU to measure with. By default C(/usr/bin/kvm) or C(/usr/bin/qemu-system-x86_64).
    type: path
  kernel:
    description: The kernel image that the guest boots. By default the running kernel's, or else the newest in C(/boot).
    type: path
  kernel_modules:
    description:
      - The directory of that kernel's modules.
      - By default C(lib/modules/VERSION) next to the image's directory, or in C(/).
    type: path
"""
