# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors

"""What is read of a host, on trees on disk."""

from __future__ import annotations

import json
import os

import pytest

from ansible_collections.hypervisor.io_hardening.plugins.module_utils._host.tree import Tree
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._queues.udev_rules import PATH, edit
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._sysctl.kernel import read_kernel
from ansible_collections.hypervisor.io_hardening.plugins.module_utils._writeback.read import read_facts
from ansible_collections.hypervisor.io_hardening.tests.unit.plugins.module_utils._writeback.host import host_tree

ZZ = "/etc/sysctl.d/99-zz.conf"
LATE = "# keep me\nvm.dirty_ratio = 40\nnet.ipv4.ip_forward = 1"
TUNED = {
    "/etc/tuned/active_profile": "virtual-host\n",
    "/usr/lib/tuned/virtual-host/tuned.conf": "[main]\ninclude=throughput\n[sysctl]\nvm.dirty_background_ratio = 5\n",
    "/usr/lib/tuned/throughput/tuned.conf": "[vm]\ndirty_bytes = 40%\n",
    "/etc/systemd/system/multi-user.target.wants/tuned.service": "-> /lib/systemd/system/tuned.service",
}


def facts(root):
    return read_facts(Tree(str(root)))


def test_links_lead_back_into_the_root(tmp_path):
    root = host_tree(
        tmp_path,
        {
            "/etc/sysctl.d/99-sysctl.conf": "-> /etc/sysctl.conf",
            "/etc/sysctl.conf": "vm.dirty_ratio=9\n",
            "/etc/sysctl.d/98-up.conf": "-> ../../../../../../../../etc/sysctl.conf",
        },
    )
    files = facts(root)["files"]
    assert [(one["path"], one["target"], one["read_at_boot"]) for one in files] == [
        ("/etc/sysctl.d/98-up.conf", "/etc/sysctl.conf", True),
        ("/etc/sysctl.d/99-sysctl.conf", "/etc/sysctl.conf", True),
    ]


def test_masked_files_are_not_read(tmp_path):
    root = host_tree(
        tmp_path,
        {
            "/etc/sysctl.d/50-a.conf": "-> /dev/null",
            "/usr/lib/sysctl.d/50-a.conf": "vm.dirty_ratio=9\n",
            "/run/sysctl.d/60-b.conf": "",
            "/usr/lib/sysctl.d/60-b.conf": "vm.dirty_ratio=9\n",
            "/etc/sysctl.d/65-d.conf": "-> nowhere",
            "/usr/lib/sysctl.d/65-d.conf": "vm.dirty_ratio=9\n",
            "/etc/sysctl.d/70-c.conf": "vm.dirty_ratio=8\n",
            "/usr/local/lib/sysctl.d/70-c.conf": "vm.dirty_ratio=9\n",
        },
    )
    assert [(one["path"], one["masks"]) for one in facts(root)["files"]] == [
        ("/etc/sysctl.d/70-c.conf", ["/usr/local/lib/sysctl.d/70-c.conf"])
    ]


def test_who_reads_which_file(tmp_path):
    root = host_tree(
        tmp_path,
        {
            "/etc/sysctl.conf": "vm.dirty_ratio=9\n",
            "/etc/sysctl.d/10-a.conf": "vm.dirty_ratio=9\n",
            "/run/sysctl.d/10-a.conf": "vm.dirty_ratio=9\n",
            "/etc/sysctl.d/.hidden.conf": "vm.dirty_ratio=9\n",
            "/usr/lib/sysctl.d/20-b.conf": "vm.dirty_ratio=9\n",
        },
    )
    assert [(one["path"], one["read_at_boot"], one["read_by_tuned"]) for one in facts(root)["files"]] == [
        ("/etc/sysctl.d/10-a.conf", True, False),
        ("/usr/lib/sysctl.d/20-b.conf", True, False),
        ("/etc/sysctl.d/.hidden.conf", False, True),
        ("/run/sysctl.d/10-a.conf", False, True),
        ("/etc/sysctl.conf", False, True),
    ]


