#!/usr/bin/env python3
"""Two networks on one machine, and a bad line between them.

Started by lab.ts. Makes two network namespaces without names, a (10.86.0.1, fd86::1) and b (10.86.0.2, fd86::2), and
carries every IP packet between their TUN devices through a queue of limited rate, then a line that delays, loses,
reorders, repeats and damages as the options say. Says on standard output, in one JSON line, where the namespaces are; at
the end of standard input stops and says in another what happened. Exits 77, with a line that says why, where namespaces
or TUN devices are not permitted.
"""

import argparse
import gc
import heapq
import json
import os
import random
import resource
import select
import sys
import time

import namespaces
import packets

NOT_PERMITTED = 77
ADDRESSES = (("10.86.0.1", "fd86::1"), ("10.86.0.2", "fd86::2"))
#: Packets that are read from one side before the other side and the clock have their turn.
READ_BATCH = 32
LATE_S = 0.002
#: Pause between two looks while packets are under way: a wake-up for each packet takes a third of a processor from the
#: programs on a machine of two, and none of them sees so little of a delay.
LOOK_S = 0.0004
#: Real time, and before programs that are started so too (lab.ts).
PRIORITY = 10


class Losses:
    """Loses a share of packets: each by itself, or in runs of a mean length (a two-state Markov chain)."""

    def __init__(self, share, mean_run, rng):
        self.random = rng.random
        self.in_run = False
        self.runs = mean_run > 1
        self.start = share / (mean_run * (1 - share)) if self.runs else share
        self.end = 1 / mean_run

    def __call__(self):
        if not self.runs:
            return self.random() < self.start
        self.in_run = self.random() >= self.end if self.in_run else self.random() < self.start
        return self.in_run


class Direction:
    """One way: a queue in front of a transmitter of limited rate, then the line."""

    def __init__(self, out, options, seed):
        def dice(what):
            # One sequence for each kind of misfortune: to switch one on leaves the others as they were.
            return random.Random(f"{options.seed} {seed} {what}")

        self.out = out
        self.byte_s = 8e-6 / options.rate if options.rate else 0.0
        self.queue_s = options.queue / 1e3
        self.delay_s = options.rtt / 2e3
        self.jitter_s = options.jitter / 1e3
        self.reorder_s = (options.reorder_by or max(1.0, options.rtt / 10)) / 1e3
        self.reorder, self.dup, self.corrupt = options.reorder / 100, options.dup / 100, options.corrupt / 100
        self.lost = Losses(options.loss / 100, options.burst, dice("loss")) if options.loss else None
        self.dice = {what: dice(what).random for what in ("jitter", "reorder", "dup", "corrupt")}
        self.bit_dice = dice("bit")
        self.narrow_to, self.narrow_after = options.narrow_to, options.narrow_after
        self.free_at = 0.0
        self.last_due = 0.0
        self.waiting = []
        self.order = 0
        self.udp = 0
        self.count = dict.fromkeys(
            ("packets", "bytes", "delivered", "queue_drops", "lost", "too_big", "reordered", "duplicated",
             "corrupted", "late"), 0)
        self.trace = None
        self.worst_late_s = 0.0
        self.longest_queue_s = 0.0

    def put(self, packet, layout, now):
        """A packet enters. `layout` is that of `packet`."""
        count = self.count
        count["packets"] += 1
        count["bytes"] += len(packet)
        if self.trace is not None:
            self.trace.append((now, len(packet), max(0.0, self.free_at - now)))
        if self.narrow_to:
            self.udp += layout.protocol == packets.UDP
            if self.udp > self.narrow_after and len(packet) > self.narrow_to:
                count["too_big"] += 1
                return
        sent_at = now
        if self.byte_s:
            start = self.free_at if self.free_at > now else now
            if start - now > self.queue_s:
                count["queue_drops"] += 1
                return
            sent_at = self.free_at = start + len(packet) * self.byte_s
            if sent_at - now > self.longest_queue_s:
                self.longest_queue_s = sent_at - now
        # What the line loses has been transmitted: it took its share of the rate.
        if self.lost is not None and self.lost():
            count["lost"] += 1
            return
        due = sent_at + self.delay_s
        if self.jitter_s:
            # Delay that varies does not make packets overtake each other: that is what `reorder` is for.
            self.last_due = due = max(self.last_due, due + self.jitter_s * self.dice["jitter"]())
        if self.reorder and self.dice["reorder"]() < self.reorder:
            count["reordered"] += 1
            due += self.reorder_s
        if self.corrupt and self.dice["corrupt"]() < self.corrupt:
            damaged = packets.flip_bit(packet, layout, self.bit_dice)
            if damaged is not None:
                count["corrupted"] += 1
                packet = damaged
        self.order += 1
        heapq.heappush(self.waiting, (due, self.order, packet))
        if self.dup and self.dice["dup"]() < self.dup:
            count["duplicated"] += 1
            self.order += 1
            heapq.heappush(self.waiting, (due, self.order, packet))

    def deliver(self, now):
        """Hands over what has arrived by `now`; returns when the next packet will."""
        waiting = self.waiting
        while waiting and waiting[0][0] <= now:
            due, _, packet = heapq.heappop(waiting)
            late = now - due
            if late > LATE_S:
                self.count["late"] += 1
            if late > self.worst_late_s:
                self.worst_late_s = late
            os.write(self.out, packet)
            self.count["delivered"] += 1
        return waiting[0][0] if waiting else None

    def report(self):
        return {**self.count, "worst_late_ms": round(self.worst_late_s * 1e3, 2),
                "longest_queue_ms": round(self.longest_queue_s * 1e3, 2)}


