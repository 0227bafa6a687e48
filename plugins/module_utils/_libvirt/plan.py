# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""How a plan names the guests, definitions and disks of libvirt. Pure."""

from __future__ import annotations

import re
from typing import Any

from .._shown import shown
from .edit import GUEST, IOTHREADS

#: What starts the id of a guest of a session connection.
SESSION = "session:"

# A domain may be named with any character but "/" and a line break (virDomainDefParseXML, virXMLCheckIllegalChars).
_NAME = re.compile(r"[^/\n\0]+")
_NODE = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9._\-]*[a-zA-Z0-9])?")
# diskTargetDev, domaincommon.rng.
_KEY = re.compile(r"(?:ioemu:)?(?:fd|hd|sd|vd|xvd|ubd)[a-zA-Z0-9_]{1,32}")
_HOME = re.compile(r"(?:/(?!\.\.?/)[^/\n\0]+)+/\.config/libvirt/qemu")

_SYSTEM = "/etc/libvirt/qemu"

#: libvirt has no such thing: each disk has a controller of its own model.
CONTROLLER = None

#: What is said of a guest that does not run and for which something waits: others start from their definition.
STOPPED = (
    "is saved: a start resumes it with what it had, and not with its pending changes. They take effect when it is"
    " started without its saved state, which is lost (virsh start --force-boot)"
)

#: What a disk is called, for an error.
A_DISK = "a disk such as vda or sda"


def misplaced(guest: Any, node: Any, config: Any) -> str | None:
    """What is wrong with a definition that is not at a path where that of the guest is found; None where it is.

    A host has it where libvirt keeps it: of the system's libvirt, or of the session of the user whose home it is in. A
    tree has it there or right at its top, in a file of any name.
    """
    if not (isinstance(guest, str) and _NAME.fullmatch(guest)):
        return f"guest is {shown(guest)}; it takes the name of a domain"
    if node is not None and not (isinstance(node, str) and _NODE.fullmatch(node)):
        return f"node is {shown(node)}; it takes the name of a host, or null"
    directory, _slash, file = config.rpartition("/") if isinstance(config, str) else ("", "", "")
    if directory == _SYSTEM and file == f"{guest}.xml":
        return None
    if guest.startswith(SESSION) and _HOME.fullmatch(directory) and file == f"{guest[len(SESSION) :]}.xml":
        return None
    if node is None and config == f"/{file}" and _NAME.fullmatch(file) and file.endswith(".xml"):
        return None
    name = guest[len(SESSION) :] if guest.startswith(SESSION) else guest
    places = [f"HOME/.config/libvirt/qemu/{name}.xml"] if name != guest else [f"{_SYSTEM}/{name}.xml"]
    places += ["/FILE.xml"] if node is None else []
    on = f"on node {node}" if node else "without a node"
    return f"config is {shown(config)}; that of guest {shown(guest)} {on} is {' or '.join(map(shown, places))}"


def options(key: Any) -> tuple[str, ...]:
    """The options that a plan may set on a disk or on the guest; none where the key is neither's."""
    if key == GUEST:
        return (IOTHREADS,)
    return ("aio", "cache", "iothread") if isinstance(key, str) and _KEY.fullmatch(key) else ()