def test_odd_files_are_problems_and_hide_nothing(tmp_path):
    root = host_tree(tmp_path, {ZZ: LATE, "/etc/sysctl.d/10-loop.conf": "-> 10-loop.conf"})
    os.mkfifo(root / "etc/sysctl.d/20-pipe.conf")
    (root / "etc/sysctl.d/30-directory.conf").mkdir()
    (root / "etc/sysctl.d/40-link.conf").symlink_to("20-pipe.conf")
    (root / "etc/sysctl.d/50-junk.conf").write_bytes(b"\xff\xfe\0vm.dirty_ratio=1\n{{ 1 / 0 }}\nvm.dirty_ratio=7 \n")
    read = facts(root)
    assert [one["path"] for one in read["files"]] == ["/etc/sysctl.d/50-junk.conf", ZZ]
    assert [(one["file"], one["reason"]) for one in read["problems"]] == [
        ("/etc/sysctl.d/10-loop.conf", "Too many levels of symbolic links"),
        ("/etc/sysctl.d/20-pipe.conf", "is not a regular file"),
        ("/etc/sysctl.d/30-directory.conf", "is not a regular file"),
        ("/etc/sysctl.d/40-link.conf", "is not a regular file"),
    ]
    json.dumps(read)


def test_the_machine_s_own_kernel_is_not_read_through_a_tree(tmp_path):
    """A proc that is mounted in the tree is this machine's: its files have no size."""
    tree = Tree("/")
    assert read_kernel(tree) is not None
    tree.live = False
    assert read_kernel(tree) is None


def test_a_profile_of_etc_that_includes_its_namesake(tmp_path):
    own = {"/etc/tuned/virtual-host/tuned.conf": "[main]\ninclude=virtual-host\n[vm]\ndirty_bytes=2%\n"}
    read = facts(host_tree(tmp_path, {**TUNED, **own}))
    assert [(one["key"], one["value"], one["file"]) for one in read["tuned"]["settings"]] == [
        ("dirty_bytes", "2%", "/etc/tuned/virtual-host/tuned.conf"),
        ("dirty_background_ratio", "5", "/usr/lib/tuned/virtual-host/tuned.conf"),
    ]


def test_memory_tuned_and_disks(tmp_path):
    root = host_tree(
        tmp_path,
        {
            **TUNED,
            "/etc/tuned/tuned-main.conf": "daemon = 1\nreapply_sysctl = 0\n",
            "/sys/block/sda/device/x": "x",
            "/sys/block/sda/queue/nr_requests": "128\n",
            "/sys/block/sda/queue/max_sectors_kb": "1280\n",
            "/sys/block/loop0/queue/nr_requests": "128\n",
            "/sys/block/loop0/queue/max_sectors_kb": "1280\n",
        },
    )
    read = facts(root)
    assert read["memory"] == {"total": 8000000 * 1024, "available": 6000000 * 1024}
    queue = {"name": "sda", "nr_requests": 128, "max_sectors_kb": 1280, "queue_bytes": 160 << 20}
    assert read["devices"] == [{**queue, "rotational": None, "images": [], "shortened": False}]
    assert (
        read["tuned"]["profile"],
        read["tuned"]["enabled"],
        read["tuned"]["running"],
        read["tuned"]["reapplies"],
    ) == ("virtual-host", True, None, False)
    assert [(one["key"], one["value"], one["file"]) for one in read["tuned"]["settings"]] == [
        ("dirty_bytes", "40%", "/usr/lib/tuned/throughput/tuned.conf"),
        ("dirty_background_ratio", "5", "/usr/lib/tuned/virtual-host/tuned.conf"),
    ]


def test_a_profile_that_is_missing_is_a_problem(tmp_path):
    root = host_tree(tmp_path, {"/etc/tuned/active_profile": "gone"})
    assert [one["reason"] for one in facts(root)["problems"]] == ["tuned profile gone is not found"]


DIGITS = "1" * 5000


def test_overlong_numbers_are_not_numbers(tmp_path):
    texts = {
        "/proc/meminfo": f"MemTotal: 8000000 kB\nMemFree: {DIGITS} kB\nMemAvailable: {DIGITS} kB\nOdd: ² kB\n",
        "/sys/block/sda/device/x": "x",
        "/sys/block/sda/queue/nr_requests": DIGITS,
        "/sys/block/sda/queue/max_sectors_kb": "1280\n",
        ZZ: f"vm.dirty_ratio = {DIGITS}\nvm.dirty_bytes = 0x{DIGITS}\nvm.dirty_background_bytes = 0{DIGITS}\n",
    }
    root = host_tree(tmp_path, texts)
    read = facts(root)
    assert (read["memory"], read["devices"]) == ({"total": 8000000 * 1024, "available": None}, [])
    (root / "proc/sys/vm/dirty_bytes").write_text(DIGITS)
    assert facts(root)["kernel"] is None


