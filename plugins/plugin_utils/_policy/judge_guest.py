# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""One guest against the policy: everything that is found about it and its disks, and the waivers that cover it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ...module_utils._model.disk_io import IOTHREAD_CONTROLLER
from ...module_utils._model.findings import Change, DiskEntry, Severity, StorageName, disk_entry
from ...module_utils._model.records import Disk, Guest
from . import judge_controller, judge_defects, judge_disk, judge_running, judge_start, qemu
from .disks import Situation, configured, has_iothread, is_judged, shares_controller, spelled_controller
from .hypervisors import hint, process_only
from .locality import Locality
from .policy import KEEP, Policy
from .remark import Mark, Remark
from .selector import Subject, guest_subject
from .version import version
from .waivers import Waivers

_QEMU_9 = version("9")


class Judge(NamedTuple):
    """What guests are judged by."""

    policy: Policy
    waivers: Waivers
    locality: Locality

    def mark(self, subject: Subject, remark: Remark, disk: str | None = None, line: int | None = None) -> Mark:
        """The remark with its place, and the waiver that covers it for the subject."""
        return Mark(remark, disk, line, self.waivers.find(remark.rule, subject))


def judge(guest: Guest, by: Judge) -> tuple[list[Mark], list[DiskEntry]]:
    """The marks of a guest record, in the order of a report, and its disks for the findings document."""
    return _Judgement(guest, by).run()


