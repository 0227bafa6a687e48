# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What to do after a run, as steps with text that is ready to be pasted. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict

from ...module_utils._text import plural, visible
from .._asked.commands import Call, command
from .._fleet.document import Document, Item, guest_key, hosts_of, of_directory, silent_hosts
from .._fleet.failures import unread
from .._fleet.operations import NOT_REACHED, Done, answered, restarted, rolled_back
from .._fleet.outcome import outcomes
from .._policy.literal import literal
from .._policy.rules import OWN_WAY_BACK
from .text import location, short

#: How many ids one command names, by how it is given: a terminal takes a line of 4,095 bytes where no shell edits it,
#: and the survey of the job an answer of 1,024 characters.
MOST_IDS = {"ansible": 300, "make": 300, "job": 125}


class Step(TypedDict):
    """One thing to do.

    ``kind``: again (run the same again), harden, source (of a directory of configs), paste (into the resource of a
    plan), restart, rollback, limits (take the write-back limits back), look (audit), page. ``title``: what the step
    does, a sentence without a full stop. ``guests``: the ids it is about, empty where it is not about some guests.
    ``text``: what to paste; null where there is nothing to paste.
    """

    kind: str
    title: str
    guests: list[str]
    text: str | None


def next_steps(
    document: Document, run: str | None, call: Call, check: bool = False, page: str | None = None
) -> list[Step]:
    """The steps after a run of the hardening, or after an audit or a gate; in the order in which they are done.

    document: a findings document; one with ``results`` is of a hardening.
    run: the name under which the journal knows the run; None where no guest was written.
    call: how the run's playbook was called.
    check: it was a check run.
    page: the path of the HTML report, where one was written.
    """
    entries = outcomes(document, check)
    hardened = "results" in document and not check
    steps = _again(document, entries, call, hardened)
    steps += [] if hardened else _harden(document, entries, call)
    if not check:
        steps += restart_steps(_waiting(document, entries), call)
    if hardened:
        steps += rollback_steps(run, [entry["guest"] for entry in entries if entry["changed"]], call)
        steps += _limits(document, call)
    return steps + ([_step("page", "Open the page", text=page)] if page else [])


def without(names: Sequence[str]) -> str:
    """A sentence about the extra variables that the steps' commands lack."""
    return f"Give these extra variables again, which the commands leave out: {', '.join(map(short, names))}"


def _step(kind: str, title: str, guests: Iterable[str] = (), text: str | None = None) -> Step:
    return {"kind": kind, "title": title, "guests": list(dict.fromkeys(map(visible, guests))), "text": text}


def _again(document: Document, entries: Sequence[Item], call: Call, hardened: bool) -> list[Step]:
    """What was not done or not read, and that a second run does it."""
    failed = [entry["guest"] for entry in entries if entry["state"] == "failed"]
    silent, problems = silent_hosts(document), unread(document)
    not_read = [problem for problem in problems if problem["guest"] or problem["file"]]
    of_hosts = {problem["host"] for problem in problems if problem not in not_read}
    parts = [plural(len(failed), "guest failed", "guests failed")] if failed else []
    parts += [plural(len(not_read), "config was not read", "configs were not read")] if not_read else []
    parts += [plural(len(of_hosts), "host was read only in part", "hosts were read only in part")] if of_hosts else []
    parts += [plural(len(silent), "host gave no report", "hosts gave no report")] if silent else []
    if not parts:
        return []
    what = "harden" if hardened else "gate" if "gate" in document else "audit"
    title = f"Mend the cause and run again ({', '.join(parts)})"
    title += "; what is done stays, and the rest is done then" if hardened else ""
    return [_step("again", title, failed, None if of_directory(document) else command(call, what))]


def _harden(document: Document, entries: Sequence[Item], call: Call) -> list[Step]:
    """What a run would change; in a directory of configs, what somebody changes at its source."""
    guests = [entry["guest"] for entry in entries if entry["state"] == "to_change" or entry["changed"]]
    hosts = [host for host in hosts_of(document) if any(map(_is_to_change, host.get("assessments") or ()))]
    if of_directory(document):
        return _at_source(document, guests)
    if not (guests or hosts):
        return []
    what = [plural(len(guests), "guest")] if guests else []
    what += [f"the settings of {plural(len(hosts), 'host')}"] if hosts else []
    return [_step("harden", f"Change {' and '.join(what)}; it restarts nothing", guests, command(call, "harden"))]


