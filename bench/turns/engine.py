"""Servers that are up at once and asked in turn: what one costs as a multiple of another.

All are kept to the same cores and the load generator to the others, so that a server has as much
of the machine in its blocks as each other one in its own. That answers for servers that compute:
of those that wait, or go on after their answers, whole trials must tell (`Unfit`).
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bench.config.target import as_json
from bench.run.failure import TrialFailed
from bench.run.host.cpus import affinity
from bench.run.host.sampler import cpu_clock
from bench.run.own import commands
from bench.run.own.environ import cleanse
from bench.run.own.first import await_ready
from bench.run.own.first import verify as verify_own
from bench.run.process import children
from bench.run.process.children import Ended, Late
from bench.run.server.bringup import HOST, bring_up
from bench.run.server.launch import launch
from bench.run.server.verify import Expectation, Unverified, verify
from bench.turns.model import TURNS, Cost, Start

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from bench.plan import Cell
    from bench.run.lab import Lab
    from bench.run.process.children import Child
    from bench.run.server.bringup import Running
    from bench.turns.model import Contest

BATCHES = 10
LEAST_BUSY = 0.75  # of a core for each worker: less, and what the server waits for decides
MOST_CLIENT = 0.9  # of a core, that the load generator may use
MOST_AFTER = 0.1  # of a server's CPU, between its blocks: work that is not told of a request
LONGEST_BLOCK_S = 1.0
LATE_S = 30.0
HASH_SEEDS = 2**32  # as many as PYTHONHASHSEED takes
STOP_S = 0.1


class Unfit(Exception):  # noqa: N818 - a finding, not an error
    """These servers can't be compared in turn, and why."""


def cores(contest: Contest, number: int) -> tuple[list[int], list[int]]:
    """Which CPUs the servers of a start get, one a worker, and which the load generator.

    Cores differ, so each is the servers' in turn.

    Raises:
        Unfit: there are too few, the sides need more and fewer, or this system keeps no process
            on a core.
    """
    counts = {cell.workers for cell in contest.cells.values()}
    if len(counts) > 1:
        raise Unfit("its sides have more and fewer workers, so they can't share cores alike")
    if any(axis == "cores" for cell in contest.cells.values() for axis, _ in cell.settings):
        raise Unfit("they say how many cores they use, and in turn each has one a worker")
    workers = counts.pop()
    found = affinity(os.getpid())
    if found is None:
        raise Unfit("this system can't keep a process on a core")
    if len(found) < workers + 1:
        needed = f"{workers + 1} cores, and there are {len(found)}"
        raise Unfit(f"{workers} workers and the load generator need {needed}")
    shift = (number - 1) % len(found)
    turned = found[shift:] + found[:shift]
    return turned[:workers], turned[workers:]


def take_turns(
    labs: Mapping[str, Lab],
    contest: Contest,
    folder: Path,
    *,
    number: int,
    cpus: tuple[Sequence[int], Sequence[int]],
    users: int,
    seconds: float,
) -> Start:
    """Start each side's cell on its lab, and ask all in turn for so long.

    Args:
        labs: by side.
        contest: what is started.
        folder: empty; takes the servers' files.
        number: of the start.
        cpus: the servers', and the load generator's.
        users: who ask at once.
        seconds: how long.

    Raises:
        Unfit: they can't be compared so.
        TrialFailed: a server did not start, or ended, or gave a wrong answer; it says which.
    """
    began = time.monotonic()
    # One for all sides, as hashes alone make a server up to 1 % faster; and drawn anew by each
    # start of each run, as that would be found again by all who begin with the same.
    hash_seed = secrets.randbelow(HASH_SEEDS)
    batches = _batches(labs, contest, folder, number, hash_seed, cpus, users, seconds)
    names = [*labs]
    costs, busy = _costs(batches, names, len(cpus[0]))
    return Start(
        cell=contest.name,
        number=number,
        method=TURNS,
        costs=costs,
        took_s=round(time.monotonic() - began, 3),
        block=batches[0]["block"],
        busy=round(busy, 4),
        hash_seed=hash_seed,
    )


def _batches(
    labs: Mapping[str, Lab],
    contest: Contest,
    folder: Path,
    number: int,
    hash_seed: int,
    cpus: tuple[Sequence[int], Sequence[int]],
    users: int,
    seconds: float,
) -> list[dict[str, Any]]:
    _demand_questions(labs, contest)
    with contextlib.ExitStack() as stack:
        found = {}
        # Not always the same first: it may get the better place.
        shift = number % len(labs)
        for name in [*labs][shift:] + [*labs][:shift]:
            lab, cell = labs[name], contest.cells[name]
            own_folder = folder / name
            own_folder.mkdir(parents=True)
            placed = replace(lab.placement, server=tuple(cpus[0]))
            here = replace(lab, placement=placed, hash_seed=hash_seed)
            try:
                running = stack.enter_context(_server(cell, here, own_folder))
                found[name] = {"name": name, **_address(cell, here, running)}
            except (TrialFailed, Unverified) as failed:
                raise TrialFailed(f"{name}: {failed}") from failed
        asked = {
            "servers": [found[name] for name in labs],
            "users": users,
            "seconds": seconds,
            "batches": BATCHES,
        }
        first = next(iter(labs.values()))
        client = stack.enter_context(_client(first, folder, asked, cpus[1]))
        return _listen(client, seconds)


def _demand_questions(labs: Mapping[str, Lab], contest: Contest) -> None:
    """What is asked must be known: users of a locustfile are their own.

    Raises:
        Unfit: it isn't.
    """
    for name, cell in contest.cells.items():
        own = labs[name].own
        if own is not None and cell.experiment in own.target.locustfiles:
            raise Unfit("its users are those of a locustfile")