class _Judgement:
    """The judgement of one guest; ``run`` is called once."""

    def __init__(self, guest: Guest, by: Judge) -> None:
        accepted = by.policy.accept_defects
        self._guest = guest
        self._by = by
        self._subject = guest_subject(guest)
        self._holds = judge_defects.holds(guest, accepted)
        self._caution = judge_defects.caution(guest, accepted)

    def run(self) -> tuple[list[Mark], list[DiskEntry]]:
        guest = self._guest
        judged = [self._by.policy.with_driver(disk) for disk in guest["disks"] if is_judged(disk)]
        marks, new_controller = self._controller(
            [d for d in judged if d["bus"] == "scsi" and not d["error"] and not d["unknown"]]
        )
        at = Situation(
            guest,
            spelled_controller(guest),
            new_controller,
            qemu.may_be_below(guest, _QEMU_9),
            self._holds,
            [disk["key"] for disk in judged if self._keeps(disk)],
            self._caution,
        )
        entries = []
        for disk in judged:
            about_disk = self._disk(disk, at)
            marks += about_disk
            entries.append(_entry(disk, about_disk))
        for disk in guest["disks"]:
            if not is_judged(disk):
                marks += self._marks(judge_start.judge(guest, disk), disk["key"], disk["line"])
        unknown = [Remark("IO100", one["severity"], one["message"], one["hint"]) for one in guest["unknown"]]
        marks += self._marks(unknown, None, guest["controller"]["line"])
        marks += self._not_understood()
        met = judge_defects.met(guest, judged, self._by.policy.accept_defects)
        marks += self._marks(met, None, guest["controller"]["line"])
        return [*marks, *self._running(judged)], entries

    def _mark(self, remark: Remark, disk: str | None = None, line: int | None = None) -> Mark:
        return self._by.mark(self._subject, remark, disk, line)

    def _marks(self, remarks: Iterable[Remark], disk: str | None, line: int | None) -> list[Mark]:
        return [self._mark(remark, disk, line) for remark in remarks]

    def _controller(self, scsi: list[Disk]) -> tuple[list[Mark], Change | None]:
        """IO101, and the change of the controller that the run makes."""
        policy = self._by.policy
        if not scsi or policy.controller_for(self._subject) != IOTHREAD_CONTROLLER:
            return [], None
        hold = self._holds.get("scsi") if any(map(self._gets_iothread, scsi)) else None
        remark = judge_controller.judge(self._guest, scsi, hold, self._caution, self._may_migrate)
        if remark is None:
            return [], None
        mark = self._mark(remark, None, _controller_line(self._guest, scsi))
        made = remark.cure if mark.waived is None else ()
        return [mark], made[0] if made else None

    def _may_migrate(self) -> bool:
        """Whether another driver is planned: no run writes what a resource defines, its author decides."""
        return self._guest["resource"] is not None or self._by.policy.may_migrate(self._subject)

    def _gets_iothread(self, disk: Disk) -> bool:
        """Whether the disk has an iothread once its controller can give one: it is configured, or wanted."""
        return bool(configured(disk, "iothread")) or (
            self._by.policy.disk_for(self._disk_subject(disk))["iothread"] is True
        )

    def _keeps(self, disk: Disk) -> bool:
        """Whether the disk is to stay without the iothread that the others of its controller would give it."""
        if has_iothread(disk) or not shares_controller(disk) or process_only(self._guest):
            return False
        subject = self._disk_subject(disk)
        return self._by.policy.disk_for(subject)["iothread"] == KEEP or self._by.waivers.cover("IO102", subject)

    def _disk_subject(self, disk: Disk) -> Subject:
        """What selectors see of a disk."""
        storage = disk["storage"]
        location = self._by.locality.classify(self._guest["node"], storage)
        return {**self._subject, **disk, "storage": storage and {**storage, "location": location}}

    def _disk(self, disk: Disk, at: Situation) -> list[Mark]:
        subject = self._disk_subject(disk)
        remarks = [
            *judge_start.judge(self._guest, disk),
            *judge_disk.judge(
                disk, self._by.policy.disk_for(subject), at, lambda rule: self._by.waivers.cover(rule, subject)
            ),
        ]
        return [self._by.mark(subject, self._placed(disk, remark), disk["key"], disk["line"]) for remark in remarks]

    def _placed(self, disk: Disk, remark: Remark) -> Remark:
        """The remark with what the disk's storage adds to it."""
        storage, node = disk["storage"], self._guest["node"]
        if storage is None:
            return remark
        if self._by.locality.classify(node, storage) == "node":
            own = ", ".join(self._by.locality.own_servers(node, storage))
            served = f"storage {storage['id']} is served by this node itself ({own})"
            remark = remark._replace(message=f"{remark.message}; {served}")
        live = self._guest["running"] is not None
        if live and storage["type"] is None and any(change["key"] == disk["key"] for change in remark.cure):
            missing = hint(self._guest, "storage_missing")
            remark = remark._replace(cure=(), hint=f"{remark.hint} {missing}")
        return remark

    def _not_understood(self) -> list[Mark]:
        """IO100 for lines, settings and arguments that were not judged."""
        guest = self._guest
        invalid = {disk["line"] for disk in guest["disks"] if disk["error"]}
        marks = []
        for line in guest["unsafe_lines"]:
            if line["line"] not in invalid:
                # The guest starts without a disk whose line is not understood.
                severity: Severity = "error" if line["drive"] else "warning"
                message = f"line {line['line']} is not understood ({line['reason']}): {line['text']}"
                remark = Remark("IO100", severity, message, hint(guest, "unsafe_line"), line["text"])
                marks.append(self._mark(remark, None, line["line"]))
        marks += self._marks(judge_start.unknown_settings(guest), None, None)
        keys = {disk["key"] for disk in guest["disks"]}
        for said in guest["args_disks"]:
            key = said["disk"] if said["disk"] in keys else None
            marks.append(self._mark(judge_start.args(said), key, said["line"]))
        return marks

    def _running(self, judged: list[Disk]) -> list[Mark]:
        """IO108 and IO109, and what runs without having been judged."""
        guest = self._guest
        marks = [
            self._mark(remark, disk["key"], disk["line"])
            if disk
            else self._mark(remark, None, _controller_line(guest, judged))
            for disk, remark in (*judge_running.pending(guest, judged), *judge_running.drift(guest, judged))
        ]
        marks += [self._mark(remark, key) for key, remark in judge_running.disagreements(guest)]
        return sorted(marks, key=lambda mark: mark.concerns_policy, reverse=True)


def _controller_line(guest: Guest, disks: list[Disk]) -> int | None:
    """The line of an unset controller is the first disk's: tools that show findings in a file need one."""
    line = guest["controller"]["line"]
    return disks[0]["line"] if line is None and disks else line


def _entry(disk: Disk, marks: list[Mark]) -> DiskEntry:
    violates = any(mark.violates for mark in marks)
    waived = any(mark.waived and mark.remark.severity != "note" for mark in marks)
    compliant = not (violates or waived)
    return disk_entry(key=disk["key"], storage=_storage(disk), compliant=compliant, waived=waived and not violates)


def _storage(disk: Disk) -> StorageName | None:
    """A disk's storage in the findings document: null for a path; the storage of an invalid drive is not known."""
    if disk["error"]:
        return {"id": None, "type": None}
    return disk["storage"] and {"id": disk["storage"]["id"], "type": disk["storage"]["type"]}
