"""The load generator as children: locust, headless, in its own environment, at its gate.

One process is the whole of it, or locust's master leads several, each on a core of its own where
there are cores (`locustfiles.crew`).
"""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.config import load_takes_s
from bench.run.away.link import Unreachable
from bench.run.failure import TrialFailed
from bench.run.process import children
from bench.run.process.children import Child, Ended, Late
from bench.run.server.bringup import HOST, free_port
from locustfiles import layout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from bench.config import Profile
    from bench.config.target import Locustfile
    from bench.run.away.fleet import Seat
    from bench.run.lab import Lab


LOCUSTS_S = 60.0  # more than they may take: nobody waits for it where all is well
THEIR_RAMP_S = 2.0  # of users who can't be told when to begin
GONE_EVERY_S = 0.2  # how often is looked whether a process has gone


@dataclass(slots=True)
class Load:
    """The load generator: one process, or locust's master with those that have users."""

    speaker: Child  # who hears us and tells
    users: tuple[Child, ...]  # the processes with users, where they are others
    away: dict[int, str]  # those of them on other machines, by number: on which
    _release: contextlib.ExitStack  # what was opened for them
    awaited: list[int] = field(default_factory=list)  # of these, those that have not come yet
    _stopping: bool = False

    @property
    def pids(self) -> list[int]:
        """Of all its processes."""
        return [one.pid for one in (self.speaker, *self.users)]

    @property
    def user_pids(self) -> list[int]:
        """Of those with users that are here, which can be what limits it."""
        here = [one for number, one in enumerate(self.users) if number not in self.away]
        return [one.pid for one in here] if self.users else [self.speaker.pid]

    def say(self, word: bytes) -> None:
        """Write to its gate."""
        self._stopping = self._stopping or word == layout.SAY_STOP
        self.speaker.say(word)

    def event(self, timeout_s: float) -> dict[str, Any]:
        """The next that it tells.

        Raises:
            Late: nothing came within ``timeout_s`` seconds.
            Ended: it, or one of its processes did while it was needed.
        """
        deadline = time.monotonic() + timeout_s
        while self.users and not self._stopping:
            # Locust would notice in some seconds that one is gone.
            gone = children.first_gone(self.users)
            if gone is not None:
                raise Ended(f"{gone.name} ended")
            left_s = deadline - time.monotonic()
            if left_s <= GONE_EVERY_S:
                break
            with contextlib.suppress(Late):
                return self.speaker.event(GONE_EVERY_S)
        return self.speaker.event(max(0.0, deadline - time.monotonic()))

    def log_tail(self) -> str:
        """The last lines of what it put out; of the process that ended, if one did."""
        gone = children.first_gone(self.users)
        if gone is None:
            return self.speaker.log_tail()
        tail = gone.log_tail()
        return f"{gone.name} ended, with exit status {gone.exit_code()}{tail and ': '}{tail}"

    def stop(self, grace_s: float) -> None:
        """End all of it."""
        for one in (self.speaker, *self.users):
            one.stop(grace_s)
        self._release.close()


def start(
    lab: Lab, profile: Profile, route: str, folder: Path, *, phase: float, processes: int = 1
) -> Load:
    """Start it; it imports everything and then waits for ``aim`` and its gate.

    Args:
        lab: where it runs.
        profile: of its users.
        route: what they ask; of one's own application its name.
        folder: of the trial.
        phase: of the start, 0 to 1.
        processes: that have users; each has one user at least.
    """
    own = {} if lab.own is None else {"MATRIX_SECRETS": json.dumps(dict(lab.own.secrets))}
    theirs = None if lab.own is None else lab.own.target.locustfiles.get(route)
    if lab.own is not None and theirs is not None:
        own |= lab.own.secrets  # as its users would have them without us
    fixed = {} if profile.spawn_rate is None else {"MATRIX_SPAWN_RATE": str(profile.spawn_rate)}
    load = {"MATRIX_TRIAL_DIR": str(folder), "MATRIX_ROUTE": route, "MATRIX_PHASE": str(phase)}
    if profile.rate is not None:
        # The phase is another one in each trial, and so are the arrivals.
        about = {"rate": profile.rate, "arrivals": profile.arrivals, "seed": f"{phase:.9f}"}
        load["MATRIX_OPEN"] = json.dumps(about)
    starter = _Starter(
        lab,
        None if theirs is None else theirs.path,
        folder,
        {**load, **fixed, **own},
        LOCUSTS_S + load_takes_s(profile) + lab.patience.ready_s + lab.patience.stall_s,
    )
    leads = (
        *("--headless", "--only-summary"),
        *("--users", str(profile.at_once), "--spawn-rate", f"{_spawn_rate(profile, theirs):g}"),
        *("--exit-code-on-error", "0", "--stop-timeout", "0"),
    )
    processes = min(processes, profile.at_once)
    if processes > 1 or lab.fleet is not None:
        return _several(starter, leads, processes)
    alone = starter.run("the load generator", "generator.log", lab.placement.generator, leads, {})
    return Load(alone, (), {}, contextlib.ExitStack())