@contextlib.contextmanager
def _server(cell: Cell, lab: Lab, folder: Path) -> Iterator[Running]:
    """A server that is up; what the file of one's own application asks for is done around it."""
    if (lacking := lab.lacking(cell)) is not None:
        raise TrialFailed(lacking)
    with contextlib.ExitStack() as stack:
        if lab.own is not None:
            own, python = lab.own, lab.server_pythons[cell.server, str(cell.python)]
            stack.callback(cleanse, lab.secrets, folder)
            commands.run(own, "before_trial", python, lab.keeper, folder / "before_trial.log")
            after = folder / "after_trial.log"
            stack.callback(commands.run, own, "after_trial", python, lab.keeper, after)

        def start(port: int) -> Child:
            child = launch(cell, lab, folder, port, delay_s=0.0)
            stack.callback(child.stop, STOP_S)
            return child

        yield bring_up(start, cell, folder, lab.patience.ready_s)


def _address(cell: Cell, lab: Lab, running: Running) -> dict[str, Any]:
    """Where the client finds a server, once it has answered rightly, and its workers' clocks."""
    expected, plan = b"", None
    if lab.own is None:
        routes = running.reports[0]["routes"]
        route = next((one for one in routes if one["path"] == cell.route), None)
        if route is None:
            raise TrialFailed(f"the application has no route {cell.route}")
        if route["waits"]:
            raise Unfit("it waits for the delay server")
        expected = verify(HOST, running.port, Expectation(cell.route, route["expected"], 0.0))
    else:
        target = lab.own.target
        if target.ready is not None:
            await_ready(HOST, running.port, target.ready, lab.patience.ready_s)
        plan = as_json(target.asked(cell.experiment), target.login)
        verify_own(HOST, running.port, plan, lab.own.secrets)
    return {
        "url": f"http://{HOST}:{running.port}",
        "clocks": [cpu_clock(int(report["pid"])) for report in running.reports],
        "route": cell.route if plan is None else "/",
        "plan": plan,
        "expected": expected.hex(),
    }


@contextlib.contextmanager
def _client(
    lab: Lab, folder: Path, asked: Mapping[str, Any], cpus: Sequence[int]
) -> Iterator[Child]:
    path = folder / "turns.json"
    path.write_text(json.dumps(asked), encoding="utf-8")
    own = {} if lab.own is None else {"MATRIX_SECRETS": json.dumps(dict(lab.own.secrets))}
    child = children.start(
        "the load generator",
        [lab.load_python, "-m", "locustfiles.turns"],
        keeper=lab.keeper,
        cwd=lab.root,
        env=children.child_environment(MATRIX_TURNS=str(path), **own),
        log=folder / "turns.log",
        tells="pipe",
        cpus=cpus,
    )
    try:
        yield child
    finally:
        child.stop(0)


def _listen(client: Child, seconds: float) -> list[dict[str, Any]]:
    """What the client tells of each batch.

    Raises:
        Unfit: a block of requests takes too long to go from server to server often.
        TrialFailed: a request failed, or the client ended.
    """
    batches: list[dict[str, Any]] = []
    size = 0
    while True:
        try:
            event = client.event(LATE_S + seconds)
        except Late:
            raise Unfit("an answer takes too long") from None
        except Ended as ended:
            raise TrialFailed(f"{ended}: {client.log_tail()}") from None
        match event.get("event"):
            case "sized":
                size = event["requests"]
                if (longest := size / min(event["rates"])) > LONGEST_BLOCK_S:
                    raise Unfit(f"a block of {size} requests takes {longest:.1f} s")
            case "batch":
                batches.append({**event, "block": size})
            case "failed":
                raise TrialFailed(str(event["reason"]))
            case "done" if batches:
                return batches
            case _:
                raise TrialFailed(f"the load generator said {event!r}")


def _costs(
    batches: Sequence[Mapping[str, Any]], names: Sequence[str], workers: int
) -> tuple[dict[str, Cost], float]:
    """Of each side, and the least share of its cores that one used.

    Raises:
        Unfit: they wait, or go on after their answers; or the load generator was the bound.
    """
    costs, busiest, afters = {}, [], []
    for at, name in enumerate(names):
        sums = {
            key: sum(batch["sides"][at][key] for batch in batches)
            for key in ("requests", "latency_ns", "wall_ns", "cpu_ns", "cpu_all_ns")
        }
        busiest.append(sums["cpu_ns"] / sums["wall_ns"] / workers)
        afters.append(1.0 - sums["cpu_ns"] / sums["cpu_all_ns"] if sums["cpu_all_ns"] else 0.0)
        costs[name] = Cost(
            latency_ms=sums["latency_ns"] / sums["requests"] / 1e6,
            cpu_ms=sums["cpu_all_ns"] / sums["requests"] / 1e6,
            requests=sums["requests"],
        )
    busy = min(busiest)
    client = sum(batch["client_ns"] for batch in batches) / sum(b["batch_ns"] for b in batches)
    if busy < LEAST_BUSY and client > MOST_CLIENT:
        raise Unfit(f"the load generator was the bound: {client:.0%} of its core")
    if busy < LEAST_BUSY:
        raise Unfit(f"it uses {busy:.0%} of its core and waits the rest of the time")
    if max(afters) > MOST_AFTER:
        raise Unfit(f"it works on after its answers: {max(afters):.0%} of its CPU")
    return costs, busy
