# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What is read of a host: one type per shape, and one function that makes it.

docs/data.md explains each key and why the shape is as it is; a test holds the two equal.
A record is a plain dict, because it travels as JSON. Every key is always there: null means not known or not set.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypedDict

#: The problem of a guest that was asked for and has no config here; another host may have it.
NOT_THERE = "is not there"


class Configured(TypedDict):
    """What a drive's line sets; None where it does not."""

    aio: str | None
    cache: str | None
    iothread: bool | None


class DiskController(TypedDict):
    """The SCSI controller of one disk: QEMU's model, whether the disk has it to itself, and whether the disk can be
    given an iothread without a change of the guest's controller.
    """

    model: str
    dedicated: bool
    gives_iothread: bool


class Values(TypedDict):
    """What a disk runs with. ``controller`` is None off the SCSI bus, and where it is not known."""

    driver: str | None
    aio: str | None
    cache: str | None
    cache_direct: bool | None
    cache_no_flush: bool
    iothread: bool | None
    controller: DiskController | None


class AioDefault(TypedDict):
    """The aio of a disk that names none, with O_DIRECT and without."""

    direct: str
    cached: str


class FileSystem(TypedDict):
    """The file system of an image. ``direct_io`` tells whether O_DIRECT worked, None where it was not tried."""

    type: str
    direct_io: bool | None
    copy_on_write: bool | None


class Storage(TypedDict):
    """A storage of storage.cfg; ``type`` is None where storage.cfg does not have it."""

    id: str
    type: str | None
    krbd: bool
    nocow: bool
    shared: bool
    servers: list[str]
    disabled: bool
    nodes: list[str] | None
    content: list[str] | None
    images: str | None
    active: bool | None


class Unknown(TypedDict):
    """What decides and is not known, in a sentence, and what to do about it; ``severity`` is that of its finding."""

    message: str
    hint: str
    severity: Literal["error", "warning"]


class Resource(TypedDict):
    """The resource of a plan that defines a guest.

    ``words`` names its provider's, ``id`` is the guest's where the plan has it. ``note`` says what the provider does
    with the guest when it is changed; "" where nothing is to be said.
    """

    words: str
    address: str
    module: str | None
    id: str | None
    note: str


class Disk(TypedDict):
    """A drive of a guest."""

    key: str
    bus: str
    media: str
    volume: str | None
    storage: Storage | None
    format: str | None
    line: int | None
    error: str | None
    unknown: Unknown | None
    start_fault: str | None
    needs_root: str | None
    overlay: bool
    read_only: bool
    configured: Configured
    aio_default: AioDefault | None
    pending: Configured | None
    pending_delete: bool
    effective: Values | None
    next: Values | None
    runs: Values | None
    filesystem: FileSystem | None


class NextStart(TypedDict):
    """Machine type and ostype of the next cold start."""

    machine: str | None
    ostype: str | None


class Versions(TypedDict):
    """QEMU's version in memory, and of the program that a start would use."""

    running: str | None
    installed: str | None


class Qemu(Versions):
    """The same with the version that the next cold start has at least."""

    proven: str | None


class Controller(TypedDict):
    """A guest's SCSI controller as its hypervisor spells it."""

    configured: str | None
    pending: str | None
    effective: str
    line: int | None


class UnsafeLine(TypedDict):
    """A line of the config that the hypervisor would drop on its next write."""

    line: int
    text: str
    reason: str
    drive: bool


class Held(TypedDict):
    """Why a guest must not be written, as its read has shown: the reason is for programs, the detail is for people."""

    reason: Literal["by_hand", "not_asked", "read_only"]
    detail: str


class ArgsDisk(TypedDict):
    """What an ``args:`` line does to disks."""

    line: int | None
    args: str
    does: str
    disk: str | None


class Disagreement(TypedDict):
    """Where a process speaks against its command line; ``key`` is None for the process as a whole."""

    key: str | None
    option: str
    cmdline: Any
    seen: Any
    detail: str


