# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What a call of the API fails with."""

from __future__ import annotations

from collections.abc import Mapping

VERIFICATION = "Parameter verification failed.\n"


class ApiError(Exception):
    """A status, its message (the first line becomes the reason in the status line), and errors by parameter.

    The body is ``{"data": null, "message": …, "errors": …}``, or empty where ``body`` says so.
    """

    def __init__(self, status: int, message: str, errors: Mapping[str, str] | None = None, body: bool = True) -> None:
        super().__init__(f"{status} {message.strip()}")
        self.status, self.message, self.errors, self.body = status, message, errors, body


def denied(path: str, privileges: list[str]) -> ApiError:
    """One of these privileges is missing on this path."""
    return ApiError(403, f"Permission check failed ({path}, {'|'.join(privileges)})\n")
