"""Two running servers in turn: what one costs as a multiple of the other, to a few per cent.

Whole trials minutes apart differ by what the machine did meanwhile. Here both servers are up at
once, kept to *one* core, and the requests change between them in blocks of some milliseconds, in
the order A B B A: whatever drifts more slowly than that hits both alike. Blocks of a single
request would be biased: who comes first pays for cold caches.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING

from bench.errors import RequirementError
from bench.run.failure import TrialFailed
from bench.run.host.sampler import cpu_clock
from bench.run.server.bringup import HOST, bring_up
from bench.run.server.launch import launch
from bench.run.server.verify import Expectation, Unverified, verify
from bench.stats import LogRatio, log_ratio

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.plan import Cell
    from bench.run.lab import Lab
    from bench.run.process.children import Child
    from bench.run.server.bringup import Running

BLOCK = 20  # requests, some 10 to 20 ms
BATCHES = 20  # whose means are nearly independent; the interval is of them
WARM_UP = 200  # requests to each
TIMEOUT_S = 10.0
NS_PER_S = 1e9


@dataclass(frozen=True, slots=True)
class Alternation:
    """B as a multiple of A: 1.05 is 5 % more. Intervals are 95 %, from batch means."""

    cpu: LogRatio  # CPU time of the server's worker, per request
    latency: LogRatio


@dataclass(slots=True)
class Side:
    """One running server, and a connection to it."""

    pid: int
    request: bytes
    connection: socket.socket
    answer_bytes: int = 0

    def block(self) -> tuple[float, float]:
        """CPU ns of the server and wall ns for a block of requests, one after the other."""
        clock = cpu_clock(self.pid)
        cpu, began = time.clock_gettime_ns(clock), time.monotonic_ns()
        for _ in range(BLOCK):
            self.ask()
        return time.clock_gettime_ns(clock) - cpu, time.monotonic_ns() - began

    def ask(self) -> None:
        """One request and its whole answer, which is as long as the first one was."""
        self.connection.sendall(self.request)
        left = self.answer_bytes
        while left > 0:
            got = len(self.connection.recv(left))
            if not got:
                raise RequirementError("A server closed its connection while it was measured.")
            left -= got


def alternate(cell: Cell, labs: tuple[Lab, Lab], folder: Path, *, seconds: float) -> Alternation:
    """Measure the cell on lab B's server against lab A's, for so long.

    Raises:
        RequirementError: a server did not start, or ended.
    """
    try:
        batches = _batches(cell, labs, folder, seconds)
    except (TrialFailed, Unverified, OSError) as failed:
        raise RequirementError(f"{cell.id} can't be measured in turn: {failed}") from failed
    sums = list(zip(*batches, strict=True))
    return Alternation(cpu=log_ratio(sums[1], sums[0]), latency=log_ratio(sums[3], sums[2]))


def _batches(
    cell: Cell, labs: tuple[Lab, Lab], folder: Path, seconds: float
) -> list[tuple[float, float, float, float]]:
    with contextlib.ExitStack() as stack:
        cpu = stack.enter_context(_client_elsewhere())
        a, b = (
            stack.enter_context(_side(cell, lab, folder / name, cpu))
            for lab, name in zip(labs, "ab", strict=True)
        )
        for side in (a, b):
            for _ in range(WARM_UP):
                side.ask()
        return [_batch(a, b, seconds / BATCHES) for _ in range(BATCHES)]


def _batch(a: Side, b: Side, seconds: float) -> tuple[float, float, float, float]:
    """Means over blocks: CPU of A, of B, wall time of A, of B."""
    found: dict[int, list[tuple[float, float]]] = {id(a): [], id(b): []}
    end = time.monotonic() + seconds
    while True:
        for side in (a, b, b, a):
            found[id(side)].append(side.block())
        if time.monotonic() > end:
            break
    (cpu_a, wall_a), (cpu_b, wall_b) = (
        tuple(map(fmean, zip(*found[id(side)], strict=True))) for side in (a, b)
    )
    return cpu_a, cpu_b, wall_a, wall_b


@contextlib.contextmanager
def _side(cell: Cell, lab: Lab, folder: Path, cpu: int) -> Iterator[Side]:
    """A server that is up, verified and connected to, on this CPU."""
    folder.mkdir(parents=True)
    lab = replace(lab, placement=replace(lab.placement, server=(cpu,)))
    with contextlib.ExitStack() as stack:

        def start(port: int) -> Child:
            child = launch(cell, lab, folder, port, delay_s=0.0)
            stack.callback(child.stop, 0)
            return child

        running = bring_up(start, cell.server, cell.workers, folder, lab.patience.ready_s)
        connection = socket.create_connection((HOST, running.port), timeout=TIMEOUT_S)
        stack.callback(connection.close)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield _connected(cell, running, connection)


def _connected(cell: Cell, running: Running, connection: socket.socket) -> Side:
    """A first answer, verified by another connection, tells how long each one is."""
    path, report = cell.route, running.reports[0]
    route = next(route for route in report["routes"] if route["path"] == path)
    body = verify(HOST, running.port, Expectation(path, route["expected"], 0.0))
    request = f"GET {path} HTTP/1.1\r\nHost: {HOST}:{running.port}\r\n\r\n".encode()
    connection.sendall(request)
    answer = b""
    while not answer.endswith(body):
        got = connection.recv(65536)
        if not got:
            raise RequirementError("A server closed its connection before it had answered.")
        answer += got
    return Side(int(report["pid"]), request, connection, len(answer))


@contextlib.contextmanager
def _client_elsewhere() -> Iterator[int]:
    """Give the servers a CPU, and keep this process off it, where there is another."""
    if not hasattr(os, "sched_getaffinity"):
        raise RequirementError("This check keeps two servers on one core, which needs Linux.")
    before = os.sched_getaffinity(0)
    cpu = min(before)
    others = before - {cpu}
    try:
        if others:
            os.sched_setaffinity(0, others)
        yield cpu
    finally:
        os.sched_setaffinity(0, before)
