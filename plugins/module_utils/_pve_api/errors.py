# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What can go wrong with an API. All are OSErrors, and their message is a sentence."""

from __future__ import annotations

#: Statuses of a node that passes a request on to another one and gets no answer from it: it cannot be reached, or does
#: not answer in time (AnyEvent::HTTP; recorded).
NODE_SILENT = (595, 596)


class ApiError(OSError):
    """A request failed: ``status`` is that of HTTP, ``words`` are the API's own."""

    def __init__(self, message: str, status: int | None = None, words: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.words = words or message


class NotUsable(ApiError):
    """No request will succeed: a wrong address, certificate or token."""


class NoAnswer(ApiError):
    """The request was sent, and no answer came: whether it was carried out is not known."""