class Link:
    """Both ways, and the NAT in front of b."""

    def __init__(self, device_a, device_b, options):
        self.nat = packets.Nat(options.rebind_after, options.rebind_address)
        self.a_to_b = Direction(device_b, options, "a to b")
        self.b_to_a = Direction(device_a, options, "b to a")
        self.devices = ((device_a, self.a_to_b, self.nat.inward), (device_b, self.b_to_a, self.nat.outward))

    def read(self, device, direction, translate):
        for _ in range(READ_BATCH):
            try:
                packet = os.read(device, 65536)
            except BlockingIOError:
                return
            if packets.is_multicast(packet):
                continue
            layout = packets.Layout(packet)
            packet = translate(packet, layout)
            if packet is not None:
                direction.put(packet, layout, time.monotonic())

    def run(self):
        """Until standard input ends. A line `rebind` makes the NAT forget."""
        files = [device for device, _, _ in self.devices] + [sys.stdin.fileno()]
        timeout = None
        while True:
            ready = select.select(files, (), (), timeout)[0]
            for device, direction, translate in self.devices:
                if device in ready:
                    self.read(device, direction, translate)
            if sys.stdin.fileno() in ready:
                commands = os.read(sys.stdin.fileno(), 4096)
                if not commands:
                    return
                for command in commands.split():
                    if command == b"rebind":
                        self.nat.rebind()
            now = time.monotonic()
            next_a, next_b = self.a_to_b.deliver(now), self.b_to_a.deliver(now)
            if next_a is None or next_b is None:
                next_due = next_a if next_b is None else next_b
            else:
                next_due = min(next_a, next_b)
            timeout = None
            if next_due is not None:
                time.sleep(LOOK_S)
                timeout = max(0.0, next_due - time.monotonic())