@dataclass(frozen=True, slots=True)
class _Starter:
    """What the processes of a load generator have in common."""

    lab: Lab
    theirs: str | None  # a locustfile of one's own
    folder: Path  # of the trial
    environment: Mapping[str, str]  # what is meant for them
    seconds: float  # that they may take; those on other machines end by themselves then

    def run(
        self,
        name: str,
        log: str,
        cpus: Sequence[int],
        options: Sequence[str],
        role: Mapping[str, str],
    ) -> Child:
        """Start one of them."""
        return children.start(
            name,
            [self.lab.load_python, *_locust(self.theirs), *options],
            keeper=self.lab.keeper,
            cwd=self.lab.root,
            env=children.child_environment(**self.environment, **role),
            log=self.folder / log,
            tells="pipe",
            cpus=cpus,
        )

    def run_away(
        self, seat: Seat, name: str, log: str, options: Sequence[str], role: Mapping[str, str]
    ) -> Child:
        """Start one of them on another machine."""
        fleet = self.lab.fleet
        if fleet is None:
            raise AssertionError
        theirs = None
        if self.theirs is not None:
            theirs = f"{seat.station.load}/{fleet.part.theirs[self.theirs]}"
        return seat.station.run(
            name,
            [*_locust(theirs), *options],
            number=seat.number,
            environment={**self.environment, **role, "MATRIX_AWAY": "1"},
            seconds=self.seconds,
            keeper=self.lab.keeper,
            log=self.folder / log,
        )


def _locust(theirs: str | None) -> list[str]:
    """What its Python is given, in the folder of the load part."""
    users = "locustfiles/users.py" if theirs is None else f"locustfiles/theirs.py,{theirs}"
    return ["-m", "locust", "-f", users, "--skip-log-setup"]


def _several(starter: _Starter, leads: Sequence[str], processes: int) -> Load:
    """Locust's master, and workers in its sense: each on a core of its own, if it has cores.

    They speak over loopback, those on other machines through ssh: locust's protocol asks nobody
    who he is.
    """
    lab, port = starter.lab, free_port()
    cpus = lab.placement.generator
    seats = [] if lab.fleet is None else lab.fleet.seats()[:processes]
    processes = processes if lab.fleet is None else len(seats)
    parts = {"MATRIX_PARTS": str(processes)}
    with contextlib.ExitStack() as stack:
        release = stack.enter_context(contextlib.ExitStack())

        def keep(child: Child) -> Child:
            stack.callback(child.stop, 0)
            return child

        master = keep(
            starter.run(
                "the load generator's master",
                "generator.log",
                cpus,
                [
                    *leads,
                    *("--master", "--master-bind-host", HOST, "--master-bind-port", str(port)),
                    *("--expect-workers", str(processes)),
                ],
                {
                    **parts,
                    "MATRIX_ROLE": "master",
                    "MATRIX_AWAY_PARTS": json.dumps([*range(len(seats))]),
                },
            )
        )
        ports = _ports_there(seats, port, release)
        users = []
        for number in range(processes):
            there = str(ports[seats[number].station.label]) if seats else str(port)
            options = ["--worker", "--master-host", HOST, "--master-port", there]
            role = {**parts, "MATRIX_ROLE": "worker", "MATRIX_PART": str(number)}
            named = (f"load generator process {number + 1}", f"generator-{number}.log")
            if seats:
                child = starter.run_away(seats[number], *named, options, role)
            else:
                own = cpus and (cpus[number % len(cpus)],)
                child = starter.run(*named, own, options, role)
            users.append(keep(child))
        stack.pop_all()  # none is stopped: all have been started
    away = {number: seat.station.label for number, seat in enumerate(seats)}
    return Load(master, tuple(users), away, release)


def _ports_there(seats: Sequence[Seat], port: int, release: contextlib.ExitStack) -> dict[str, int]:
    """By load machine, the port of its loopback that leads to the master.

    Raises:
        TrialFailed: one lets no port be forwarded, or is gone.
    """
    found: dict[str, int] = {}
    for one in {seat.station.label: seat.station for seat in seats}.values():
        try:
            found[one.label] = one.link.forward(port)
        except Unreachable as why:
            one.link.close()  # it is lost, and looked for again before the next trial
            raise TrialFailed(f"{one.label}: {why}") from None
        release.callback(one.link.unforward, port)
    return found


def _spawn_rate(profile: Profile, theirs: Locustfile | None) -> float:
    """Ours all at once: each then waits for its turn (locustfiles/ramp.py)."""
    if theirs is None:
        return float(profile.at_once)
    return profile.spawn_rate or max(1.0, profile.users / THEIR_RAMP_S)


def aim(
    folder: Path,
    url: str,
    *,
    workers: int,
    least_s: float = 0.0,
    body: bytes | None = None,
    plan: dict[str, Any] | None = None,
) -> None:
    """Say where the load goes, and what each right answer is.

    Args:
        folder: of the trial.
        url: of the server.
        workers: of the server.
        least_s: that an answer takes.
        body: byte for byte, of the application here,
        plan: else what is asked of one's own (`bench.config.target.as_json`).
    """
    if body is not None:
        (folder / "expected-body").write_bytes(body)
    target = {"url": url, "least_s": least_s, "workers": workers, "plan": plan}
    (folder / "target.json").write_text(json.dumps(target), encoding="utf-8")


def await_ready(load: Load, timeout_s: float) -> None:
    """Wait until it stands at its gate.

    Raises:
        TrialFailed: it ended, or is not ready in time.
    """
    try:
        deadline = time.monotonic() + timeout_s
        event = load.event(timeout_s)
        while event.get("event") == "waiting":
            load.awaited = [int(number) for number in event["parts"]]
            event = load.event(max(0.0, deadline - time.monotonic()))
    except Late as late:
        if load.awaited:
            names = " and ".join(load.users[number].name for number in load.awaited)
            raise TrialFailed(f"{names} did not come in {timeout_s:g} s") from None
        raise TrialFailed(f"{late}: {load.log_tail()}") from None
    except Ended:
        raise TrialFailed(f"the load generator ended at its start: {load.log_tail()}") from None
    if event.get("event") != "ready":
        raise TrialFailed(f"the load generator said {event!r} instead of being ready")
