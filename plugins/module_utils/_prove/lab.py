# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The measurement: what it needs is checked first, then every setting in turn, round by round."""

from __future__ import annotations

import os
import platform
import shutil
import time

from .._host import meminfo
from .._host.tree import Tree
from . import gaps, initramfs, kernel, qemu_argv, report, storage
from .errors import ProveError
from .load import Load
from .machine import Machine, during_commands
from .pressure import Probe
from .setting import DIRECT, RESET, check_all, describe, modules

_BOOT_S = {"kvm": 20, "tcg": 180}
_GUEST_MIB = 192
_QEMU = ("/usr/bin/kvm", "/usr/bin/qemu-system-x86_64")
FORMATS = storage.FORMATS
WRITERS, READERS = 4, 1
"""Processes in the guest that make requests, each one at a time; with a writer one more makes one every 50 ms."""
_PRESS_S = 10


def _bounds(options):
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
            raise ProveError("%s is %s; allowed: %d to %d" % (key, options[key], low, high))


def _program(named, usual, what):
    for path in [named] if named else usual:
        found = shutil.which(path)
        if found:
            return found
    raise ProveError(
        "%s is not on this host (looked for %s); install it or name it" % (what, named or ", ".join(usual))
    )


def check(options):
    """What a measurement needs, found before anything is started: {settings, qemu, qemu_img, kernel,
    modules, needed_bytes}. Raises ProveError for the first thing that is missing.

    options: the module's parameters (io_prove), all of them.
    """
    _bounds(options)
    settings = check_all(options["settings"])
    if platform.machine() != "x86_64":
        raise ProveError("the guest's program is for x86_64; this host is %s" % platform.machine())
    needed = (options["image_mb"] + options["load_mb"] * bool(options["load_writers"])) * storage.MIB
    storage.check_room(options["path"], needed)
    qemu = _program(options["qemu"], _QEMU, "QEMU")
    _program(None, ["setpriv"], "setpriv (package util-linux)")
    qemu_img = _program(None, ["qemu-img"], "qemu-img") if options["image_format"] == "qcow2" else None
    image, directory = kernel.find(options["kernel"], options["kernel_modules"])
    memory = meminfo.parse(Tree("/").kernel_text(meminfo.PATH) or "").get("MemAvailable")
    if memory is not None and memory < 2 * _GUEST_MIB * storage.MIB:
        raise ProveError(
            "this host has %s of memory available; the guest needs %s"
            % (storage.mib(memory), storage.mib(2 * _GUEST_MIB * storage.MIB))
        )
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