def _at_source(document: Document, guests: Sequence[str]) -> list[Step]:
    """What is to be written in the resources of plans, which configs are to be changed where they come from, and that a
    node has settings to change.
    """
    places = {guest_key(one): location(one) for one in document["findings"] if one["line"] is not None}
    steps = [
        _step("paste", _set_in(guest, places.get(guest_key(guest))), [guest["guest"]], guest["paste"])
        for guest in document["guests"]
        if guest.get("paste")
    ]
    pasted = {guest["guest"] for guest in document["guests"] if guest.get("paste")}
    left = [guest for guest in guests if guest not in pasted]
    if left:
        where = "where the configs come from; no run writes to a directory"
        steps.append(_step("source", f"Change {plural(len(left), 'guest')} {where}", left))
    of_hosts = sum(one["guest"] is None and one["fixable"] for one in document["findings"])
    if of_hosts:
        what = f"the policy names other values in {plural(of_hosts, 'finding')}"
        steps.append(
            _step("source", f"Harden the node that these files are from: {what}; no run writes to a directory")
        )
    return steps


def _set_in(guest: Item, place: str | None) -> str:
    """The blocks to paste name disks that are there: they are set, not added."""
    return f"Set in {visible(guest['guest'])}" + (f" ({place})" if place else "")


def _is_to_change(found: Item) -> bool:
    return found.get("status") == "to_change" or bool(found.get("changed"))


def _waiting(document: Document, entries: Sequence[Item]) -> list[dict[str, Any]]:
    running = {guest_key(guest): guest.get("running") for guest in document["guests"]}
    return [
        {
            "host": entry["host"],
            "guest": entry["guest"],
            "node": entry["node"],
            "running": running.get(guest_key(entry)),
        }
        for entry in entries
        if entry["restart_pending"]
    ]


def restart_steps(waiting: Sequence[Item], call: Call) -> list[Step]:
    """How exactly the guests that wait are restarted; each of them is {host, guest, node, running}.

    A guest that does not run takes its changes when it is started.
    """
    steps = []
    run = [guest for guest in waiting if guest["running"]]
    unknown = [guest["guest"] for guest in waiting if guest["running"] is None]
    for limit, guests in _portions(run, MOST_IDS[call.way]):
        of_host = f" of {visible(limit)}" if limit else ""
        title = f"Restart the {_those_that_wait(guests)}{of_host}"
        ids = [guest["guest"] for guest in guests]
        if call.way == "job":
            job = command(call, "restart")
            title += f": launch {visible(job)}{', limited to ' + visible(limit) if limit else ''}, with this selector"
            steps.append(_step("restart", title, ids, selector(guests)))
        else:
            steps.append(_step("restart", title, ids, command(call, "restart", selector(guests), limit)))
    if unknown:
        title = "Whether these guests run is not known here: restart those that do, on their node"
        steps.append(_step("restart", title, unknown))
    return steps


def _those_that_wait(guests: Sequence[Item]) -> str:
    return "guest that waits" if len(guests) == 1 else f"{len(guests)} guests that wait"


def _portions(guests: Sequence[Item], most: int) -> list[tuple[str | None, list[Item]]]:
    """All guests in one command, or those of each host in one of its own; each with the host, None for all."""
    if len(guests) <= most:
        return [(None, list(guests))] if guests else []
    by_host: dict[str | None, list[Item]] = {}
    for guest in guests:
        by_host.setdefault(guest["host"], []).append(guest)
    return list(by_host.items())


def selector(guests: Iterable[Item]) -> str:
    """The JMESPath expression that matches exactly these guests, without blanks.

    By id; by node too where an id is on several; by address in a plan.
    """
    addresses: dict[str, None] = {}
    nodes: dict[str, set[Any]] = {}
    for guest in guests:
        if guest.get("address"):
            addresses[guest["address"]] = None
        else:
            nodes.setdefault(guest["guest"], set()).add(guest["node"])
    anywhere = [number for number, of_guest in nodes.items() if len(of_guest) == 1]
    parts = [_one_of(anywhere)] if anywhere else []
    by_node: dict[Any, list[str]] = {}
    for number, of_guest in nodes.items():
        for node in sorted(of_guest if len(of_guest) > 1 else (), key=str):
            by_node.setdefault(node, []).append(number)
    parts += [f"guest.node=={literal(node)}&&{_one_of(ids)}" for node, ids in by_node.items()]
    parts += [_one_of(list(addresses), "guest.address")] if addresses else []
    return "||".join(parts)


