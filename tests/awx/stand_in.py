# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""As much of AWX's API as the modules of awx.awx 24.6.1 need to set up a project: in memory, on a port of 127.0.0.1.

It knows objects, the lists that they are in, and what AWX answers to a request that it accepts. It checks no value and
runs no job: that AWX accepts what is sent, only AWX can show.
"""

from __future__ import annotations

import itertools
import json
import threading
import urllib.parse
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

TOKEN = "a-token"
#: List to the type of what is in it; these are also found in the list of all templates.
TEMPLATES = {
    "projects": "project",
    "inventory_sources": "inventory_source",
    "job_templates": "job_template",
    "workflow_job_templates": "workflow_job_template",
    "workflow_approval_templates": "workflow_approval_template",
}
TYPES = {
    **TEMPLATES,
    "organizations": "organization",
    "credentials": "credential",
    "execution_environments": "execution_environment",
    "inventories": "inventory",
    "notification_templates": "notification_template",
    "schedules": "schedule",
    "workflow_job_template_nodes": "workflow_job_template_node",
    "jobs": "job",
}
#: What an approval's template keeps of what the module sends to it.
OF_APPROVALS = ("name", "description", "timeout")


class Answer(NamedTuple):
    status: int
    body: object = None


class Awx:
    """The objects of a controller, and the requests that wrote."""

    def __init__(self, prefix="/api/"):
        self.prefix = prefix + "v2/"
        self.objects = {name: {} for name in TYPES}
        self.associations = {}
        self.surveys = {}
        self.writes = []
        self._ids = itertools.count(1)

    def add(self, kind, /, **fields):
        """A new object as the API shows it; null is shown as AWX's models keep it, as empty text."""
        number = next(self._ids)
        path = f"{self.prefix}{kind}/{number}/"
        related = {"survey_spec": f"{path}survey_spec/"}
        fields = {name: "" if value is None else value for name, value in fields.items()}
        shown = {"id": number, "type": TYPES[kind], "url": path, "related": related, "summary_fields": {}}
        self.objects[kind][number] = {"scm_revision": "", **fields, **shown}
        return self.objects[kind][number]

    def named(self, kind, name):
        return next(found for found in self.objects[kind].values() if found.get("name") == name)

    def names(self, kind):
        return sorted(found["name"] for found in self.objects[kind].values())

    def associated(self, kind, name, what):
        """The names or identifiers of what an object is associated with."""
        found = next(one for one in self.objects[kind].values() if name in (one.get("name"), one.get("identifier")))
        everything = {number: one for objects in self.objects.values() for number, one in objects.items()}
        ids = self.associations.get((kind, found["id"], what), [])
        return [everything[number].get("name") or everything[number]["identifier"] for number in ids]

    def answer(self, method, path, query, data):
        if not path.startswith(self.prefix):
            return Answer(404, {"detail": "Not found."})
        kind, *rest = path.removeprefix(self.prefix).strip("/").split("/")
        if method != "GET":
            self.writes.append((method, path.removeprefix(self.prefix), data))
        if kind == "unified_job_templates":
            return self._list([one for name in TEMPLATES for one in self.objects[name].values()], query)
        if not rest:
            return self._all(method, kind, query, data)
        found = self.objects[kind].get(int(rest[0])) if rest[0].isdigit() else None
        if found is None:
            return Answer(404, {"detail": "Not found."})
        if rest[1:]:
            return self._below(method, kind, found, rest[1], data)
        if method == "PATCH":
            kept = OF_APPROVALS if kind == "workflow_approval_templates" else data
            found.update({name: "" if data[name] is None else data[name] for name in kept if name in data})
        elif method == "DELETE":
            del self.objects[kind][found["id"]]
            return Answer(204)
        return Answer(200, found)

    def _all(self, method, kind, query, data):
        return (
            Answer(201, self.add(kind, **data)) if method == "POST" else self._list(self.objects[kind].values(), query)
        )

    @staticmethod
    def _list(objects, query):
        either = {name.removeprefix("or__"): value for name, value in query.items() if name.startswith("or__")}
        every = {name: value for name, value in query.items() if not name.startswith("or__")}
        results = [
            one
            for one in objects
            if all(str(one.get(name)) == value for name, value in every.items())
            and (not either or any(str(one.get(name)) == value for name, value in either.items()))
        ]
        return Answer(200, {"count": len(results), "next": None, "previous": None, "results": results})

    def _below(self, method, kind, found, name, data):
        if name == "survey_spec":
            if method == "POST":
                self.surveys[kind, found["id"]] = data
            return Answer(200, self.surveys.get((kind, found["id"]), {}))
        if name == "create_approval_template":
            made = self.add("workflow_approval_templates", **{key: data[key] for key in OF_APPROVALS if key in data})
            found["unified_job_template"] = made["id"]
            found["related"]["unified_job_template"] = made["url"]
            return Answer(201, made)
        ids = self.associations.setdefault((kind, found["id"], name), [])
        if method == "GET":
            return Answer(200, {"count": len(ids), "next": None, "results": [{"id": number} for number in ids]})
        ids.remove(data["id"]) if data.get("disassociate") else ids.append(data["id"])
        return Answer(204)


@contextmanager
def serving(awx):
    """The address at which ``awx`` answers."""

    class Handler(BaseHTTPRequestHandler):
        def _do(self):
            url = urllib.parse.urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            data = json.loads(self.rfile.read(length) or b"{}")
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                answer = Answer(401, {"detail": "Authentication credentials were not provided."})
            else:
                answer = awx.answer(self.command, url.path, dict(urllib.parse.parse_qsl(url.query)), data)
            body = b"" if answer.body is None else json.dumps(answer.body).encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_DELETE = _do

        def log_message(self, *_arguments):
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