class Lab:
    """Everything that lives as long as the measurement. Use as a context manager."""

    def __init__(self, options, found):
        self._options, self._found = options, found
        self._size = options["image_mb"] * storage.MIB
        self._kernel = os.open(found["kernel"], os.O_RDONLY)
        self._initrds = {}
        self._image = None
        self.accelerator, self.accelerator_reason = self._first_accelerator()

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        for file in [self._kernel] + list(self._initrds.values()) + ([] if self._image is None else [self._image]):
            os.close(file)

    def _first_accelerator(self):
        asked = self._options["accelerator"]
        if asked == "tcg":
            return "tcg", "asked for"
        usable = os.access("/dev/kvm", os.R_OK | os.W_OK)
        if not usable and asked == "kvm":
            raise ProveError("/dev/kvm cannot be used on this host; use accelerator: auto or tcg")
        return (
            ("kvm", "asked for" if asked == "kvm" else "it works") if usable else ("tcg", "there is no /dev/kvm to use")
        )

    def _initrd(self, setting):
        """An open file, in memory only, with the initramfs for the setting's drivers."""
        wanted = modules(setting)
        if wanted not in self._initrds:
            body = initramfs.build(kernel.load_order(wanted, self._found["modules"]))
            file = os.memfd_create("prove-io-initramfs")
            self._initrds[wanted] = file
            with open(file, "wb", closefd=False) as target:
                target.write(body)
        return self._initrds[wanted]

    def _fresh_image(self):
        """A preallocated image serves all runs; one that grows must be new for each."""
        if self._image is not None and self._options["image_format"] != "raw":
            os.close(self._image)
            self._image = None
        if self._image is None:
            self._image = storage.image(
                self._options["path"], self._options["image_format"], self._size, self._found["qemu_img"]
            )

    def _machine(self, setting):
        fds = {"image": self._image, "kernel": self._kernel, "initrd": self._initrd(setting)}

        def command(sockets):
            line = qemu_argv.argv(
                self._found["qemu"],
                setting,
                self.accelerator,
                dict(fds, **sockets),
                self._options["image_format"],
                _GUEST_MIB,
            )
            if setting["during"] == "block_job":
                line += ["-blockdev", "driver=null-co,node-name=job-target,size=%d" % self._size]
            return line

        return Machine(command, fds.values())

    def _booted(self, setting):
        """A machine that is ready; where KVM is there and does not work, one without it."""
        machine = self._machine(setting)
        try:
            machine.wait_ready(_BOOT_S[self.accelerator])
            return machine
        except ProveError as problem:
            machine.close()
            if self.accelerator != "kvm" or self._options["accelerator"] == "kvm":
                raise ProveError("setting %s: %s" % (setting["name"], problem)) from problem
            self.accelerator, self.accelerator_reason = "tcg", "KVM does not work here: %s" % problem
        except BaseException:
            machine.close()
            raise
        return self._booted(setting)

    def run(self, setting, number):
        """One run of one setting: its figures (docs/proof.md)."""
        options = self._options
        self._fresh_image()
        with self._booted(setting) as machine, Probe(options["path"]) as probe:
            load = Load(
                options["path"],
                options["load_writers"],
                options["load_mb"] * storage.MIB // max(1, options["load_writers"]),
                options["load_total_mb"] * storage.MIB,
            )
            try:
                load.start()
                time.sleep(options["warm_up"])
                felt_ms = probe.wait(_PRESS_S if options["load_writers"] else 0)
                seen = machine.measure(
                    options["seconds"],
                    WRITERS,
                    READERS,
                    during_commands(setting["during"], self._size),
                    setting["during"] == RESET,
                )
            finally:
                load.stop()
        if load.problem:
            raise ProveError("the load could not write to %s: %s" % (options["path"], load.problem))
        return dict(
            gaps.figures(seen),
            died=seen["died"],
            setting=setting["name"],
            round=number,
            main_blocked_percent=seen["main_blocked_percent"],
            commands=seen["commands"],
            load={"mb": sum(load.written) // storage.MIB, "ended_early": load.ended_early, "felt_ms": felt_ms},
        )


def plan(options):
    """What measure() would do, in the same shape, with nothing started. Raises ProveError."""
    settings = check(options)["settings"]
    lines = [
        "Everything that the measurement needs is there. It would measure, %d times %d s each:"
        % (options["runs"], options["seconds"])
    ]
    lines += ["%s: %s" % (setting["name"], describe(setting)) for setting in settings]
    return {"settings": settings, "runs": [], "summary": [], "ratios": [], "lines": lines}


def measure(options):
    """The whole measurement: what io_prove returns. Raises ProveError."""
    found = check(options)
    settings = found["settings"]
    runs = []
    with Lab(options, found) as lab:
        for number in range(1, options["runs"] + 1):
            for setting in settings:
                runs.append(lab.run(setting, number))
        accelerator = {"name": lab.accelerator, "reason": lab.accelerator_reason}
    summary = gaps.summarize([(setting, describe(setting)) for setting in settings], runs)
    return {
        "settings": settings,
        "runs": runs,
        "summary": summary,
        "accelerator": accelerator,
        "ratios": gaps.ratios(runs, settings[0]["name"], settings[1]["name"]) if len(settings) > 1 else [],
        "lines": report.lines(settings, runs, summary, accelerator),
    }
