"""Carries packets between this machine and a network namespace: late, thinly, or not at all.

A process of its own, with two TUN devices. What it reads on standard input is a number and a word:
``0.02 late`` holds each packet up for so long, ``2 cut`` drops all for so long, ``50000 thin`` lets
so many bytes pass a second (0: all). Ends with its standard input.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import struct
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x1, 0x1000
CLONE_NEWNET = 0x40000000
MOST_WAITING = 5000  # packets; more are dropped, as a router would


def _device(name: str, mine: str, peer: str) -> int:
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TUN | IFF_NO_PI))
    for command in (
        f"ip addr add {mine} peer {peer} dev {name}",
        f"ip link set {name} up txqueuelen 2000",
    ):
        subprocess.run(command.split(), check=True)
    return fd


def _enter(namespace: str) -> None:
    with Path(f"/run/netns/{namespace}").open("rb") as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


class Relay:
    """Both directions."""

    def __init__(self, here: int, there: int) -> None:
        self.other = {here: there, there: here}
        self.waiting: deque[tuple[float, int, bytes]] = deque()
        self.late_s = 0.0
        self.dead_until = 0.0
        self.bytes_s = 0.0
        self.free_at = 0.0  # of a thin line

    def obey(self, text: str) -> None:
        """One line of standard input."""
        value, word = text.split()
        if word == "late":
            self.late_s = float(value)
        elif word == "cut":
            self.dead_until = time.monotonic() + float(value)
        elif word == "thin":
            self.bytes_s = float(value)

    def read(self, fd: int) -> None:
        """Packets that are to be carried."""
        for _ in range(64):
            try:
                packet = os.read(fd, 2048)
            except BlockingIOError:
                return
            now = time.monotonic()
            if now < self.dead_until or len(self.waiting) > MOST_WAITING:
                continue
            due = now + self.late_s
            if self.bytes_s:
                self.free_at = max(self.free_at, now) + len(packet) / self.bytes_s
                due = self.free_at + self.late_s
            self.waiting.append((due, self.other[fd], packet))

    def write(self) -> None:
        """Those that are due."""
        now = time.monotonic()
        while self.waiting and self.waiting[0][0] <= now:
            _, fd, packet = self.waiting.popleft()
            if now >= self.dead_until:
                try:
                    os.write(fd, packet)
                except OSError:
                    continue  # its queue is full

    def run(self) -> None:
        """Until standard input ends."""
        while True:
            patience = max(0.0, self.waiting[0][0] - time.monotonic()) if self.waiting else 1.0
            readable = select.select([0, *self.other], [], [], patience)[0]
            for fd in readable:
                if fd:
                    self.read(fd)
                    continue
                told = os.read(0, 4096)
                if not told:
                    return
                for line in told.decode().splitlines():
                    self.obey(line)
            self.write()


def main(namespace: str, name: str, mine: str, peer: str) -> None:
    """Both ends, and until standard input ends what comes at one to the other."""
    here = _device(name, mine, peer)
    _enter(namespace)
    there = _device(name, peer, mine)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    Relay(here, there).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
