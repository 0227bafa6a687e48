# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""Waivers in a file of their own, read as data.

People who propose waivers must not be able to run code: a file that Ansible gets with ``-e @`` sets any variable, and
its values are templates. Nor must they read what the controller can read: a link is refused, and errors do not show
the content of a file that does not hold waivers.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Any

try:
    import yaml
except ImportError:  # ansible-core brings it to the controller, the only place where this is called
    yaml = None

from ...module_utils._shown import piece
from ...module_utils._text import visible
from .errors import PolicyError
from .waiver import WAIVER_KEYS

#: Enough for tens of thousands of waivers.
LARGEST = 4 << 20

_DEEPEST = 10
_LONGEST_PATH = 4096


def load(path: str | None) -> tuple[str, Any] | None:
    """The name that errors give to the file's waivers, and the list; None where no file is named.

    An empty file has no waivers. Each value of a waiver is text or a list; ``document.parse`` checks it. Raises
    PolicyError where the file cannot be read or does not hold a list of waivers.
    """
    if not path:
        return None
    # A path is not longer than that; a shorter one is shown whole, to find the file by it.
    place = f"waivers_file {visible(path) if len(path) <= _LONGEST_PATH else piece(path)}"
    found = _parsed(place, _text(place, path))
    if found in (None, ""):
        return place, None
    if not isinstance(found, list):
        raise PolicyError(place, "does not hold a list of waivers")
    for number, waiver in enumerate(found):
        if not isinstance(waiver, dict) or not any(key in WAIVER_KEYS for key in waiver):
            raise PolicyError(f"{place}[{number}]", f"is not a waiver, which has the keys {', '.join(WAIVER_KEYS)}")
    return place, found


def _text(place: str, path: str) -> str:
    try:
        # Opening a pipe would block.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as exc:
        reason = "is a link; give the file itself" if exc.errno == errno.ELOOP else f"cannot be read: {exc.strerror}"
        raise PolicyError(place, reason) from None
    except ValueError:
        raise PolicyError(place, "cannot be read: not a file name") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise PolicyError(place, "is not a regular file")
    with open(descriptor, "rb") as stream:
        try:
            raw = stream.read(LARGEST + 1)
        except OSError as exc:
            raise PolicyError(place, f"cannot be read: {exc.strerror}") from None
    if len(raw) > LARGEST:
        raise PolicyError(place, f"is larger than {LARGEST >> 20} MiB")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise PolicyError(f"{place} line {raw.count(10, 0, exc.start) + 1}", "is not UTF-8") from None


def _parsed(place: str, text: str) -> Any:
    """Lists, dictionaries and text: no value becomes a date, a number or anything else here."""
    try:
        _refuse_unusual(place, text)
        return _constructed(place, _loader()(text))
    except yaml.YAMLError as exc:
        # libyaml's messages are constants; those of the parser in Python quote the file.
        problem = getattr(exc, "problem", None) if yaml.__with_libyaml__ else None
        raise PolicyError(
            _line(place, getattr(exc, "problem_mark", None)), f"is not YAML: {problem}" if problem else "is not YAML"
        ) from None


def _constructed(place: str, loader: Any) -> Any:
    """The content of the one document. YAML itself takes the last value of a repeated key, which may not be meant."""
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        _refuse_repeated(place, root)
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _refuse_repeated(place: str, node: Any) -> None:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_repeated(place, item)
    elif isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    name = f"the key {key.value}" if key.value in WAIVER_KEYS else "a key"
                    raise PolicyError(_line(place, key.start_mark), f"repeats {name}")
                seen.add(key.value)
            _refuse_repeated(place, value)


def _loader() -> Any:
    return yaml.CBaseLoader if yaml.__with_libyaml__ else yaml.BaseLoader


def _refuse_unusual(place: str, text: str) -> None:
    """A few hundred bytes of aliases expand to billions of waivers, and ten thousand nested lists crash the parser."""
    depth = 0
    for event in yaml.parse(text, Loader=_loader()):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise PolicyError(_line(place, event.start_mark), f"is nested deeper than {_DEEPEST} levels")
        if getattr(event, "anchor", None) is not None:
            raise PolicyError(
                _line(place, event.start_mark), "has an anchor or alias (& or *), which a waivers file must not have"
            )
        if getattr(event, "tag", None) is not None:
            raise PolicyError(_line(place, event.start_mark), "has a tag (!), which a waivers file must not have")


def _line(place: str, mark: Any) -> str:
    return place if mark is None else f"{place} line {mark.line + 1}"
