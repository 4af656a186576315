"""Watches the load from its first user to its last: samples, the window's two ends, deadlines."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import psutil

from bench.config import load_takes_s
from bench.run.busy import never_rests
from bench.run.failure import TrialFailed
from bench.run.host import throttle
from bench.run.host.sampler import INTERVAL_S
from bench.run.observer import Counts
from bench.run.open_pacing import OpenPacer
from bench.run.pacing import Pacer, Window
from bench.run.process.children import Ended, Late
from locustfiles import layout

if TYPE_CHECKING:
    from bench.records.trial_files import Look, TrialFacts
    from bench.run.generator import Load
    from bench.run.host.sampler import Sampler
    from bench.run.lab import Lab, Patience
    from bench.run.observer import Observer
    from bench.run.server.delay_server import DelayServer

# The load goes on a moment after the window, so its end is under full load too.
TAIL_S = 0.05
KEEPS_UP = 0.98  # completions of arrivals


def watch(load: Load, sampler: Sampler, facts: TrialFacts, lab: Lab) -> None:
    """Sample until the load is over: set the window, stop the load after it.

    The delay server is asked at both ends of the window.

    Raises:
        TrialFailed: the generator ended or hangs.
    """
    _Watch(load, sampler, facts, lab.delay, lab.patience, lab.observer).run()


@dataclass(slots=True)
class _Watch:
    load: Load
    sampler: Sampler
    facts: TrialFacts
    delay: DelayServer
    patience: Patience
    observer: Observer
    clock: Clock = field(init=False)
    pacer: Pacer | OpenPacer = field(init=False)
    looks: list[Look] = field(default_factory=list)  # since all users are there
    told: list[Counts] = field(default_factory=list)  # since all users are there
    shown_ns: int = 0  # of when those are that the observer has been told

    def __post_init__(self) -> None:
        facts = self.facts
        self.clock = Clock()
        self.pacer = (
            OpenPacer(facts.profile, stretch=facts.stretch)
            if facts.profile.rate is not None
            else Pacer(
                facts.profile,
                phase=facts.phase,
                stretch=facts.stretch,
                # The list alone: of the whole watch it would be a cycle, whose files stay open.
                busy=partial(never_rests, self.looks),
            )
        )

    def run(self) -> None:
        """Until the generator has stopped."""
        deadline = time.monotonic() + load_takes_s(self.facts.profile) + self.patience.stall_s
        while True:
            if time.monotonic() > deadline:
                raise TrialFailed(
                    f"the load generator hangs: not done {self.patience.stall_s:g} s after its"
                    f" time: {self.load.log_tail()}"
                )
            try:
                event = self.load.event(self.clock.wait_s())
            except Late:
                self._act(self.clock.due())
                continue
            except Ended:
                told = f"the load generator ended early: {self.load.log_tail()}"
                raise TrialFailed(told) from None
            if event.get("event") == "done":
                return
            self._hear(event)

    def _hear(self, event: dict[str, Any]) -> None:
        """What the generator tells."""
        match event.get("event"):
            case "spawned":
                self.looks.clear()
                self.told.clear()
                self.observer.phase("warm-up")
                self._count(int(event["spawned_ns"]), int(event["ended"]), int(event["started"]))
            case "count":
                self._count(int(event["ns"]), int(event["ended"]), int(event["started"]))
            case "overloaded":
                raise TrialFailed(self._overloaded())
            case "progress":
                counts = (int(event[name]) for name in ("started", "ended", "failed"))
                self.told.append(Counts(int(event["ns"]), *counts))
            case "failed":
                raise TrialFailed(str(event["reason"]))
            case "stopping":
                # Who is alive now, before anything is stopped.
                self.facts.workers_after = [pid for pid in self.facts.workers if alive(pid)]

    def _overloaded(self) -> str:
        """An open load has as many requests in flight as it may have."""
        profile = self.facts.profile
        arrivals, completions = f"arrivals {profile.rate:g}/s", ""
        # Of the later half: before it the first ones were on their way.
        later = [one for one in self.told if 2 * one.ns >= self.told[0].ns + self.told[-1].ns]
        if len(later) > 1:
            rate = (later[-1].ended - later[0].ended) / (later[-1].ns - later[0].ns) * 1e9
            behind = (
                f" and {layout.FALLS_BEHIND}" if rate < KEEPS_UP * (profile.rate or 0.0) else ""
            )
            completions = f", completions {rate:.4g}/s{behind}"
        return (
            f"{layout.OVERLOADED}: {arrivals}{completions}; {profile.at_once} requests were in"
            " flight, which is as many as may be (--in-flight)"
        )

    def _count(self, ns: int, ended: int, started: int) -> None:
        if self.facts.t0_ns:
            return
        window = self.pacer.tell(ns, ended, started)
        if window is not None:
            self.facts.t0_ns, self.facts.t1_ns = window.t0_ns, window.t1_ns
            self.facts.round_trip_s = window.round_trip_s
            self.clock.set_window(window)
            self.load.say(layout.SAY_COUNTED)

    def _act(self, due: str) -> None:
        if due == "stop":
            self.load.say(layout.SAY_STOP)
            return
        look = self.sampler.look()
        if not self.facts.t0_ns:
            self.looks.append(look)
        if due == "tick" and self.told and self.told[-1].ns != self.shown_ns:
            # Right after a look, which leaves most time until the next.
            self.observer.counted(self.told[-1])
            self.shown_ns = self.told[-1].ns
        if due == "t0":
            self.facts.throttle_t0 = throttle.look()
        elif due == "t1":
            self.facts.throttle_t1 = throttle.look()
        # Without an answer the figure stays unknown; the counters tell the rest.
        with contextlib.suppress(OSError, ValueError):
            if due == "t0":
                self.facts.upstream_t0 = self.delay.stats()
            elif due == "t1":
                self.facts.upstream_t1 = self.delay.stats()
        if due == "t0":
            self.observer.window((self.facts.t1_ns - self.facts.t0_ns) / 1e9)


def alive(pid: int) -> bool:
    """Whether a process still runs; one that has ended but is not yet reaped does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class Clock:
    """When to look next: every tenth of a second, and exactly at both ends of the window."""

    def __init__(self) -> None:
        self._next_ns = time.monotonic_ns()
        self._ends: list[tuple[int, str]] = []

    def set_window(self, window: Window) -> None:
        """Look at both its ends, and stop after it."""
        stop_ns = window.t1_ns + int(TAIL_S * 1e9)
        self._ends = [(window.t0_ns, "t0"), (window.t1_ns, "t1"), (stop_ns, "stop")]

    def wait_s(self) -> float:
        """Seconds until the next look."""
        due_ns = min([self._next_ns, *(ns for ns, _ in self._ends[:1])])
        return max(0.0, (due_ns - time.monotonic_ns()) / 1e9)

    def due(self) -> str:
        """What this look is for: ``t0``, ``t1``, ``stop`` or ``tick``."""
        now = time.monotonic_ns()
        if self._ends and now >= self._ends[0][0]:
            return self._ends.pop(0)[1]
        # From now on, not from when it was due: missed looks are not made up for.
        self._next_ns = now + int(INTERVAL_S * 1e9)
        return "tick"