def test_odd_links_and_names_do_not_end_the_run(tmp_path):
    loop = "-> /etc/loop"
    loops = ("/etc/loop", "/etc/systemd/system/multi-user.target.wants", "/sys/block", "/usr/lib/sysctl.d")
    root = host_tree(
        tmp_path, {**{path: text for path, text in TUNED.items() if "wants" not in path}, **dict.fromkeys(loops, loop)}
    )
    (root / "etc/tuned/active_profile").write_bytes(b"a\0b virtual-host " + b"x" * 5000)
    (root / "etc/sysctl.d").mkdir(parents=True)
    read = facts(root)
    problems = {one["file"]: one["reason"] for one in read["problems"]}
    assert (
        problems["/usr/lib/sysctl.d"]
        == problems["/etc/systemd/system/multi-user.target.wants"]
        == "Too many levels of symbolic links"
    )
    assert problems["/etc/tuned/profiles/a\0b/tuned.conf"] == "is not a file's name"
    assert [one["key"] for one in read["tuned"]["settings"]]


def test_endless_includes_of_profiles_end(tmp_path):
    chain = {f"/etc/tuned/p{number}/tuned.conf": f"[main]\ninclude=p{number + 1}\n" for number in range(2000)}
    read = facts(host_tree(tmp_path, {**chain, "/etc/tuned/active_profile": "p0\n"}))
    assert [one["reason"] for one in read["problems"]] == ["tuned profile p32 is not found"]


def test_too_many_lines_that_set_the_limits_are_left_out(tmp_path):
    many = "".join(f"vm.dirty_ratio = {number % 50 + 3}\n" for number in range(501))
    root = host_tree(tmp_path, {"/etc/sysctl.d/10-a.conf": LATE, "/etc/sysctl.d/20-many.conf": many, ZZ: LATE})
    read = facts(root)
    assert [one["path"] for one in read["files"]] == ["/etc/sysctl.d/10-a.conf", ZZ]
    assert [one["file"] for one in read["problems"]] == ["/etc/sysctl.d/20-many.conf"]


def test_a_device_in_place_of_a_file_is_not_opened(tmp_path, monkeypatch):
    root = host_tree(tmp_path)
    os.mkfifo(root / "pipe")
    real = os.open

    def only_looked_at(path, flags, *more, **others):
        assert flags & os.O_PATH
        return real(path, flags, *more, **others)

    monkeypatch.setattr(os, "open", only_looked_at)
    with pytest.raises(OSError, match="is not a regular file"):
        Tree(str(root)).read("/pipe")


def test_a_file_whose_name_is_not_utf8_is_a_problem(tmp_path):
    root = host_tree(tmp_path, {ZZ: LATE})
    for name in (b"10-\xff.conf", b"20-\xfe"):
        with open(os.fsencode(root) + b"/etc/sysctl.d/" + name, "w") as stream:
            stream.write(LATE)
    os.symlink(b"20-\xfe", os.fsencode(root) + b"/etc/sysctl.d/30-link.conf")
    read = facts(root)
    assert [one["path"] for one in read["files"]] == [ZZ]
    assert [one["file"] for one in read["problems"]] == ["/etc/sysctl.d/10-\\xff.conf", "/etc/sysctl.d/30-link.conf"]
    json.dumps(read, ensure_ascii=False).encode("utf-8")


def test_on_a_machine_the_kernel_must_be_there(tmp_path):
    tree = Tree(str(tmp_path))
    tree.live = True
    assert [one["file"] for one in read_facts(tree)["problems"]] == ["/proc/sys/vm", "/proc/meminfo"]


def test_a_disk_under_guests_whose_queue_our_own_rules_shorten(tmp_path):
    rules = edit("", "wwn-0xa", {"nr_requests": "16"}) + edit("", "wwn-0xb", {"max_bytes": "8388608"})
    disks = {
        f"/sys/block/{name}/{key}": text
        for name, number in (("sda", 0), ("sdb", 16))
        for key, text in {
            "dev": f"8:{number}\n",
            "device/x": "x",
            "queue/nr_requests": "16\n",
            "queue/max_sectors_kb": "1280\n",
            "queue/rotational": "1\n",
        }.items()
    }
    root = host_tree(
        tmp_path,
        {
            **disks,
            "/dev/disk/by-id/wwn-0xa": "-> ../../sda",
            "/dev/disk/by-id/wwn-0xb": "-> ../../sdb",
            "/proc/self/mountinfo": "22 1 8:0 / /srv rw - ext4 /dev/sda rw\n",
            "/etc/pve/storage.cfg": "dir: imgs\n\tpath /srv\n\tcontent images\n",
            PATH: rules,
        },
    )
    found = [(one["name"], one["images"], one["shortened"]) for one in facts(root)["devices"]]
    assert found == [("sda", ["imgs"], True), ("sdb", [], False)]
