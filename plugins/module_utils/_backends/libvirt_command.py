# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""libvirt through the command virsh, see libvirt_connection.py.

One process takes many commands, each followed by a mark on both outputs that no domain can know. A domain is named by
its UUID alone; its name is never part of a command.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shlex
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from .._host.run import bounded, is_cut, shortened, timed_out
from .._number import whole_number
from .libvirt_connection import Asked, Domain, LibvirtError, Run

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.ASCII)

# execve(2): an argument has 128 KiB at most.
_LONGEST = 100_000
# A definition that libvirt takes has 10 MiB at most; a thousand usual ones have 5 MiB.
_KEPT = 256 << 20

_DUMPS = {
    "inactive": "dumpxml --inactive --domain {uuid}",
    "secure": "dumpxml --inactive --security-info --domain {uuid}",
    "live": "dumpxml --domain {uuid}",
    "saved": "managedsave-dumpxml --domain {uuid}",
    "snapshot": "snapshot-dumpxml --domain {uuid} --snapshotname {snapshot}",
}


class _Said(NamedTuple):
    """What one command of virsh printed; ``error``, of one that printed nothing else, is why."""

    out: str
    error: str


class CommandConnection:
    """See Connection. Each question is a process of virsh, which connects anew."""

    def __init__(self, uri: str, run: Run, timeout: int, read_only: bool) -> None:
        self.uri = uri
        self.read_only = read_only
        self._run = run
        self._timeout = timeout
        self._one("uri")

    def domains(self) -> list[Domain]:
        """See Connection."""
        everyone, active, transient, saved, with_snapshots = (
            _good(said)
            for said in self._ask(
                [
                    "list --all --uuid --name",
                    "list --uuid",
                    "list --all --uuid --transient",
                    "list --all --uuid --with-managed-save",
                    "list --all --uuid --with-snapshot",
                ]
            )
        )
        names = dict(_named(everyone))
        having = [uuid for uuid in _uuids(with_snapshots) if uuid in names]
        # It may have gone; so says whoever asks for its definition.
        lists = self._ask([f"snapshot-list --name --domain {uuid}" for uuid in having])
        snapshots = {
            uuid: tuple(sorted(line for line in said.out.split("\n") if line)) for uuid, said in zip(having, lists)
        }
        running, passing, kept = set(_uuids(active)), set(_uuids(transient)), set(_uuids(saved))
        found = [
            Domain(uuid, name, uuid in running, uuid not in passing, uuid in kept, snapshots.get(uuid, ()))
            for uuid, name in names.items()
        ]
        return sorted(found, key=lambda domain: (domain.name, domain.uuid))

    def documents(self, asked: Sequence[Asked]) -> list[bytes | LibvirtError]:
        """See Connection."""
        commands = [
            _DUMPS[one.kind].format(uuid=_checked(one.uuid), snapshot=shlex.quote(one.snapshot)) for one in asked
        ]
        return [
            said.out.encode() if said.out else LibvirtError(said.error or "virsh printed nothing")
            for said in self._ask(commands)
        ]

    def pools(self) -> list[bytes]:
        """See Connection."""
        pools = _uuids(self._one("pool-list --all --uuid"))
        said = self._ask([f"pool-dumpxml --pool {uuid}" for uuid in pools])
        return [each.out.encode() for each in said if each.out]

    def define(self, xml: bytes) -> None:
        """See Connection."""
        with _file(xml) as path:
            self._one(f"define --file {shlex.quote(path)}")

    def number(self, uuid: str) -> int | None:
        """See Connection."""
        return whole_number(self._one(f"domid --domain {_checked(uuid)}").strip())

    def check_start(self, uuid: str) -> None:
        """See Connection. By the domain's UUID, virsh would take what it runs with."""
        (xml,) = self.documents([Asked("secure", uuid)])
        if isinstance(xml, LibvirtError):
            raise xml
        with _file(xml) as path:
            self._one(f"domxml-to-native --format qemu-argv --xml {shlex.quote(path)}")

    def shut_down(self, uuid: str) -> None:
        """See Connection."""
        self._one(f"shutdown --domain {_checked(uuid)}")

    def stop(self, uuid: str) -> None:
        """See Connection."""
        self._one(f"destroy --domain {_checked(uuid)}")

    def start(self, uuid: str) -> None:
        """See Connection."""
        self._one(f"start --domain {_checked(uuid)}")

    def close(self) -> None:
        """See Connection. No process is left."""

    def _one(self, command: str) -> str:
        """What one command printed, by its status: only so is it known that something was done."""
        status, out, err = self._virsh(command)
        if status:
            raise LibvirtError(self._why(status, err))
        return out

    def _ask(self, commands: Sequence[str]) -> list[_Said]:
        return [said for some in _batches(commands) for said in self._ask_some(some)]

    def _ask_some(self, commands: Sequence[str]) -> list[_Said]:
        mark = secrets.token_hex(16)
        script = "; ".join(f"{command}; echo {mark}; echo --err {mark}" for command in commands)
        status, out, err = self._virsh(script)
        outs, errs = (text.split(mark)[:-1] for text in (out, err))
        if len(outs) == len(errs) == len(commands) and not is_cut(out):
            return [_Said(text, "" if text else _error(said)) for text, said in zip(outs, errs)]
        return [_Said("", self._why(status, err.replace(mark, "")))] * len(commands)

    def _virsh(self, script: str) -> tuple[int, str, str]:
        only = ["--readonly"] if self.read_only else []
        arguments = ["virsh", "--quiet", *only, "--connect", self.uri, script]
        return self._run(bounded(self._timeout, *arguments), kept=_KEPT)

    def _why(self, status: int, err: str) -> str:
        if timed_out(status):
            return f"virsh gave no answer within {self._timeout} s"
        if status == 127:
            return "there is neither python3-libvirt for this module's Python nor the command virsh"
        return _error(err) or f"virsh ended with status {status}"


@contextlib.contextmanager
def _file(xml: bytes) -> Iterator[str]:
    """The path of a file with this, for as long as it is needed."""
    # It may hold passwords; mkstemp makes a file that nobody else can read.
    descriptor, path = tempfile.mkstemp(prefix="io-hardening-", suffix=".xml")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(xml)
        yield path
    finally:
        with contextlib.suppress(OSError):
            os.unlink(path)


def _good(said: _Said) -> str:
    if said.error:
        raise LibvirtError(said.error)
    return said.out


def _batches(commands: Sequence[str]) -> Iterator[list[str]]:
    some: list[str] = []
    size = 0
    for command in commands:
        if some and size + len(command) > _LONGEST:
            yield some
            some, size = [], 0
        some.append(command)
        # The marks, and what is between them.
        size += len(os.fsencode(command)) + 96
    if some:
        yield some


def _error(text: str) -> str:
    """What virsh said on stderr, without its own prefix and its mark's."""
    lines = (line.strip() for line in text.split("\n"))
    words = (line[len("error:") :].strip() if line.startswith("error:") else line for line in lines)
    return shortened(": ".join(word for word in words if word))


def _named(text: str) -> Iterator[tuple[str, str]]:
    """UUID and name of each line; libvirt takes no name with a newline."""
    for line in text.split("\n"):
        uuid, _blank, name = line.partition(" ")
        if _UUID.match(uuid):
            yield uuid, name


def _uuids(text: str) -> Iterable[str]:
    return [line.strip() for line in text.split("\n") if _UUID.match(line.strip())]


def _checked(uuid: str) -> str:
    if not _UUID.match(uuid):
        raise LibvirtError(f"{uuid!r} is not the UUID of a domain")
    return uuid