class Guest(TypedDict):
    """A guest: what its definition says, and what its process tells."""

    id: str
    name: str
    hypervisor: str
    node: str | None
    config: str | None
    digest: str | None
    ostype: str | None
    machine: str | None
    next_start: NextStart
    tags: list[str]
    template: bool
    lock: str | None
    running: bool | None
    started: str | None
    qemu: Qemu
    controller: Controller
    iothreads: int | None
    disks: list[Disk]
    pending: list[str]
    foreign_pending: list[str]
    snapshots: list[str]
    snapshots_differ: list[str]
    unsafe_lines: list[UnsafeLine]
    unknown_keys: list[str]
    held: Held | None
    args_disks: list[ArgsDisk]
    disagreements: list[Disagreement]
    made_by: str | None
    resource: Resource | None
    unknown: list[Unknown]


class Node(TypedDict):
    """A node: its own IP addresses, and what it is called."""

    name: str
    addresses: list[str]
    names: list[str]


class Problem(TypedDict):
    """What could not be read, and why. ``file`` is None where it is not about one."""

    file: str | None
    line: int | None
    guest: str | None
    node: str | None
    reason: str


class Reading(TypedDict):
    """What one read of a host, a tree or an API returns."""

    guests: list[Guest]
    storages: list[Storage]
    nodes: list[Node]
    problems: list[Problem]


class RunningDisk(TypedDict):
    """A disk of a QEMU process."""

    key: str
    device: str
    controller: DiskController | None
    file: str | None
    format: str | None
    overlay: bool
    runs: Values | None


class RunningGuest(TypedDict):
    """A QEMU process."""

    pid: int
    id: str
    name: str
    hypervisor: str
    machine: str | None
    started: str | None
    qemu: Versions
    disks: list[RunningDisk]
    iothreads: list[str]
    qmp: list[str]
    disagreements: list[Disagreement]


def configured(*, aio: str | None = None, cache: str | None = None, iothread: bool | None = None) -> Configured:
    """What a drive's line sets."""
    return {"aio": aio, "cache": cache, "iothread": iothread}


def values(
    *,
    driver: str | None,
    aio: str | None,
    cache: str | None,
    cache_direct: bool | None,
    cache_no_flush: bool = False,
    iothread: bool | None = False,
    controller: DiskController | None = None,
) -> Values:
    """What a disk runs with."""
    return {
        "driver": driver,
        "aio": aio,
        "cache": cache,
        "cache_direct": cache_direct,
        "cache_no_flush": cache_no_flush,
        "iothread": iothread,
        "controller": controller,
    }


def storage(
    *,
    id: str,
    type: str | None = None,
    krbd: bool = False,
    nocow: bool = False,
    shared: bool = False,
    servers: list[str] | None = None,
    disabled: bool = False,
    nodes: list[str] | None = None,
    content: list[str] | None = None,
    images: str | None = None,
    active: bool | None = None,
) -> Storage:
    """A storage; without a type one that storage.cfg does not have."""
    return {
        "id": id,
        "type": type,
        "krbd": krbd,
        "nocow": nocow,
        "shared": shared,
        "servers": servers or [],
        "disabled": disabled,
        "nodes": nodes,
        "content": content,
        "images": images,
        "active": active,
    }


def disk(
    *,
    key: str,
    bus: str,
    media: str = "disk",
    volume: str | None = None,
    storage: Storage | None = None,
    format: str | None = None,
    line: int | None = None,
    error: str | None = None,
    unknown: Unknown | None = None,
    start_fault: str | None = None,
    needs_root: str | None = None,
    overlay: bool = False,
    read_only: bool = False,
    configured: Configured | None = None,
    aio_default: AioDefault | None = None,
    pending: Configured | None = None,
    pending_delete: bool = False,
    effective: Values | None = None,
    next: Values | None = None,
    runs: Values | None = None,
    filesystem: FileSystem | None = None,
) -> Disk:
    """A drive of a guest."""
    return {
        "key": key,
        "bus": bus,
        "media": media,
        "volume": volume,
        "storage": storage,
        "format": format,
        "line": line,
        "error": error,
        "unknown": unknown,
        "start_fault": start_fault,
        "needs_root": needs_root,
        "overlay": overlay,
        "read_only": read_only,
        "configured": configured or {"aio": None, "cache": None, "iothread": None},
        "aio_default": aio_default,
        "pending": pending,
        "pending_delete": pending_delete,
        "effective": effective,
        "next": next,
        "runs": runs,
        "filesystem": filesystem,
    }


