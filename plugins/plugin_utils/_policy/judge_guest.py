# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""One guest against the policy: its findings, and its entry in the plan."""

from __future__ import annotations

from typing import Any

from ...module_utils._model.disk_io import VIRTIO_CONTROLLERS
from ...module_utils._model.findings import SEVERITIES
from ...module_utils._model.records import foreign_pending_detail
from ...module_utils._shown import piece, some
from ...module_utils._text import plural
from . import judge_defects, judge_disk, judge_running, judge_start, qemu
from .document import KEEP, Policy
from .judge_disk import Remark, Situation
from .locality import Locality
from .selector import Selector, guest_subject
from .waivers import Waivers

#: Reasons for which a guest, or a part of it, must change and is not in the plan.
(
    LOCKED,
    UNSAFE_LINES,
    NOT_ASKED,
    NO_CONFIG,
    FOREIGN_PENDING,
    STORAGE_OFFLINE,
    DRIVER_CHANGE,
    KNOWN_DEFECT,
    NOT_FIXABLE,
) = (
    "locked",
    "unsafe_lines",
    "not_asked",
    "no_config",
    "foreign_pending",
    "storage_offline",
    "driver_change",
    "known_defect",
    "not_fixable",
)

# The hints of the rules whose own name what Proxmox VE's guests have, for guests that are known from their process
# alone.
_HINTS_ELSEWHERE = {
    "IO101": (
        "Where the guest is defined, give each of its disks a virtio-scsi controller of its own, with an iothread."
    ),
    "IO102": (
        "Where the guest is defined, give the disk an iothread: virtio-blk has it itself, virtio-scsi on the"
        " controller."
    ),
}


class Verdict:
    """What one guest's judgement comes to; ``assess`` collects these."""

    __slots__ = ("changes", "disks", "findings", "unresolved", "status")

    def __init__(self) -> None:
        self.findings: list[dict[str, Any]] = []
        self.changes: list[dict[str, Any]] = []
        self.disks: list[dict[str, Any]] = []
        self.unresolved: tuple[str, str] | None = None
        self.status = "compliant"


class GuestJudge:
    """Judges guests by one policy. ``migrate`` selects the guests whose driver may change; ``apply_foreign_pending``
    plans stopped guests although the write applies what somebody else left in [PENDING]."""

    def __init__(
        self,
        policy: Policy,
        waivers: Waivers,
        locality: Locality,
        migrate: Selector | None,
        apply_foreign_pending: bool = False,
    ) -> None:
        self.apply_foreign_pending = apply_foreign_pending
        self._policy = policy
        self._waivers = waivers
        self._locality = locality
        self._migrate = migrate

    @property
    def accepted_defects(self) -> tuple[str, ...]:
        """The ids of the defects that the policy accepts."""
        return self._policy.accept_defects

    def told(self, disk: dict[str, Any]) -> dict[str, Any]:
        """The disk with the driver that the policy names for its storage's type."""
        driver = self._policy.storage_types.get((disk["storage"] or {}).get("type") or "")
        if driver is None:
            return disk
        return {**disk, **{state: disk[state] and {**disk[state], "driver": driver} for state in ("effective", "next")}}

    def judge(self, guest: dict[str, Any]) -> Verdict:
        """The verdict on one guest record."""
        return _Judgement(self, guest).run()

    def wanted_controller(self, subject: dict[str, Any]) -> str:
        """The controller the policy wants of a guest, first override wins."""
        for override in self._policy.overrides:
            if override.controller is not None and override.match.matches(subject):
                return override.controller
        return self._policy.controller

    def wanted_disk(self, subject: dict[str, Any]) -> dict[str, Any]:
        """What the policy wants of a disk: per key the first override that matches and names it."""
        wanted: dict[str, Any] = {}
        for override in self._policy.overrides:
            missing = [key for key in override.disk if key not in wanted]
            if missing and override.match.matches(subject):
                wanted.update({key: override.disk[key] for key in missing})
        return {**self._policy.disk, **wanted}


