# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""How the playbook of this run was called: the command line as Ansible keeps it, the Makefile, or AWX."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import yaml
from ansible import constants as C
from ansible import context
from ansible.errors import AnsibleError
from ansible.parsing.splitter import parse_kv
from ansible.utils.path import unfrackpath

from ._asked.commands import Call, variable
from ._asked.specs import PREFIXES
from ._asked.variables import NAME_GUESTS

#: What the Makefile sets to tell that it called.
MADE = "IO_HARDENING_CALLED_BY_MAKE"

_COLLECTION = "hypervisor.io_hardening.{}"
# Options that the next playbook needs as well: key in CLIARGS, word, and the setting that it defaults to.
_FLAGS = (
    ("become", "-b", "DEFAULT_BECOME"),
    ("become_ask_pass", "-K", "DEFAULT_BECOME_ASK_PASS"),
    ("ask_pass", "-k", "DEFAULT_ASK_PASS"),
    ("ask_vault_pass", "--ask-vault-pass", "DEFAULT_ASK_VAULT_PASS"),
)
_VALUES = (
    ("remote_user", "-u", "DEFAULT_REMOTE_USER"),
    ("connection", "-c", "DEFAULT_TRANSPORT"),
    ("private_key_file", "--private-key", "DEFAULT_PRIVATE_KEY_FILE"),
    ("ssh_common_args", "--ssh-common-args", None),
    ("ssh_extra_args", "--ssh-extra-args", None),
    ("become_method", "--become-method", "DEFAULT_BECOME_METHOD"),
    ("become_user", "--become-user", None),
    ("become_password_file", "--become-password-file", "BECOME_PASSWORD_FILE"),
    ("connection_password_file", "--connection-password-file", "CONNECTION_PASSWORD_FILE"),
    ("vault_ids", "--vault-id", None),
    ("vault_password_files", "--vault-password-file", None),
)
#: Extra variables that the next playbook needs as well: they say where the guests are, and how the hosts are reached.
#: Others are not shown again, because their values may be secret.
PLACES = (
    "guest_io_hypervisor",
    "guest_io_journal",
    "guest_io_libvirt_uris",
    "guest_io_node",
    "guest_io_root",
    "host_writeback_root",
    "io_hardening_hosts",
    "io_host_root",
    "ansible_become",
    "ansible_become_method",
    "ansible_become_user",
    "ansible_connection",
    "ansible_host",
    "ansible_port",
    "ansible_python_interpreter",
    "ansible_ssh_common_args",
    "ansible_ssh_private_key_file",
    "ansible_user",
)
# The variables that decide what a hardening changes, and what it writes: one that was checked is done with the same.
_OF_HARDENING = ("guest_io_", "harden_io_", "host_writeback_", "io_host_", "io_load_", "report_")
# The name of one run is not the next one's.
_OF_ONE_RUN = ("guest_io_run",)
_JOB_ENDINGS = (
    " gate, sliced",
    " gate, join",
    " harden, check",
    " harden",
    " gate",
    " audit",
    " roll back",
    " restart",
)


def called(variables: Mapping[str, Any]) -> Call:
    """The call of this run; ``variables`` are a task's."""
    if "awx_job_id" in variables or "tower_job_id" in variables:
        return Call(way="job", jobs=_jobs(str(variables.get("awx_job_template_name") or "")))
    given = context.CLIARGS
    extra, hardening, left_out = _extra(given.get("extra_vars") or ())
    return Call(
        way="make" if os.environ.get(MADE) else "ansible",
        playbook=_neighbours(given.get("args") or ()),
        inventory=_inventory(given.get("inventory") or ()),
        limit=given.get("subset") or None,
        options=[*_options(given), *extra],
        hardening=[*_tags(given), *hardening],
        left_out=left_out,
    )


def _jobs(template: str) -> str:
    """What the names of the job templates begin with; "" where this one has another name than setup_awx.yml gives."""
    ending = next((ending for ending in _JOB_ENDINGS if template.endswith(ending)), None)
    return f"{template.removesuffix(ending)} " if ending else ""