def parse(arguments):
    def numbers(text):
        return [int(part) for part in text.split(",") if part]

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--rtt", type=float, default=0.0, metavar="MS", help="round trip without queue: half of it each way")
    add("--jitter", type=float, default=0.0, metavar="MS", help="up to so much more, evenly spread; keeps the order")
    add("--loss", type=float, default=0.0, metavar="PERCENT", help="packets that the line loses")
    add("--burst", type=float, default=1.0, metavar="N", help="mean length of a run of lost packets; 1: independent")
    add("--reorder", type=float, default=0.0, metavar="PERCENT", help="packets held back, overtaken by later ones")
    add("--reorder-by", type=float, default=0.0, metavar="MS", help="for how long; default a tenth of --rtt, at least 1")
    add("--dup", type=float, default=0.0, metavar="PERCENT", help="packets that arrive twice")
    add("--corrupt", type=float, default=0.0, metavar="PERCENT", help="packets with one bit flipped")
    add("--rate", type=float, default=0.0, metavar="MBIT", help="Mbit/s of the transmitter, IP headers included; 0: no limit")
    add("--queue", type=float, default=100.0, metavar="MS", help="longest wait before the transmitter; more is dropped")
    add("--mtu", type=int, default=1500, metavar="BYTES", help="of the devices")
    add("--narrow-to", type=int, default=0, metavar="BYTES", help="drop larger IP packets without a word")
    add("--narrow-after", type=int, default=0, metavar="N", help="but only after N UDP packets in that direction")
    add("--rebind-after", type=numbers, default=[], metavar="N,...", help="the NAT of b forgets after N UDP packets of b")
    add("--rebind-address", action="store_true", help="b then gets another address too, not only another port")
    add("--trace", metavar="FILE", help="write every packet: way, ms since the first, bytes, ms of queue before it")
    add("--seed", type=int, default=1, metavar="N", help="of all misfortune")
    return parser.parse_args(arguments)


def write_trace(path, directions):
    start = min((direction.trace[0][0] for direction in directions.values() if direction.trace), default=0.0)
    with open(path, "w", encoding="ascii") as file:
        for name, direction in directions.items():
            for at, size, queue in direction.trace:
                file.write(f"{name} {(at - start) * 1e3:.3f} {size} {queue * 1e3:.3f}\n")


def say(facts):
    print(json.dumps(facts), flush=True)


def main():
    options = parse(sys.argv[1:])
    try:
        user = namespaces.own_user_namespace()
        (net_a, device_a, ipv6_a), (net_b, device_b, ipv6_b) = (
            namespaces.new_network(ipv4, ipv6, options.mtu) for ipv4, ipv6 in ADDRESSES)
    except OSError as error:
        say({"refused": str(error)})
        return NOT_PERMITTED
    namespaces.precise_timers()
    try:
        # A network does not wait for the programs that use it. The kernel leaves them a share even if this never sleeps.
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
    except PermissionError:
        pass
    gc.collect()
    gc.disable()
    link = Link(device_a, device_b, options)
    ways = {"a>b": link.a_to_b, "b>a": link.b_to_a}
    if options.trace is not None:
        for direction in ways.values():
            direction.trace = []
    say({
        "pid": os.getpid(),
        "python": sys.executable,
        "a": net_a,
        "b": net_b,
        "user": user,
        "ipv6": ipv6_a and ipv6_b,
    })
    started, usage = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
    link.run()
    seconds = time.monotonic() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    if options.trace is not None:
        write_trace(options.trace, ways)
    kernel = {}
    for side, namespace in (("a", net_a), ("b", net_b)):
        namespaces.set_namespace(namespace, namespaces.CLONE_NEWNET)
        kernel[side] = namespaces.kernel_counters()
    say({
        "aToB": link.a_to_b.report(),
        "bToA": link.b_to_a.report(),
        "kernel": kernel,
        "rebindings": link.nat.generation,
        "natDrops": link.nat.dropped,
        "seconds": round(seconds, 3),
        "cpuSeconds": round(used.ru_utime + used.ru_stime - usage.ru_utime - usage.ru_stime, 3),
    })
    return 0


if __name__ == "__main__":
    sys.exit(main())
