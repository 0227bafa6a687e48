# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""The two ways to libvirt where something is not as it should be: a library, or a virsh, that a test makes up.

test_libvirt_two_ways.py holds both against a real libvirt.
"""

from __future__ import annotations

import os
import re
import types

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends import (
    libvirt_command,
    libvirt_connection,
    libvirt_python,
)
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.libvirt_command import CommandConnection
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.libvirt_connect import connect
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.libvirt_connection import (
    SYSTEM,
    Asked,
    LibvirtError,
)
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._backends.libvirt_python import PythonConnection

WEB, DB = "11111111-2222-4333-8444-555555555501", "11111111-2222-4333-8444-555555555502"


class VirshSays:
    """Runs no virsh: answers each command of a script, and keeps the scripts."""

    def __init__(self, answer=lambda command: ("", ""), status=0):
        self.answer = answer
        self.status = status
        self.calls = []

    def __call__(self, arguments, kept):
        assert arguments[:2] == ["timeout", "-k"] and arguments[4:6] == ["virsh", "--quiet"]
        self.calls.append(arguments)
        out = err = ""
        for command in arguments[-1].split("; "):
            if command.startswith("echo --err "):
                err += f"error: {command[len('echo --err ') :]}\n"
            elif command.startswith("echo "):
                out += command[len("echo ") :]
            else:
                said = self.answer(command)
                out, err = out + said[0], err + said[1]
        return self.status, out, err


def test_every_domain_is_asked_for_in_few_processes_of_bounded_length():
    run = VirshSays(lambda command: (f"<{command[-36:]}>\n", ""))
    way = CommandConnection(SYSTEM, run, 60, False)
    run.calls.clear()
    uuids = [f"11111111-2222-4333-8444-{number:012}" for number in range(3000)]
    found = way.documents([Asked("inactive", uuid) for uuid in uuids])
    assert found == [f"<{uuid}>\n".encode() for uuid in uuids]
    assert 2 <= len(run.calls) <= 6 and max(len(call[-1]) for call in run.calls) < 128 * 1024


def test_what_one_domain_prints_is_never_anothers():
    """A definition may hold anything but the mark, which is another one in each call."""
    text = "<domain>; echo 00; error: no</domain>\n"
    run = VirshSays(lambda command: (text, "") if WEB in command else ("", "error: failed to get domain\n"))
    way = CommandConnection(SYSTEM, run, 60, False)
    web, db = way.documents([Asked("inactive", WEB), Asked("inactive", DB)])
    assert web == text.encode() and str(db) == "failed to get domain"
    way.documents([Asked("inactive", WEB)])
    marks = [re.findall(r"echo ([0-9a-f]{32})", call[-1])[0] for call in run.calls[1:]]
    assert len(set(marks)) == 2


@pytest.mark.parametrize(("status", "words"), [
    (124, "virsh gave no answer within 60 s"),
    (127, "neither python3-libvirt for this module's Python nor the command virsh"),
    (139, "virsh ended with status 139"),
])  # fmt: skip
def test_a_virsh_that_does_not_answer_is_said_in_words(status, words):
    with pytest.raises(LibvirtError, match=words):
        CommandConnection(SYSTEM, lambda arguments, kept: (status, "", ""), 60, False)
    answers = iter([(0, "qemu:///system\n", ""), *[(status, "half", "")] * 2])
    way = CommandConnection(SYSTEM, lambda arguments, kept: next(answers), 60, False)
    assert [str(text) for text in way.documents([Asked("inactive", WEB), Asked("live", DB)])] == [
        str(text) for text in way.documents([Asked("inactive", WEB), Asked("live", DB)])
    ]


def test_an_action_that_warns_and_succeeds_has_succeeded():
    way = CommandConnection(SYSTEM, VirshSays(lambda command: ("", "error: a warning\n")), 60, False)
    way.start(WEB)
    way.define(b"<domain/>")


def test_only_a_uuid_names_a_domain():
    run = VirshSays()
    way = CommandConnection(SYSTEM, run, 60, False)
    run.calls.clear()
    for uuid in ("web", f"{WEB}; destroy {DB}", f"{WEB}\n", ""):
        for ask in (way.start, way.stop, way.shut_down, way.number, lambda uuid: way.documents([Asked("live", uuid)])):
            with pytest.raises(LibvirtError, match="is not the UUID of a domain"):
                ask(uuid)
    assert run.calls == []


def test_a_definition_is_handed_over_in_a_file_of_our_own_that_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(libvirt_command.tempfile, "tempdir", str(tmp_path))
    seen = []

    def answer(command):
        for file in tmp_path.iterdir():
            seen.append((file.read_bytes(), file.stat().st_mode & 0o777))
            assert command == f"define --file {file}"
        return "", ""

    way = CommandConnection(SYSTEM, VirshSays(answer), 60, False)
    way.define(b"<domain>secret</domain>")
    assert seen == [(b"<domain>secret</domain>", 0o600)] and list(tmp_path.iterdir()) == []


def test_it_is_the_definition_that_a_start_is_checked_with(tmp_path, monkeypatch):
    """virsh makes a command line of what a running domain has, where it is given the domain."""
    monkeypatch.setattr(libvirt_command.tempfile, "tempdir", str(tmp_path))
    seen = []

    def answer(command):
        if command.startswith("dumpxml"):
            assert command == f"dumpxml --inactive --security-info --domain {WEB}"
            return "<domain>secret</domain>\n", ""
        for file in tmp_path.iterdir():
            seen.append(file.read_bytes())
            assert command == f"domxml-to-native --format qemu-argv --xml {file}"
        return "", ""

    way = CommandConnection(SYSTEM, VirshSays(answer), 60, False)
    way.check_start(WEB)
    assert seen == [b"<domain>secret</domain>\n"] and list(tmp_path.iterdir()) == []
    gone = CommandConnection(SYSTEM, VirshSays(lambda command: ("", "error: failed to get domain\n")), 60, False)
    with pytest.raises(LibvirtError, match="failed to get domain"):
        gone.check_start(WEB)


class Failed(Exception):
    def get_error_message(self):
        return str(self)


class Library(types.SimpleNamespace):
    """As much of python3-libvirt as a connection uses, with one domain."""

    libvirtError = Failed

    def __init__(self, **more):
        super().__init__(VIR_DOMAIN_XML_INACTIVE=2, VIR_DOMAIN_XML_SECURE=1, done=[], opened=[], **more)
        for number, name in enumerate(("ACTIVE", "TRANSIENT", "MANAGEDSAVE", "HAS_SNAPSHOT")):
            setattr(self, f"VIR_CONNECT_LIST_DOMAINS_{name}", 1 << number)

    def open(self, uri):
        self.opened.append(uri)
        return self

    def openReadOnly(self, uri):
        return self.open(f"{uri} ro")

    def close(self):
        self.opened.clear()

    def listAllDomains(self, flag):
        return [self] if flag in (0, 1, 8) else []

    def listAllSnapshots(self, _flags):
        return [types.SimpleNamespace(getName=lambda name=name: name) for name in ("b", "a")]

    def listAllStoragePools(self, _flags):
        return [types.SimpleNamespace(XMLDesc=lambda flags: "<pool/>"), types.SimpleNamespace(XMLDesc=self._fail)]

    def _fail(self, *_given):
        raise Failed("it is gone")

    def lookupByUUIDString(self, uuid):
        return self if uuid == WEB else self._fail()

    def UUIDString(self):
        return WEB

    def name(self):
        return "web"

    def ID(self):
        return 7 if not self.done else -1

    def XMLDesc(self, flags):
        return f"<domain flags='{flags}'/>"

    def managedSaveGetXMLDesc(self, _flags):
        self._fail()

    def snapshotLookupByName(self, name, _flags):
        return types.SimpleNamespace(getXMLDesc=lambda flags: f"<domainsnapshot name='{name}'/>")

    def defineXML(self, xml):
        self.done.append(xml)

    def domainXMLToNative(self, form, xml, flags):
        self.done.append((form, xml))

    def shutdown(self):
        self.done.append("shutdown")

    def destroy(self):
        self.done.append("destroy")

    def create(self):
        self._fail()


def test_python3_libvirt_is_asked_over_one_connection():
    library = Library()
    way = PythonConnection(library, SYSTEM, False)
    assert way.domains() == [libvirt_connection.Domain(WEB, "web", True, True, False, ("a", "b"))]
    kinds = [Asked("inactive", WEB), Asked("secure", WEB), Asked("live", WEB), Asked("snapshot", WEB, "a")]
    assert way.documents(kinds) == [
        b"<domain flags='2'/>",
        b"<domain flags='3'/>",
        b"<domain flags='0'/>",
        b"<domainsnapshot name='a'/>",
    ]
    failed = way.documents([Asked("saved", WEB), Asked("inactive", DB)])
    assert [str(one) for one in failed] == ["it is gone"] * 2
    assert way.pools() == [b"<pool/>"] and way.number(WEB) == 7
    way.define(b"<domain/>")
    way.check_start(WEB)
    way.shut_down(WEB)
    way.stop(WEB)
    made = ("qemu-argv", "<domain flags='3'/>")
    assert library.done == ["<domain/>", made, "shutdown", "destroy"] and way.number(WEB) is None
    with pytest.raises(LibvirtError, match="it is gone"):
        way.start(WEB)
    assert library.opened == [SYSTEM]
    way.close()
    assert library.opened == [] and PythonConnection(library, SYSTEM, True).read_only
    assert library.opened == [f"{SYSTEM} ro"]


def test_the_library_is_taken_where_this_python_has_it_and_prints_nothing(monkeypatch):
    handlers = []
    found = Library(registerErrorHandler=lambda handler, context: handlers.append(handler))
    monkeypatch.setattr(libvirt_python.importlib, "import_module", lambda name: found)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert type(connect(SYSTEM, VirshSays())).__name__ == "PythonConnection"
    assert handlers[0](None, ("an error",)) is None

    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(libvirt_python.importlib, "import_module", absent)
    assert type(connect(SYSTEM, VirshSays())).__name__ == "CommandConnection"


def test_a_user_who_may_only_read_gets_a_connection_that_reads(monkeypatch):
    def run(arguments, kept):
        if "--readonly" in arguments:
            return 0, "", ""
        return 1, "", "error: failed to connect to the hypervisor\nerror: authentication unavailable\n"

    monkeypatch.setattr(libvirt_python, "library", lambda: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert connect(SYSTEM, run).read_only
    with pytest.raises(LibvirtError, match="session: failed to connect to the hypervisor: authentication unavailable"):
        connect("qemu:///session", run)
    with pytest.raises(LibvirtError, match="gives no connection to qemu:///system: no polkit; this is user .*--become"):
        connect(SYSTEM, lambda arguments, kept: (1, "", "error: no polkit\n"))