def _neighbours(playbooks: Iterable[str]) -> str:
    """The playbooks are called by path where the one that was called has them next to it."""
    for playbook in playbooks:
        folder = os.path.dirname(playbook)
        if os.path.isfile(playbook) and os.path.isfile(os.path.join(folder, "rollback_io.yml")):
            return os.path.join(folder, "{}.yml")
    return _COLLECTION


def _inventory(sources: Iterable[str]) -> list[str]:
    sources = list(sources)
    return [] if sources == list(C.DEFAULT_HOST_LIST) else [_near(source) for source in sources]


def _near(path: str) -> str:
    """A path below the working directory as a relative one, as it was probably typed."""
    if not os.path.isabs(path) or "," in path:
        return path
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative


def _options(given: Mapping[str, Any]) -> list[str]:
    words = [word for key, word, default in _FLAGS if given.get(key) and not getattr(C, default, False)]
    for key, word, default in _VALUES:
        value = given.get(key)
        if value and value != (getattr(C, default, None) if default else None):
            each = value if isinstance(value, (list, tuple)) else [value]
            words += [part for one in each for part in (word, _near(str(one)))]
    return words


def _tags(given: Mapping[str, Any]) -> list[str]:
    """The tags of a hardening; the other playbooks have none."""
    tags = [tag for tag in given.get("tags") or () if tag != "all"]
    skipped = list(given.get("skip_tags") or ())
    return [*(["--tags", ",".join(tags)] if tags else []), *(["--skip-tags", ",".join(skipped)] if skipped else [])]


def _extra(texts: Iterable[str]) -> tuple[list[str], list[str], list[str]]:
    """The words that give the variables of ``PLACES`` and the files again, those of a hardening, and the names of
    variables of others.

    The collection's own others are about this run, or the next playbook has its own. Of a file that names guests to
    this playbook, which another playbook refuses, that one gets the variables that it would get if they were not in a
    file.
    """
    words: list[str] = []
    hardening: list[str] = []
    others: dict[str, None] = {}
    for text in texts:
        is_file = text.startswith("@")
        given = _file(text[1:]) if is_file else _given(text)
        if is_file:
            file = ["-e", f"@{_near(text[1:])}"]
            if not set(NAME_GUESTS) & set(given):
                words += file
                continue
            hardening += file
        for name, again in given.items():
            if name in PLACES:
                words += ["-e", again]
            elif name.startswith(_OF_HARDENING) and name not in _OF_ONE_RUN:
                hardening += [] if is_file else ["-e", again]
            elif not name.startswith(PREFIXES):
                others[name] = None
    return words, hardening, list(others)


def _file(path: str) -> dict[str, str]:
    """The same of a file; nothing of one that is encrypted."""
    try:
        with open(unfrackpath(path, follow=False), encoding="utf-8") as stream:
            return _of_yaml(stream.read())
    except (OSError, UnicodeDecodeError):
        return {}


def _given(text: str) -> dict[str, str]:
    """The variables in what is given with -e, each with the word that gives it again. Ansible has refused what it
    cannot read.
    """
    if text[:1] in ("{", "["):
        return _of_yaml(text)
    try:
        return {name: variable(name, value) for name, value in parse_kv(text).items()}
    except AnsibleError:
        return {}


def _of_yaml(text: str) -> dict[str, str]:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return {}
    pairs = root.value if isinstance(root, yaml.MappingNode) else ()
    return {str(key.value): _again(key, value) for key, value in pairs}


def _again(name: yaml.Node, value: yaml.Node) -> str:
    pair = yaml.MappingNode("tag:yaml.org,2002:map", [(name, value)], flow_style=True)
    text = yaml.serialize(pair, Dumper=yaml.SafeDumper, width=sys.maxsize, allow_unicode=True).rstrip("\n")
    try:
        plain = yaml.safe_load(text)[name.value]
        return variable(name.value, plain) if isinstance(plain, str) else json.dumps({name.value: plain})
    except (KeyError, TypeError, ValueError, yaml.YAMLError):
        # A tag of Ansible's own, such as !unsafe, or what JSON does not have, such as a date.
        return text
