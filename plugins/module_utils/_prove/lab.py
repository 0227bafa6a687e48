# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The measurement: its requirements are checked first, then every setting is measured in turn, round by round."""

from __future__ import annotations

import os
import platform
import shutil
import time
from collections.abc import Callable, Iterable
from typing import Any

from .._host import meminfo
from .._host.tree import Tree
from . import backup, gaps, initramfs, kernel, process, qemu_argv, storage
from .errors import ProveError
from .load import Load
from .machine import Machine, during_commands
from .pressure import Probe
from .report import proof
from .setting import DIRECT, RESET, check_all, describe, modules

_BOOT_S = {"kvm": 20, "tcg": 180}
_GUEST_MIB = 192
_QEMU = ("/usr/bin/kvm", "/usr/bin/qemu-system-x86_64")
FORMATS = storage.FORMATS
WRITERS, READERS = 4, 1
"""Processes in the guest that make requests, each one at a time; with a writer, one more makes one every 50 ms."""
_PRESSURE_S = 10

Options = dict[str, Any]
Setting = dict[str, Any]


def _bounds(options: Options) -> None:
    for key, low, high in (
        ("runs", 1, 100),
        ("seconds", 1, 600),
        ("warm_up", 0, 60),
        ("image_mb", 16, 1048576),
        ("load_writers", 0, 64),
        ("load_mb", 1, 1048576),
        ("load_total_mb", 1, 16777216),
    ):
        if not low <= options[key] <= high:
            raise ProveError(f"{key} is {options[key]}; allowed: {low} to {high}")


def _program(named: str | None, usual: Iterable[str], what: str) -> str:
    for path in [named] if named else usual:
        found = shutil.which(path)
        if found:
            return found
    raise ProveError(f"{what} is not on this host (looked for {named or ', '.join(usual)}); install it or name it")


def check(options: Options) -> dict[str, Any]:
    """What a measurement needs, before anything is started: {settings, qemu, qemu_img, kernel, modules, needed_bytes}.

    ``options`` are all parameters of the module io_prove. Raises ProveError for the first thing that is missing.
    """
    _bounds(options)
    settings = check_all(options["settings"])
    if platform.machine() != "x86_64":
        raise ProveError(f"the guest's program is for x86_64; this host is {platform.machine()}")
    needed = (options["image_mb"] + options["load_mb"] * bool(options["load_writers"])) * storage.MIB
    storage.check_room(options["path"], needed)
    qemu = _program(options["qemu"], _QEMU, "QEMU")
    for setting in settings:
        if setting["backup"]:
            _check_backup(setting, options, needed, qemu)
    _program(None, ["setpriv"], "setpriv (package util-linux)")
    qemu_img = _program(None, ["qemu-img"], "qemu-img") if options["image_format"] == "qcow2" else None
    image, directory = kernel.find(options["kernel"], options["kernel_modules"])
    memory = meminfo.parse(Tree("/").kernel_text(meminfo.PATH) or "").get("MemAvailable")
    if memory is not None and memory < 2 * _GUEST_MIB * storage.MIB:
        wanted = storage.mib(2 * _GUEST_MIB * storage.MIB)
        raise ProveError(f"this host has {storage.mib(memory)} of memory available; the guest needs {wanted}")
    if any(setting["cache"] in DIRECT for setting in settings):
        storage.check_direct(options["path"])
    for setting in settings:
        kernel.load_order(modules(setting), directory)
    return {
        "settings": settings,
        "qemu": qemu,
        "qemu_img": qemu_img,
        "kernel": image,
        "modules": directory,
        "needed_bytes": needed,
    }


def _check_backup(setting: Setting, options: Options, needed: int, qemu: str) -> None:
    """Raises ProveError where the setting's backup cannot be made: its QEMU, its directories and their space."""
    where = f"setting {setting['name']}"
    said = process.run([qemu, "--version"], stdout=process.PIPE, stderr=process.DEVNULL, universal_newlines=True)
    backup.check_version(setting["backup"], backup.version_in(said.stdout), where)
    directories = backup.directories(setting["backup"])
    for directory in sorted(set(directories)):
        files = directories.count(directory) * options["image_mb"] * storage.MIB
        same = os.path.isdir(directory) and os.path.samefile(directory, options["path"])
        storage.check_room(directory, files + (needed if same else 0))
        storage.check_direct(directory)


