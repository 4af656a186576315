"""Users who ask several running servers in turn, in short blocks, and add up what each block took.

Whole trials minutes apart differ by what the machine did meanwhile. Here all servers are up at
once, and load goes from one to the next every few hundredths of a second: whatever drifts more
slowly than that hits all alike. A block is drained before the next begins, so no server works
while another one is asked; and it has as many requests of each server, of the same kinds and forms.

Started by the harness (`bench.turns.engine`) with ``MATRIX_TURNS``, a JSON file that says whom to
ask what; tells lines of JSON to ``MATRIX_EVENTS_FD``, one a batch of cycles.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass, field
from math import lcm
from pathlib import Path
from typing import Any

import gevent
from geventhttpclient import HTTPClient
from geventhttpclient.url import URL

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from locustfiles import layout, requests
from locustfiles.order import block_size, fair_order
from locustfiles.script import Script

WARM_UP_S = 0.3  # for each server: its caches, its connections, its threads
BLOCK_S = 0.03
TIMEOUT_S = 30.0  # of one answer; a server that takes as long is not for turns


class FailedError(Exception):
    """A request did not get its right answer: then nothing here can be compared."""


@dataclass(slots=True)
class Sums:
    """Of one server, over the blocks of a batch."""

    requests: int = 0
    latency_ns: int = 0  # of all requests together
    wall_ns: int = 0  # of all blocks
    cpu_ns: int = 0  # of the workers, within the blocks


@dataclass(slots=True)
class Server:
    """One running server, and its users' connections."""

    name: str
    url: URL
    clocks: list[int]  # CPU clocks of its workers
    script: Script | None
    route: str
    expected: bytes
    users: list[User] = field(default_factory=list)
    left: int = 0  # requests of the present block

    def cpu_ns(self) -> int:
        """CPU time of its workers so far.

        Raises:
            FailedError: one has ended.
        """
        try:
            return sum(time.clock_gettime_ns(clock) for clock in self.clocks)
        except OSError as error:
            raise FailedError(f"{self.name}: a worker ended while it was measured") from error

    def block(self, size: int, sums: Sums) -> None:
        """All users ask until so many requests are answered."""
        self.left = size
        cpu_ns, began_ns = self.cpu_ns(), time.monotonic_ns()
        asking = [gevent.spawn(user.ask) for user in self.users]
        gevent.joinall(asking, raise_error=True)
        sums.wall_ns += time.monotonic_ns() - began_ns
        sums.cpu_ns += self.cpu_ns() - cpu_ns
        sums.latency_ns += sum(one.value or 0 for one in asking)
        sums.requests += size


class User:
    """A connection, and what a login gave."""

    def __init__(self, server: Server, values: dict[str, str]) -> None:
        self.server, self.values = server, values
        self.connection = HTTPClient.from_url(
            server.url, concurrency=1, connection_timeout=TIMEOUT_S, network_timeout=TIMEOUT_S
        )
        login = None if server.script is None else server.script.login
        if login is not None:
            body = self.once(layout.LOGIN, requests.variant(login, 0, values))
            self.values = values | requests.taken(body, login["take"])

    def ask(self) -> int:
        """Its share of a block; gives how long its requests took together, ns."""
        server, took_ns = self.server, 0
        while server.left > 0:
            server.left -= 1
            if server.script is None:
                kind, asked = 0, requests.Asked("GET", server.route, {}, b"")
            else:
                kind, asked = server.script.next(self.values)
            began_ns = time.monotonic_ns()
            self.once(kind, asked)
            took_ns += time.monotonic_ns() - began_ns
        return took_ns

    def once(self, kind: int, asked: requests.Asked) -> bytes:
        """One request; gives the body of its right answer.

        Raises:
            FailedError: it got none.
        """
        try:
            response = self.connection.request(
                asked.method, asked.target, asked.body, asked.headers
            )
            body = bytes(response.read())
        except Exception as error:
            raise FailedError(
                f"{self.server.name}: a request failed: {type(error).__name__}"
            ) from error
        status, server = response.status_code, self.server
        if server.script is not None:
            wrong = server.script.wrong(kind, status, body)
        elif status != 200:
            wrong = f"HTTP {status}"
        else:
            wrong = None if body == server.expected else layout.WRONG_BODY
        if wrong is not None:
            raise FailedError(f"{server.name}: a request failed: {wrong}")
        return body


