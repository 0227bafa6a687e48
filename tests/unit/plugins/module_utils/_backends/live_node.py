# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""A live node for tests: guests of the ``qm`` stand-in, in a tree that counts as the host itself."""

from __future__ import annotations

DISK = "local:{id}/vm-{id}-disk-0.qcow2,backup=0,discard=on,serial=a%20b,size=32G,ssd=1"
GUEST = "# owner%3A ops\nboot: order=scsi0\nmemory: 512\nname: web{id}\nscsi0: " + DISK + "\nscsihw: virtio-scsi-pci\n"


def put(host, guest, text=GUEST, running=False):
    host.config(guest).write_text(text.replace("{id}", str(guest)))
    if running:
        assert host.run("qm", "start", str(guest)).returncode == 0
    host.log.unlink(missing_ok=True)


def runner(host):
    """The modules' command, with the stand-in for qm and pvesm."""

    def run(arguments):
        assert arguments[:2] == ["timeout", "-k"] and arguments[4] in ("qm", "pvesm")
        done = host.run(*arguments[4:])
        return done.returncode, done.stdout, done.stderr

    return run


def runner_but(host, verb, happens):
    """The same, with ``happens(words)`` in place of the calls of ``qm VERB``; words are the verb and what follows."""
    run = runner(host)
    return lambda arguments: happens(arguments[5:]) if arguments[4:6] == ["qm", verb] else run(arguments)