class Lab:
    """Everything that exists as long as the measurement runs. Use as a context manager."""

    def __init__(self, options: Options, found: dict[str, Any]) -> None:
        self._options, self._found = options, found
        self._size = options["image_mb"] * storage.MIB
        self._kernel = os.open(found["kernel"], os.O_RDONLY)
        self._initrds: dict[tuple[str, ...], int] = {}
        self._image: int | None = None
        self._backups: list[int] = []
        self.accelerator, self.accelerator_reason = self._first_accelerator()

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *_exception: object) -> None:
        for file in (self._kernel, self._image, *self._initrds.values(), *self._backups):
            if file is not None:
                os.close(file)

    def _first_accelerator(self) -> tuple[str, str]:
        asked = self._options["accelerator"]
        if asked == "tcg":
            return "tcg", "asked for"
        usable = os.access("/dev/kvm", os.R_OK | os.W_OK)
        if not usable and asked == "kvm":
            raise ProveError("/dev/kvm cannot be used on this host; use accelerator: auto or tcg")
        if not usable:
            return "tcg", "/dev/kvm cannot be used"
        return "kvm", "asked for" if asked == "kvm" else "it works"

    def _initrd(self, setting: Setting) -> int:
        """An open file, only in memory, with the initramfs for the setting's drivers."""
        wanted = modules(setting)
        if wanted not in self._initrds:
            body = initramfs.build(kernel.load_order(wanted, self._found["modules"]))
            file = os.memfd_create("prove-io-initramfs")
            self._initrds[wanted] = file
            with open(file, "wb", closefd=False) as target:
                target.write(body)
        return self._initrds[wanted]

    def _fresh_image(self) -> int:
        """A preallocated image is used for all runs; one that grows must be new for each run."""
        if self._image is not None and self._options["image_format"] != "raw":
            os.close(self._image)
            self._image = None
        if self._image is None:
            self._image = storage.image(
                self._options["path"], self._options["image_format"], self._size, self._found["qemu_img"]
            )
        return self._image

    def _fresh_backup(self, setting: Setting) -> dict[str, int]:
        """The descriptors of new files for the setting's backup."""
        for file in self._backups:
            os.close(file)
        self._backups = []
        files = {}
        for name in ("target", "fleecing"):
            if setting["backup"] and setting["backup"][name] is not None:
                files[name] = storage.image(setting["backup"][name], "raw-sparse", self._size)
                self._backups.append(files[name])
        return files

    def _machine(self, setting: Setting) -> Machine:
        fds = {"image": self._fresh_image(), "kernel": self._kernel, "initrd": self._initrd(setting)}
        files = self._fresh_backup(setting)

        def command(sockets: dict[str, int]) -> list[str]:
            line = qemu_argv.argv(
                self._found["qemu"],
                setting,
                self.accelerator,
                {**fds, **sockets},
                self._options["image_format"],
                _GUEST_MIB,
            )
            if setting["during"] == "block_job":
                line += ["-blockdev", f"driver=null-co,node-name=job-target,size={self._size}"]
            return line + (backup.argv(setting["backup"], files, self._size) if setting["backup"] else [])

        return Machine(command, [*fds.values(), *files.values()])

    def _booted(self, setting: Setting) -> Machine:
        """A machine that is ready; one without KVM where KVM does not work."""
        machine = self._machine(setting)
        try:
            machine.wait_ready(_BOOT_S[self.accelerator])
            return machine
        except ProveError as problem:
            machine.close()
            if self.accelerator != "kvm" or self._options["accelerator"] == "kvm":
                raise ProveError(f"setting {setting['name']}: {problem}") from problem
            self.accelerator, self.accelerator_reason = "tcg", f"KVM does not work here: {problem}"
        except BaseException:
            machine.close()
            raise
        return self._booted(setting)

    def run(self, setting: Setting, number: int, moved: Callable[[], int] | None = None) -> dict[str, Any]:
        """One run of one setting: its figures (docs/proof.md).

        ``moved`` tells how many bytes the storage has read and written so far; without it, what the load wrote counts.
        """
        options = self._options
        with self._booted(setting) as machine, Probe(options["path"]) as probe:
            load = Load(
                options["path"],
                options["load_writers"],
                options["load_mb"] * storage.MIB // max(1, options["load_writers"]),
                options["load_total_mb"] * storage.MIB,
                options.get("load_mb_per_s", 0) * 1000000,
            )
            moved = moved or (lambda: sum(load.written))
            try:
                load.start()
                time.sleep(options["warm_up"])
                felt_ms = probe.wait(_PRESSURE_S if options["load_writers"] else 0)
                before = moved()
                seen = machine.measure(
                    options["seconds"],
                    WRITERS,
                    READERS,
                    during_commands(setting, self._size),
                    setting["during"] == RESET,
                    setting["during"] == backup.BACKUP,
                )
                moved_mb_per_s = round((moved() - before) / seen["window_s"] / 1e6, 1)
            finally:
                load.stop()
        if load.problem:
            raise ProveError(f"the load could not write to {options['path']}: {load.problem}")
        try:
            done = backup.progress(seen["messages"], seen["begun"])
        except ProveError as problem:
            raise ProveError(f"setting {setting['name']}: {problem}") from problem
        return {
            **gaps.figures(seen),
            "backup_mb_per_s": done["mb_per_s"],
            "backup_ended": done["ended"],
            "died": seen["died"],
            "setting": setting["name"],
            "round": number,
            "main_blocked_percent": seen["main_blocked_percent"],
            "commands": seen["commands"],
            "load": {
                "mb": sum(load.written) // storage.MIB,
                "mb_per_s": moved_mb_per_s,
                "ended_early": load.ended_early,
                "felt_ms": felt_ms,
            },
        }


def plan(options: Options) -> dict[str, Any]:
    """What measure() would do, in the same shape, without starting anything. Raises ProveError."""
    settings = check(options)["settings"]
    lines = [
        f"The host has everything that the measurement needs. It would measure, {options['runs']} times"
        f" {options['seconds']} s each:"
    ]
    lines += [f"{setting['name']}: {describe(setting)}" for setting in settings]
    return {"settings": settings, "runs": [], "summary": [], "ratios": [], "lines": lines}


def measure(options: Options) -> dict[str, Any]:
    """The whole measurement: what io_prove returns (docs/proof.md). Raises ProveError."""
    found = check(options)
    settings = found["settings"]
    runs = []
    with Lab(options, found) as lab:
        for number in range(1, options["runs"] + 1):
            for setting in settings:
                runs.append(lab.run(setting, number))
        accelerator = {"name": lab.accelerator, "reason": lab.accelerator_reason}
    return proof(settings, runs, accelerator)