def main() -> None:
    """Do what the file says, and tell."""
    asked = json.loads(Path(os.environ["MATRIX_TURNS"]).read_text(encoding="utf-8"))
    secrets = json.loads(os.environ.pop("MATRIX_SECRETS", "{}"))
    try:
        measure(asked, secrets)
    except (FailedError, requests.LackingError) as failed:
        tell("failed", reason=str(failed))
    else:
        tell("done")


def measure(asked: dict[str, Any], secrets: dict[str, str]) -> None:
    """Warm up, choose the block's size, then batch after batch until the time is over."""
    servers = [_server(one, secrets) for one in asked["servers"]]
    for server in servers:
        server.users = [User(server, dict(secrets)) for _ in range(asked["users"])]
    order = fair_order(len(servers))
    # Of every side whole cycles, so that each block has the same kinds and forms of request.
    cycle = lcm(*(1 if one.script is None else one.script.cycle for one in servers))
    least = -(-asked["users"] // cycle) * cycle
    rates = _warm_up(servers, least)
    size = block_size(rates, users=asked["users"], block_s=BLOCK_S, cycle=cycle)
    tell("sized", requests=size, rates=rates)
    before = [server.cpu_ns() for server in servers]
    began_ns = time.monotonic_ns()
    for batch in range(1, asked["batches"] + 1):
        sums = [Sums() for _ in servers]
        own_ns, batch_ns = time.process_time_ns(), time.monotonic_ns()
        until_ns = began_ns + int(asked["seconds"] / asked["batches"] * batch * 1e9)
        while True:
            for side in order:
                servers[side].block(size, sums[side])
            if time.monotonic_ns() > until_ns:
                break
        after = [server.cpu_ns() for server in servers]
        tell(
            "batch",
            sides=[
                {
                    "requests": one.requests,
                    "latency_ns": one.latency_ns,
                    "wall_ns": one.wall_ns,
                    "cpu_ns": one.cpu_ns,
                    "cpu_all_ns": now - then,  # between the blocks, too
                }
                for one, now, then in zip(sums, after, before, strict=True)
            ],
            client_ns=time.process_time_ns() - own_ns,
            batch_ns=time.monotonic_ns() - batch_ns,
        )
        before = after
        if time.monotonic_ns() - began_ns > asked["seconds"] * 1e9:
            break  # where one cycle takes as long as a batch should


def _server(one: dict[str, Any], secrets: dict[str, str]) -> Server:
    plan = one["plan"]
    return Server(
        name=one["name"],
        url=URL(one["url"]),
        clocks=one["clocks"],
        script=None if plan is None else Script(plan, secrets),
        route=one["route"],
        expected=bytes.fromhex(one["expected"]),
    )


def _warm_up(servers: list[Server], size: int) -> tuple[float, ...]:
    """Blocks of this size to each; gives the requests a second of each in the later half."""
    rates = []
    for server in servers:
        halves = [Sums(), Sums()]
        began_s = time.monotonic()
        while True:
            later = time.monotonic() - began_s > WARM_UP_S / 2
            server.block(size, halves[int(later)])
            if time.monotonic() - began_s > WARM_UP_S:
                break
        found = halves[1] if halves[1].requests else halves[0]
        rates.append(found.requests / found.wall_ns * 1e9)
    return tuple(rates)


def tell(event: str, **facts: object) -> None:
    """One line of JSON to the harness."""
    os.write(
        int(os.environ["MATRIX_EVENTS_FD"]), (json.dumps({"event": event, **facts}) + "\n").encode()
    )


if __name__ == "__main__":
    main()
