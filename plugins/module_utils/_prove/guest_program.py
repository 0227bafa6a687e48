# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, the hypervisor.io_hardening contributors
"""The program of the tiny guest: its init, in Perl.

perl-base is an essential package on Debian and Proxmox VE: it is always installed, one binary and its libraries, and
its builtin syscall() does what a shell cannot (modules, O_DIRECT on aligned memory, real-time priority). No Perl module
is loaded.

The numbers are Linux' system calls on x86-64 (arch/x86/entry/syscalls/syscall_64.tbl).

It writes lines to its second serial port:
  ``ready DISK SECTORS`` or ``fail REASON``; it then waits for ``go SECONDS WRITERS READERS RESETS``;
  one ``.`` per heartbeat while it measures; then
  ``end BEATS WINDOW_NS LONGEST_NS READS WRITES LONGEST_WRITE_NS``, ``gap START_NS LENGTH_NS`` for each gap over
  20 ms, and ``done``. Times are the guest's own monotonic clock.

A heartbeat deliberately uses a device that QEMU emulates, the serial port. A virtual processor that only computes never
needs QEMU's main lock and does not notice the freeze; a real guest, with its timers, console and interrupts, does.
"""

from __future__ import annotations

PROGRAM = r"""#!/usr/bin/perl

my ($none, $dev, $proc, $sysfs) = ("none", "devtmpfs", "proc", "sysfs");
my ($on_dev, $on_proc, $on_sys) = ("/dev", "/proc", "/sys");
mkdir $_ for $on_dev, $on_proc, $on_sys;
syscall(165, $none, $on_dev, $dev, 0, 0);
syscall(165, $none, $on_proc, $proc, 0, 0);
syscall(165, $none, $on_sys, $sysfs, 0, 0);

sysopen(my $port, "/dev/ttyS1", 02 | 04000 | 0400) or die "no second serial port: $!\n";
my $raw = pack("L4 C C19 x8", 0, 0, 0010002 | 0000060 | 0000200 | 0004000, 0, 0, (0) x 19);
ioctl($port, 0x5402, $raw) or die "cannot set the serial port: $!\n";

sub send_text {
    my $text = shift;
    while (length $text) {
        my $sent = syswrite($port, $text);
        if (defined $sent) { substr($text, 0, $sent) = ""; next }
        select(undef, undef, undef, 0.001);
    }
}

sub halt { send_text("fail @_\n"); sleep 3600 while 1 }

sub hear {
    my ($line, $char) = ("", "");
    while (1) {
        if (sysread($port, $char, 1)) {
            return $line if $char eq "\n";
            $line .= $char;
            next;
        }
        select(undef, undef, undef, 0.005);
    }
}

my $clock = "\0" x 16;
sub now {
    syscall(228, 1, $clock);
    my ($seconds, $nanos) = unpack("qq", $clock);
    return $seconds * 1e9 + $nanos;
}

opendir(my $folder, "/modules") or die "no modules: $!\n";
my @modules = sort grep { /\.ko$/ } readdir $folder;
for my $file (@modules) {
    my $options = "";
    sysopen(my $module, "/modules/$file", 0) or halt("cannot open module $file: $!");
    syscall(313, fileno($module), $options, 0) == 0 or halt("cannot load module $file: $!");
}

sub disk {
    for (1 .. 1200) {
        opendir(my $folder, "/sys/block") or next;
        for my $name (sort grep { /^(sd|vd)/ } readdir $folder) {
            open(my $size, "<", "/sys/block/$name/size") or next;
            my $sectors = int(<$size>);
            return ($name, $sectors) if $sectors > 0 and -b "/dev/$name";
        }
        select(undef, undef, undef, 0.05);
    }
    halt("the disk did not appear within 60 seconds");
}

sub done_requests {
    open(my $stat, "<", "/sys/block/$_[0]/stat") or return (0, 0);
    my @field = split " ", <$stat>;
    return @field[0, 4];
}

# What all processes see: for each writer when its last request began, and when it ended.
my $shared = syscall(9, 0, 65536, 3, 0x21, -1, 0);
sub shared { my ($seconds, $nanos) = unpack("qq", unpack("P16", pack("Q", $_[0]))); return $seconds * 1e9 + $nanos }

# The writers tell each request that took longer than all of theirs before it.
pipe(my $told, my $tell) or die "no pipe: $!\n";
fcntl($told, 4, 04000);

# One request after the other, 4 KiB, at a random place, past the guest's own page cache.
sub requests {
    my ($name, $blocks, $writes, $seed) = @_;
    my $child = fork;
    halt("cannot fork: $!") unless defined $child;
    return $child if $child;
    srand($seed);
    my $memory = syscall(9, 0, 4096, 3, 0x62, -1, 0);
    sysopen(my $file, "/dev/$name", ($writes ? 1 : 0) | 040000) or exit 1;
    my ($fd, $call) = (fileno($file), $writes ? 18 : 17);
    my ($began, $ended, $longest) = ($shared + 32 * $seed, $shared + 32 * $seed + 16, 0);
    while (1) {
        syscall(228, 1, $began);
        syscall($call, $fd, $memory, 4096, int(rand $blocks) * 4096) == 4096 or exit 2;
        syscall(228, 1, $ended);
        my $took = shared($ended) - shared($began);
        next if !$writes or $took <= $longest;
        $longest = $took;
        syswrite($tell, pack("d", $took));
    }
}

# A write every 50 ms, whatever became of those before it (Linux AIO, up to 256 on their way), as a guest's own page cache
# makes them. Those that wait for their answer are soon all waiting, and a main loop that is asked for nothing is not held up.
sub trickle {
    my ($name, $blocks) = @_;
    my $child = fork;
    halt("cannot fork: $!") unless defined $child;
    return $child if $child;
    my $memory = syscall(9, 0, 4096, 3, 0x62, -1, 0);
    sysopen(my $file, "/dev/$name", 1 | 040000) or exit 1;
    my ($context, $answers) = ("\0" x 8, "\0" x (32 * 256));
    syscall(206, 256, $context) == 0 or exit 3;
    $context = unpack("Q", $context);
    while (1) {
        my $request = pack("Q L l S s L Q Q q Q L L", 0, 0, 0, 1, 0, fileno($file), $memory, 4096, int(rand $blocks) * 4096, 0, 0, 0);
        my $list = pack("P", $request);
        syscall(209, $context, 1, $list);
        my $answered = syscall(208, $context, 0, 256, $answers, 0);
        unpack("x16 q", substr($answers, 32 * $_)) == 4096 or exit 2 for 0 .. $answered - 1;
        select(undef, undef, undef, 0.05);
    }
}

# What a guest's kernel does with a disk that has not answered for 30 seconds (scsi_ioctl_reset, SG_SCSI_RESET_DEVICE): once a second.
sub resets {
    my $name = shift;
    my $child = fork;
    halt("cannot fork: $!") unless defined $child;
    return $child if $child;
    sysopen(my $file, "/dev/$name", 04000) or exit 1;
    while (1) {
        select(undef, undef, undef, 1);
        my $device = pack("i", 1);
        ioctl($file, 0x2284, $device) or exit 3;
    }
}

my ($name, $sectors) = disk();
send_text("ready $name $sectors\n");
my (undef, $seconds, $writers, $readers, $resets) = split " ", hear();

my $priority = pack("i", 50);
my $blocks = int($sectors / 8);
my @children = map { requests($name, $blocks, $_ <= $writers, $_) } 1 .. $writers + $readers;
push @children, trickle($name, $blocks) if $writers;
push @children, resets($name) if $resets;
syscall(144, 0, 1, $priority);
my @before = done_requests($name);
my ($beats, $longest, @gaps) = (0, 0);
my $start = now();
my ($last, $end) = ($start, $start + $seconds * 1e9);
while ($last < $end) {
    select(undef, undef, undef, 0.002);
    syswrite($port, ".");
    my $time = now();
    my $gap = $time - $last;
    $longest = $gap if $gap > $longest;
    push @gaps, sprintf("gap %.0f %.0f\n", $last - $start, $gap) if $gap > 2e7;
    $last = $time;
    $beats++;
}
my @after = done_requests($name);
my ($longest_write, $took, $now) = (0, "", now());
while (sysread($told, $took, 8)) { $took = unpack("d", $took); $longest_write = $took if $took > $longest_write }
for (1 .. $writers) {
    # One that still waits has waited at least until now.
    my ($from, $to) = (shared($shared + 32 * $_), shared($shared + 32 * $_ + 16));
    $longest_write = $now - $from if $from > $to and $now - $from > $longest_write;
}
my $ended = 0;
for (@children) { $ended++ if waitpid($_, 1) == $_ }
halt("$ended of the guest's own readers, writers and resets ended early: requests failed") if $ended;
send_text(sprintf("\nend %d %.0f %.0f %d %d %.0f\n", $beats, $last - $start, $longest,
    $after[0] - $before[0], $after[1] - $before[1], $longest_write));
send_text($_) for @gaps;
send_text("done\n");
sleep 3600 while 1;
"""  # noqa: E501