class _Judgement:
    def __init__(self, judge: GuestJudge, guest: dict[str, Any]) -> None:
        self._judge = judge
        self._guest = guest
        self._verdict = Verdict()
        self._subject = guest_subject(guest)
        self._hold = judge_defects.hold(guest, judge.accepted_defects)
        self._caution = judge_defects.caution(guest, judge.accepted_defects)
        # read on its own node, where qm writes it
        self._is_live = guest["running"] is not None
        self._violated = self._waived = self._waits = False
        # of the disk that is being judged: what it violates is waived
        self._excused = False

    def run(self) -> Verdict:
        guest, verdict = self._guest, self._verdict
        judged = [self._judge.told(disk) for disk in guest["disks"] if judge_disk.judged(disk)]
        before = guest["controller"]["pending"] or guest["controller"]["effective"]
        after = self._controller([disk for disk in judged if disk["bus"] == "scsi" and not disk["error"]], before)
        for disk in judged:
            self._disk(disk, before, after)
        for disk in guest["disks"]:
            if not judge_disk.judged(disk):
                for remark in judge_start.judge(guest, disk):
                    self._add(disk, remark, disk["line"])
        self._not_understood()
        for remark in judge_defects.met(guest, judged, self._judge.accepted_defects):
            self._add(None, remark, guest["controller"]["line"])
        self._running(judged)
        if verdict.changes:
            self._hold_back()
        self._notes()
        verdict.status = self._status()
        return verdict

    def _controller(self, scsi: list[dict[str, Any]], before: str) -> str:
        wanted = self._judge.wanted_controller(self._subject) if scsi else KEEP
        if wanted in (KEEP, before):
            return before
        same_driver = before in VIRTIO_CONTROLLERS
        held = self._hold if any(self._iothread_after(disk) for disk in scsi) else None
        allowed = held is None and (
            same_driver or (self._judge._migrate is not None and self._judge._migrate.matches(self._subject))
        )
        safe = all((judge_disk.settings(disk) or {}).get("aio") == "threads" for disk in scsi)
        unset = (
            " (scsihw is unset)"
            if self._guest["controller"]["configured"] is None and not judge_running.process_only(self._guest)
            else ""
        )
        remark = Remark(
            "IO101",
            "warning" if safe else "error",
            f"SCSI controller {before}{unset}, the policy wants {wanted}"
            + (f", and it is left: {held.reason}" if held else ""),
            (
                held.hint
                if held
                else (
                    f"Set scsihw={wanted}.{self._caution}"
                    if allowed
                    else (
                        f"{wanted} changes the guest's driver: make sure it has virtio_scsi (Windows: vioscsi), then"
                        f" allow it: guest_io_migrate_controllers: \"guest.id == '{self._guest['id']}'\""
                    )
                )
            ),
            before,
            wanted,
            (("type", before, wanted),) if allowed else (),
        )
        return wanted if self._add(None, remark, self._controller_line(scsi)) else before

    def _controller_line(self, disks: list[dict[str, Any]]) -> int | None:
        """Where scsihw is unset, the first disk's line: what shows findings beside a file needs one."""
        line = self._guest["controller"]["line"]
        return disks[0]["line"] if line is None and disks else line

    def _iothread_after(self, disk: dict[str, Any]) -> bool:
        """Whether the disk has an iothread once its controller can give one: configured already, or wanted."""
        configured = (disk["pending"] or disk["configured"])["iothread"]
        return bool(configured) or self._judge.wanted_disk(self._disk_subject(disk))["iothread"] is True

    def _disk_subject(self, disk: dict[str, Any]) -> dict[str, Any]:
        """What selectors see of a disk."""
        location = self._judge._locality.classify(self._guest["node"], disk["storage"])
        return {**self._subject, **disk, "storage": disk["storage"] and {**disk["storage"], "location": location}}

    def _disk(self, disk: dict[str, Any], before: str, after: str) -> None:
        subject = self._disk_subject(disk)
        location = (subject["storage"] or {}).get("location")
        situation = Situation(
            before, after, qemu.may_be_below(self._guest, (9,)), self._guest["id"], self._hold, self._caution
        )
        violated = self._violated
        self._violated = self._excused = False
        for remark in [
            *judge_start.judge(self._guest, disk),
            *judge_disk.judge(disk, self._judge.wanted_disk(subject), situation),
        ]:
            if location == "node":
                own = ", ".join(self._judge._locality.own_servers(self._guest["node"], disk["storage"]))
                remark = remark._replace(
                    message=f"{remark.message}; storage {disk['storage']['id']} is served by this node itself ({own})"
                )
            if remark.changes and self._is_live and (disk["storage"] or {"type": ""})["type"] is None:
                remark = remark._replace(
                    changes=(),
                    hint=f"{remark.hint} Not before its storage is in storage.cfg: qm writes no disk without one.",
                )
            self._add(disk, remark, disk["line"], subject)
        self._verdict.disks.append(
            {
                "key": disk["key"],
                "storage": _storage(disk),
                "compliant": not (self._violated or self._excused),
                "waived": self._excused and not self._violated,
            }
        )
        self._violated = violated or self._violated

    def _add(self, disk: dict[str, Any] | None, remark: Remark, line: int | None, subject: Any = None) -> bool:
        """Record a remark; True where its cure is in the plan or on its way."""
        key = None if disk is None else disk["key"]
        waived = self._judge._waivers.find(remark.rule, subject or self._subject)
        finding = self.finding(remark, key, line)
        finding["waived"] = waived
        finding["fixable"] = waived is None and bool(remark.changes or remark.cured)
        self._verdict.findings.append(finding)
        if waived is not None:
            self._waived = True
            self._excused = self._excused or remark.severity != "note"
            return False
        if remark.severity != "note":
            self._violated = True
        for option, before, after in remark.changes:
            self._verdict.changes.append(
                {"key": key or "controller", "option": option, "before": before, "after": after}
            )
        return finding["fixable"]

    def finding(self, remark: Remark, disk: str | None, line: int | None) -> dict[str, Any]:
        """A finding of docs/data.md about this guest."""
        guest = self._guest
        hint = _HINTS_ELSEWHERE.get(remark.rule, remark.hint) if judge_running.process_only(guest) else remark.hint
        return {
            "rule": remark.rule,
            "severity": remark.severity,
            "host": None,
            "guest": guest["id"],
            "name": guest["name"],
            "node": guest["node"],
            "disk": disk,
            "file": guest["config"],
            "line": line,
            "message": remark.message,
            "hint": hint,
            "actual": remark.actual,
            "wanted": remark.wanted,
            "fixable": False,
            "waived": None,
        }

    def _not_understood(self) -> None:
        rejected = {disk["line"] for disk in self._guest["disks"] if disk["error"]}
        for line in self._guest["unsafe_lines"]:
            if line["line"] not in rejected:
                self._add(
                    None,
                    Remark(
                        "IO100",
                        # The guest starts without that disk, and nobody has judged it.
                        "error" if line["drive"] else "warning",
                        f"line {line['line']} is not understood ({line['reason']}): {line['text']}",
                        "Mend or remove it by hand: Proxmox VE drops it on its next write.",
                        line["text"],
                        None,
                    ),
                    line["line"],
                )
        for remark in judge_start.unknown_keys(self._guest):
            self._add(None, remark, None)
        for said in self._guest["args_disks"]:
            self._add(_disk_of(self._guest, said["disk"]), judge_start.args(said), said["line"])

    def _running(self, judged: list[dict[str, Any]]) -> None:
        """What runs and nobody judged, and IO108 and IO109. Those need a restart and no change, so they are no
        violation of their own.
        """
        found = [*judge_running.waiting(self._guest, judged), *judge_running.drift(self._guest, judged)]
        self._waits = bool(found)
        placed = [
            (disk and disk["key"], disk["line"] if disk else self._controller_line(judged), remark)
            for disk, remark in found
        ]
        for key, remark in judge_running.disagreements(self._guest):
            if remark.rule == "IO100":
                self._add(None, remark, None)
            else:
                placed.append((key, None, remark))
        for key, line, remark in placed:
            waived = self._judge._waivers.find(remark.rule, self._subject)
            self._verdict.findings.append({**self.finding(remark, key, line), "waived": waived})

    def _hold_back(self) -> None:
        guest = self._guest
        if guest["lock"]:
            detail = f"locked ({piece(guest['lock'])}); run again when that has ended"
            self._keep(LOCKED, detail)
            remark = Remark(
                "IO110",
                "warning",
                detail,
                f"If nothing is at work: qm unlock {guest['id']}.",
                piece(guest["lock"]),
                None,
            )
            self._add(None, remark, None)
        elif judge_running.process_only(guest):
            self._keep(
                NO_CONFIG, f"known from its process alone ({guest['hypervisor']}); change it where it is defined"
            )
        elif guest["unsafe_lines"]:
            count = plural(len(guest["unsafe_lines"]), "line")
            first = guest["unsafe_lines"][0]
            self._keep(
                UNSAFE_LINES,
                f"Proxmox VE would drop {count} on a write, the first is line {first['line']}: {first['reason']}",
            )
        elif guest["not_asked"]:
            self._keep(NOT_ASKED, guest["not_asked"])
        elif guest["running"] is False and guest.get("foreign_pending") and not self._judge.apply_foreign_pending:
            self._keep(FOREIGN_PENDING, foreign_pending_detail(some(guest["foreign_pending"])))
        elif offline := self._offline():
            self._keep(
                STORAGE_OFFLINE,
                f"storage {', '.join(some(offline))} is offline, and qm writes no disk on it; run again when it is"
                " back",
            )

    def _offline(self) -> list[str]:
        """The storages of the disks to be written that this node cannot reach; where that was not asked, none."""
        changed = {change["key"] for change in self._verdict.changes}
        storages = [disk["storage"] for disk in self._guest["disks"] if disk["key"] in changed and disk["storage"]]
        return sorted({storage["id"] for storage in storages if storage.get("active") is False})

    def _keep(self, reason: str, detail: str) -> None:
        self._verdict.changes.clear()
        self._verdict.unresolved = (reason, detail)
        for finding in self._verdict.findings:
            finding["fixable"] = False

    def _notes(self) -> None:
        guest, changed = self._guest, bool(self._verdict.changes)
        if guest["snapshots"] and (changed or guest["snapshots_differ"]):
            names = some(guest["snapshots"] if changed else guest["snapshots_differ"])
            self._add(
                None,
                Remark(
                    "IO111",
                    "note",
                    f"a rollback to {', '.join(names)} brings the old settings back",
                    "Harden again after a rollback, or delete the snapshot.",
                    names,
                    None,
                ),
                None,
            )
        if guest["template"] and changed:
            self._add(
                None,
                Remark(
                    "IO112",
                    "note",
                    "a template: guests cloned from now on inherit the change, guests cloned before keep theirs",
                    "Look for its clones among the guests of this report.",
                    True,
                    None,
                ),
                None,
            )

    def _status(self) -> str:
        verdict = self._verdict
        unfixed = [finding for finding in verdict.findings if _unfixed(finding)]
        if unfixed and verdict.unresolved is None:
            worst = min(unfixed, key=lambda finding: SEVERITIES.index(finding["severity"]))
            driver = next((finding for finding in unfixed if finding["rule"] == "IO101"), None)
            if self._hold is not None and any(map(_about_iothread, unfixed)):
                verdict.unresolved = (KNOWN_DEFECT, f"{self._hold.reason}. {self._hold.hint}")
            else:
                verdict.unresolved = (
                    (DRIVER_CHANGE, f"IO101 {driver['message']}") if driver else (NOT_FIXABLE, _sentence(worst))
                )
        if verdict.changes:
            return "to_change"
        if self._violated:
            return "unresolved"
        if self._waits:
            return "restart_pending"
        return "waived" if self._waived else "compliant"


def _disk_of(guest: dict[str, Any], key: str | None) -> dict[str, Any] | None:
    return next((disk for disk in guest["disks"] if disk["key"] == key), None)


def _storage(disk: dict[str, Any]) -> dict[str, Any] | None:
    """A disk's storage in the findings document: null for a path; of a drive that is rejected nothing is known."""
    if disk["error"]:
        return {"id": None, "type": None}
    return disk["storage"] and {"id": disk["storage"]["id"], "type": disk["storage"]["type"]}


def _unfixed(finding: dict[str, Any]) -> bool:
    """True for what violates the policy and this run does not cure. IO108 and IO109 need a restart, no change."""
    return not (
        finding["fixable"]
        or finding["waived"]
        or finding["severity"] == "note"
        or finding["rule"] in ("IO108", "IO109")
    )


def _about_iothread(finding: dict[str, Any]) -> bool:
    return finding["rule"] == "IO101" or (finding["rule"] == "IO102" and finding["disk"].startswith("scsi"))


def _sentence(finding: dict[str, Any]) -> str:
    where = f"{finding['disk']}: " if finding["disk"] else ""
    return f"{finding['rule']} {where}{finding['message']}. {finding['hint']}"
