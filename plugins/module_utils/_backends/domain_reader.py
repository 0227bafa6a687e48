# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Domains of a live host, from libvirt's documents to records. Decides nothing and changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .. import _shown
from .._libvirt.record import record
from .._libvirt.running import with_targets
from .._libvirt.xml import parse
from .._model import records
from .._model.records import Guest, RunningGuest
from .._qemu_process.record import add_running_state
from .filesystems import FileSystems
from .libvirt_connection import Asked, Connection, Domain, Kind, LibvirtError
from .libvirt_places import Owner, config, guest_id, process
from .processes import Processes

_WORDS = {"live": "what it runs with", "saved": "what its saved state has", "snapshot": "its snapshot"}

#: In what of a pool's volumes an image is a file of the pool's directory.
_DIRECTORIES = ("dir", "fs", "netfs")


class Documents(NamedTuple):
    """The XML of one domain. ``inactive`` is its persistent definition, or what a transient one would have as such."""

    inactive: bytes
    live: bytes | None
    saved: bytes | None
    snapshots: dict[str, bytes]
    #: A sentence for each document that libvirt did not give.
    missing: list[str]


class Pool(NamedTuple):
    """A storage pool: its type, and the directory of its images, None where they are no files of one."""

    type: str | None
    directory: str | None


def documents(connection: Connection, domains: Sequence[Domain]) -> list[Documents | LibvirtError]:
    """Those of each domain, in few questions; the error of one that has no definition any more."""
    asked = [_asked(domain) for domain in domains]
    answers = iter(connection.documents([each for some in asked for each in some]))
    return [_documents({each: next(answers) for each in some}) for some in asked]


def to_edit(connection: Connection, domain: Domain) -> tuple[Documents, bytes]:
    """A domain's documents, and its definition with the secrets that a write must not lose. Raises LibvirtError.

    That one is asked for last: what changes meanwhile is not in the one without, by which a write knows the domain.
    """
    kind: Kind = "inactive" if connection.read_only else "secure"
    asked = _asked(domain)
    *answers, raw = connection.documents([*asked, Asked(kind, domain.uuid)])
    found = _documents(dict(zip(asked, answers)))
    if isinstance(found, LibvirtError):
        raise found
    if isinstance(raw, LibvirtError):
        raise raw
    return found, raw


def _asked(domain: Domain) -> list[Asked]:
    asked = [Asked("inactive", domain.uuid)]
    asked += [Asked("live", domain.uuid)] if domain.active else []
    asked += [Asked("saved", domain.uuid)] if domain.saved else []
    return asked + [Asked("snapshot", domain.uuid, name) for name in domain.snapshots]


def _documents(answers: Mapping[Asked, bytes | LibvirtError]) -> Documents | LibvirtError:
    inactive = next(answer for asked, answer in answers.items() if asked.kind == "inactive")
    if isinstance(inactive, LibvirtError):
        return inactive
    found = Documents(inactive, None, None, {}, [])
    for asked, answer in answers.items():
        if isinstance(answer, LibvirtError):
            name = f" {_shown.shown(asked.snapshot)}" if asked.snapshot else ""
            found.missing.append(f"libvirt does not give {_WORDS[asked.kind]}{name}: {answer}")
        elif asked.kind == "live":
            found = found._replace(live=answer)
        elif asked.kind == "saved":
            found = found._replace(saved=answer)
        elif asked.kind == "snapshot":
            found.snapshots[asked.snapshot] = answer
    return found


def pools(connection: Connection, read: Sequence[Documents | LibvirtError]) -> dict[str, Pool]:
    """The storage pools by name, asked for only where a domain has a volume of one. Raises LibvirtError, XmlError."""
    texts = (each.inactive for each in read if isinstance(each, Documents))
    if not any(b"type='volume'" in text for text in texts):
        return {}
    found = {}
    for text in connection.pools():
        pool = parse(text)
        name, path, kind = pool.child("name"), pool.at("target/path"), pool.attributes.get("type")
        directory = path[0].text if path and kind in _DIRECTORIES else None
        found[name.text if name else ""] = Pool(kind, directory)
    return found


class DomainReader:
    """Makes records of the domains of a live host, whose own name is ``own``."""

    def __init__(self, root: str, own: str, processes: Processes) -> None:
        self._root = root
        self._own = own
        self._processes = processes
        self._file_systems = FileSystems(root)

    def record(
        self, connection: Connection, owner: Owner, domain: Domain, read: Documents, known: Mapping[str, Pool]
    ) -> Guest:
        """The record of a domain, with what its process and its images tell; its process is taken. Raises XmlError."""
        guest = record(
            read.inactive,
            id=guest_id(owner, domain.name),
            node=self._own,
            path=config(owner, domain.name) if domain.persistent else None,
            live=read.live,
            saved=read.saved,
            snapshots=read.snapshots,
            pools={name: pool.type for name, pool in known.items()},
        )
        guest["running"] = domain.active
        if connection.read_only:
            guest["held"] = {
                "reason": "read_only",
                "detail": "the connection to libvirt only reads: run this as root, or as a user of the group libvirt",
            }
        running = self._process(owner, domain) if domain.active else None
        if running:
            self._processes.take({guest["id"]: running})
            running = with_targets(running, read.live or read.inactive)
        add_running_state(guest, running, self._processes.installed)
        for disk in guest["disks"]:
            path = _image(disk, known) if disk["media"] == "disk" else None
            disk["filesystem"] = self._file_systems.of(path) if path else None
        return guest

    def _process(self, owner: Owner, domain: Domain) -> RunningGuest | None:
        """Its process: the pid file names it, and it is a QEMU of that name. A name alone anybody may choose."""
        pid = process(self._root, owner, domain.name)
        if pid is None:
            return None
        return next((each for each in self._processes.all if (each["pid"], each["name"]) == (pid, domain.name)), None)


def _image(disk: records.Disk, known: Mapping[str, Pool]) -> str | None:
    """The path of a disk's image; None where it is none on this host's file systems."""
    volume = disk["volume"] or ""
    if volume.startswith("/"):
        return volume
    pool = known.get(disk["storage"]["id"] or "") if disk["storage"] else None
    return f"{pool.directory}/{volume.partition('/')[2]}" if pool and pool.directory else None