def guest(
    *,
    id: str,
    hypervisor: str,
    controller: Controller,
    name: str = "",
    node: str | None = None,
    config: str | None = None,
    digest: str | None = None,
    ostype: str | None = None,
    machine: str | None = None,
    next_start: NextStart | None = None,
    tags: list[str] | None = None,
    template: bool = False,
    lock: str | None = None,
    running: bool | None = None,
    started: str | None = None,
    qemu: Qemu | None = None,
    iothreads: int | None = None,
    disks: list[Disk] | None = None,
    pending: list[str] | None = None,
    foreign_pending: list[str] | None = None,
    snapshots: list[str] | None = None,
    snapshots_differ: list[str] | None = None,
    unsafe_lines: list[UnsafeLine] | None = None,
    unknown_keys: list[str] | None = None,
    held: Held | None = None,
    args_disks: list[ArgsDisk] | None = None,
    disagreements: list[Disagreement] | None = None,
    made_by: str | None = None,
    resource: Resource | None = None,
    unknown: list[Unknown] | None = None,
) -> Guest:
    """A guest; without ``next_start`` the next cold start is as machine and ostype say."""
    return {
        "id": id,
        "name": name,
        "hypervisor": hypervisor,
        "node": node,
        "config": config,
        "digest": digest,
        "ostype": ostype,
        "machine": machine,
        "next_start": next_start or {"machine": machine, "ostype": ostype},
        "tags": tags or [],
        "template": template,
        "lock": lock,
        "running": running,
        "started": started,
        "qemu": qemu or {"running": None, "installed": None, "proven": None},
        "controller": controller,
        "iothreads": iothreads,
        "disks": disks or [],
        "pending": pending or [],
        "foreign_pending": foreign_pending or [],
        "snapshots": snapshots or [],
        "snapshots_differ": snapshots_differ or [],
        "unsafe_lines": unsafe_lines or [],
        "unknown_keys": unknown_keys or [],
        "held": held,
        "args_disks": args_disks or [],
        "disagreements": disagreements or [],
        "made_by": made_by,
        "resource": resource,
        "unknown": unknown or [],
    }


def unknown(message: str, hint: str, severity: Literal["error", "warning"] = "error") -> Unknown:
    """What decides and is not known, and what to do about it."""
    return {"message": message, "hint": hint, "severity": severity}


def controller(
    *, effective: str, configured: str | None = None, pending: str | None = None, line: int | None = None
) -> Controller:
    """A guest's SCSI controller."""
    return {"configured": configured, "pending": pending, "effective": effective, "line": line}


def node(*, name: str, addresses: list[str] | None = None, names: list[str] | None = None) -> Node:
    """A node; without ``names`` it has its own alone."""
    return {"name": name, "addresses": addresses or [], "names": names or [name]}


def problem(
    file: str | None, reason: str, *, line: int | None = None, guest: str | None = None, node: str | None = None
) -> Problem:
    """What could not be read, and why."""
    return {"file": file, "line": line, "guest": guest, "node": node, "reason": reason}


def disagreement(*, option: str, seen: Any, detail: str, key: str | None = None, cmdline: Any = None) -> Disagreement:
    """Where a process speaks against its command line."""
    return {"key": key, "option": option, "cmdline": cmdline, "seen": seen, "detail": detail}


def foreign_pending_detail(keys: Iterable[str]) -> str:
    """Why a stopped guest with these pending keys of somebody else is not written, in a sentence."""
    return (
        f"stopped, with somebody else's pending changes ({', '.join(keys)}), which a write would apply too; start the"
        " guest or revert them, or allow it with apply_foreign_pending"
    )
