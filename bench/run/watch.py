"""Watches the load from its first user to its last: samples, the window's two ends, deadlines."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import psutil

from bench.run.failure import TrialFailed
from bench.run.host import throttle
from bench.run.host.sampler import INTERVAL_S
from bench.run.process.children import Ended, Late

if TYPE_CHECKING:
    from bench.config import Profile
    from bench.records.trial_files import TrialFacts
    from bench.run.host.sampler import Sampler
    from bench.run.lab import Patience
    from bench.run.process.children import Child
    from bench.run.server.delay_server import DelayServer


def watch(
    load: Child,
    sampler: Sampler,
    delay: DelayServer,
    profile: Profile,
    facts: TrialFacts,
    patience: Patience,
) -> None:
    """Sample until the generator is done; ask the delay server at both ends of the window.

    Raises:
        TrialFailed: the generator ended or hangs.
    """
    clock = Clock()
    planned_s = profile.users / profile.spawn_rate + profile.warmup_s + profile.duration_s
    deadline = time.monotonic() + planned_s + patience.stall_s
    while True:
        if time.monotonic() > deadline:
            raise TrialFailed(
                f"the load generator hangs: not done {patience.stall_s:g} s after its time:"
                f" {load.log_tail()}"
            )
        try:
            event = load.event(clock.wait_s())
        except Late:
            _look(clock.due(), sampler, delay, facts)
            continue
        except Ended:
            raise TrialFailed(f"the load generator ended early: {load.log_tail()}") from None
        match event.get("event"):
            case "spawned":
                facts.t0_ns, facts.t1_ns = clock.set_window(int(event["spawned_ns"]), profile)
            case "stopping":
                # Who is alive now, before anything is stopped.
                facts.workers_after = [pid for pid in facts.workers if alive(pid)]
            case "done":
                return


def _look(due: str, sampler: Sampler, delay: DelayServer, facts: TrialFacts) -> None:
    sampler.look()
    if due == "t0":
        facts.throttle_t0 = throttle.look()
    elif due == "t1":
        facts.throttle_t1 = throttle.look()
    # Without an answer the figure stays unknown; the counters tell the rest.
    with contextlib.suppress(OSError, ValueError):
        if due == "t0":
            facts.upstream_t0 = delay.stats()
        elif due == "t1":
            facts.upstream_t1 = delay.stats()


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

    def set_window(self, spawned_ns: int, profile: Profile) -> tuple[int, int]:
        """All users were there at ``spawned_ns``: gives the window's two ends."""
        t0_ns = spawned_ns + int(profile.warmup_s * 1e9)
        t1_ns = t0_ns + int(profile.duration_s * 1e9)
        self._ends = [(t0_ns, "t0"), (t1_ns, "t1")]
        return t0_ns, t1_ns

    def wait_s(self) -> float:
        """Seconds until the next look."""
        due_ns = min([self._next_ns, *(ns for ns, _ in self._ends[:1])])
        return max(0.0, (due_ns - time.monotonic_ns()) / 1e9)

    def due(self) -> str:
        """What this look is for: ``t0``, ``t1`` or ``tick``."""
        now = time.monotonic_ns()
        if self._ends and now >= self._ends[0][0]:
            return self._ends.pop(0)[1]
        # From now on, not from when it was due: missed looks are not made up for.
        self._next_ns = now + int(INTERVAL_S * 1e9)
        return "tick"