def _one_of(values: Sequence[str], of: str = "guest.id") -> str:
    return f"{of}=={literal(values[0])}" if len(values) == 1 else f"contains([{','.join(map(literal, values))}],{of})"


def rollback_steps(run: str | None, guests: Iterable[str], call: Call) -> list[Step]:
    """How the run is rolled back; nothing where it wrote nothing."""
    if run is None:
        return []
    title = f"Roll back this run, {visible(run)}"
    if call.way == "job":
        return [_step("rollback", f"{title}: launch {visible(command(call, 'rollback'))} with its name", guests, run)]
    return [_step("rollback", title, guests, command(call, "rollback", run))]


def proof_steps(guest: str | None, call: Call) -> list[Step]:
    """After a measurement, of the disk of a guest or of none: make the guest so, or look at the guests there."""
    if guest is None:
        return [_step("look", "Look at the guests of these hosts", text=command(call, "audit"))]
    return [_step("harden", f"Change guest {visible(guest)} as measured", [guest], command(call, "harden", guest))]


def _limits(document: Document, call: Call) -> list[Step]:
    """The hosts' write-back limits are not in the journal: they have a way back of their own."""
    assessed = [found for host in hosts_of(document) for found in host.get("assessments") or ()]
    changed = [
        found
        for found in assessed
        if found["subject"] in OWN_WAY_BACK and found.get("changed") and found.get("status") != "taken_back"
    ]
    if not changed or call.way == "job":
        return []
    title = f"Take back the limits of {plural(len(changed), 'host')}"
    return [_step("limits", title, text=command(call, "limits"))]


def restarts_steps(done: Done, call: Call, check: bool = False) -> list[Step]:
    """After restarts: those that still wait, another look, and the way back."""
    left = ("restarted", "failed", NOT_REACHED) if check else ("failed", NOT_REACHED)
    waiting = [{**guest, "running": True} for guest in restarted(done) if guest["status"] in left]
    steps = restart_steps(waiting, call)
    if check:
        return steps
    steps.append(_step("look", "Look again", text=command(call, "audit")))
    if any(guest["status"] == "restarted" for guest in restarted(done)):
        # The last run may have changed other guests: a command without the run's name would put those back.
        title = "Where a guest has trouble, roll back the run that changed it: the end of that run has the command"
        steps.append(_step("rollback", title))
    return steps


def rollbacks_steps(done: Done, run: str | None, call: Call, check: bool = False) -> list[Step]:
    """After a rollback: what was not put back, who waits, and the way back; ``run`` is the rollback's own name."""
    guests = rolled_back(done)
    name = next((found["rollback"]["run"] for found in answered(done, "rollback").values()), None)
    changed = [guest for guest in guests if guest["status"] == "changed"]
    settings = [one["status"] for found in answered(done, "rollback").values() for one in found.get("settings") or ()]
    if check:
        what = _guests_and_objects(len(changed), settings.count("changed"))
        title = f"Put back {what}; it restarts nothing"
        return [_step("rollback", title, _ids(changed), command(call, "rollback", name))] if what else []
    failed = [guest for guest in guests if guest["status"] in ("failed", NOT_REACHED)]
    kept = [guest for guest in failed if guest.get("reason") == "would_not_start"]
    failed = [guest for guest in failed if guest not in kept]
    steps = []
    if kept:
        title = "Leave these as they are: with what they had before the run they would not start"
        steps.append(_step("source", title, _ids(kept)))
    if failed or "failed" in settings:
        what = _guests_and_objects(len(failed), settings.count("failed"))
        title = f"Mend the cause and roll back again ({what}); what is put back stays so"
        steps.append(_step("again", title, _ids(failed), command(call, "rollback", name)))
    steps += restart_steps([guest for guest in changed if guest["restart_pending"]], call)
    if (changed or "changed" in settings) and run:
        title = f"Undo this rollback, {visible(run)}"
        steps.append(_step("rollback", title, _ids(changed), command(call, "rollback", run)))
    return steps


def _guests_and_objects(guests: int, objects: int) -> str:
    """How many guests, and how many objects of hosts; "" for none."""
    parts = [plural(guests, "guest")] if guests else []
    parts += [plural(objects, "object of hosts", "objects of hosts")] if objects else []
    return " and ".join(parts)


def _ids(guests: Iterable[Item]) -> list[str]:
    return [guest["guest"] for guest in guests]
