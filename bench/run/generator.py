"""The load generator as children: locust, headless, in its own environment, at its gate.

One process is the whole of it, or locust's master leads several, each on a core of its own where
there are cores (`locustfiles.crew`).
"""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    from bench.run.lab import Lab


THEIR_RAMP_S = 2.0  # of users who can't be told when to begin
GONE_EVERY_S = 0.2  # how often is looked whether a process has gone


@dataclass(slots=True)
class Load:
    """The load generator: one process, or locust's master with those that have users."""

    speaker: Child  # who hears us and tells
    users: tuple[Child, ...]  # the processes with users, where they are others
    _stopping: bool = False

    @property
    def pids(self) -> list[int]:
        """Of all its processes."""
        return [one.pid for one in (self.speaker, *self.users)]

    @property
    def user_pids(self) -> list[int]:
        """Of those with users, which can be what limits it."""
        return [one.pid for one in self.users or (self.speaker,)]

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
        "locustfiles/users.py" if theirs is None else f"locustfiles/theirs.py,{theirs.path}",
        folder,
        children.child_environment(**load, **fixed, **own),
    )
    leads = (
        *("--headless", "--only-summary"),
        *("--users", str(profile.at_once), "--spawn-rate", f"{_spawn_rate(profile, theirs):g}"),
        *("--exit-code-on-error", "0", "--stop-timeout", "0"),
    )
    processes = min(processes, profile.at_once)
    if processes > 1:
        return _several(starter, leads, processes)
    alone = starter.run("the load generator", "generator.log", lab.placement.generator, leads, {})
    return Load(alone, ())


@dataclass(frozen=True, slots=True)
class _Starter:
    """What the processes of a load generator have in common."""

    lab: Lab
    users: str  # the locustfiles
    folder: Path  # of the trial
    environment: Mapping[str, str]

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
            [self.lab.load_python, "-m", "locust", "-f", self.users, "--skip-log-setup", *options],
            keeper=self.lab.keeper,
            cwd=self.lab.root,
            env={**self.environment, **role},
            log=self.folder / log,
            tells="pipe",
            cpus=cpus,
        )


def _several(starter: _Starter, leads: Sequence[str], processes: int) -> Load:
    """Locust's master, and workers in its sense: each on a core of its own, if it has cores.

    They speak over loopback: locust's protocol asks nobody who he is.
    """
    cpus, port = starter.lab.placement.generator, str(free_port())
    parts = {"MATRIX_PARTS": str(processes)}
    with contextlib.ExitStack() as stack:

        def run(name: str, log: str, cpus: Sequence[int], *options: str, **role: str) -> Child:
            child = starter.run(name, log, cpus, options, {**parts, **role})
            stack.callback(child.stop, 0)
            return child

        master = run(
            "the load generator's master",
            "generator.log",
            cpus,
            *leads,
            *("--master", "--master-bind-host", HOST, "--master-bind-port", port),
            *("--expect-workers", str(processes)),
            MATRIX_ROLE="master",
        )
        users = [
            run(
                f"load generator process {number + 1}",
                f"generator-{number}.log",
                cpus and (cpus[number % len(cpus)],),
                *("--worker", "--master-host", HOST, "--master-port", port),
                MATRIX_ROLE="worker",
                MATRIX_PART=str(number),
            )
            for number in range(processes)
        ]
        stack.pop_all()  # none is stopped: all have been started
    return Load(master, tuple(users))


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
        event = load.event(timeout_s)
    except Late as late:
        raise TrialFailed(f"{late}: {load.log_tail()}") from None
    except Ended:
        raise TrialFailed(f"the load generator ended at its start: {load.log_tail()}") from None
    if event.get("event") != "ready":
        raise TrialFailed(f"the load generator said {event!r} instead of being ready")
