"""Whether a capacity is what it is: that of queues whose law is known.

The delay server serves one at a time, for even times or exponential ones: with Poisson arrivals
M/D/1 and M/M/1, of which the whole law of the time in the system is known. The way there and back
adds to it; that is what a request takes beyond its service where hardly any other is there.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING

from bench.analysis.arrivals import LATE, lateness_ms
from bench.capacity.search import Point, find, next_rate
from bench.capacity.slo import Slo, parse
from bench.capacity.trials import Cell as Seen
from bench.capacity.trials import paced, point
from bench.config import fixed
from bench.digest.raw import Raw, read_all
from bench.digest.read import trial_facts
from bench.digest.requests import watched
from bench.digest.trial import figures
from bench.errors import RequirementError
from bench.run.control import queues, run_control
from bench.selfcheck.figure import Figure
from bench.selfcheck.queue_laws import capacity, percentile_md1, percentile_mm1
from bench.selfcheck.trials import cell, trials
from bench.stats import pooled_percentile
from bench.text import number

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.paths import Paths
    from bench.records.model import Measured
    from bench.run.lab import Lab

SERVICE_US = 2000
FULL_RPS = 1e6 / SERVICE_US
BOUND = "p99<25ms"
LOADS = (0.5, 0.8)
ALONE = 0.05  # load
MOST, WINDOW_S, QUICK_S = 16, 14.0, 2.0
REPEATS = 3  # of a load whose p99 is held against the law's
WITHIN = 0.05
MOST_S = 60.0  # of a trial


@dataclass(frozen=True, slots=True)
class Queue:
    """One of them, on an open lab."""

    name: str
    even: bool
    percentile: Callable[[float, float, float], float]  # q, rate, service in s; gives s
    lab: Lab
    folder: Path

    def measure(self, rate: float, slos: tuple[Slo, ...], window_s: float) -> tuple[Raw, Measured]:
        """One open load of it, in a window so long.

        Raises:
            RequirementError: it failed.
        """
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        seen = Seen(FULL_RPS, SERVICE_US / 1e6)
        profile = paced(fixed(1, 1.0, 1.0, delay_s=0.0), rate, seen, slos, MOST_S)
        profile = replace(profile, in_flight=2000, duration_s=window_s)
        asks = queues(SERVICE_US, even=self.even)
        run_control(profile, self.lab, self.folder, asks=asks)
        failure = trial_facts(self.folder).failure
        if failure is not None:
            raise RequirementError(f"The queue {self.name} at {number(rate)}/s: {failure}")
        raw = read_all(self.folder)
        return raw, figures(raw, watched(raw))


QUEUES = (("M/D/1", True, percentile_md1), ("M/M/1", False, percentile_mm1))


def run(paths: Paths, quick: bool) -> list[Figure]:  # noqa: FBT001 - of `CHECKS`
    """Each queue's capacity, and its p99 at two loads."""
    slos = parse((BOUND,))
    found = []
    with trials(paths, fixed(4, 0.5, 1.0), [cell("async", "noop")], delay_s=0.0) as bench:
        for name, even, law in QUEUES[:1] if quick else QUEUES:
            lab, folder = bench.runner.lab, bench.runner.folder / "queue"
            queue = Queue(name, even, law, lab, folder)
            way_ms = _way_ms(replace(queue, even=True), slos, quick=quick)
            found += [_p99(queue, load, way_ms, slos, quick=quick) for load in LOADS]
            found.append(_capacity(queue, way_ms, slos, quick=quick))
    return found


def _way_ms(queue: Queue, slos: tuple[Slo, ...], *, quick: bool) -> float:
    """What the way there and back takes: beyond an even service, where nobody waits."""
    _, measured = queue.measure(ALONE * FULL_RPS, slos, QUICK_S if quick else WINDOW_S)
    found = measured.latency.p50.value_ms
    if found is None:
        raise RequirementError(f"The queue {queue.name} has no median: {measured.latency.p50}")
    return found - SERVICE_US / 1e3


def _p99(queue: Queue, load: float, way_ms: float, slos: tuple[Slo, ...], *, quick: bool) -> Figure:
    """By how much the law's lies outside the interval of what was measured."""
    rate = load * FULL_RPS
    truth_ms = 1e3 * queue.percentile(0.99, rate, SERVICE_US / 1e6) + way_ms
    repeats, window_s = (1, QUICK_S) if quick else (REPEATS, 2.0 * WINDOW_S)
    each = [queue.measure(rate, slos, window_s)[1].latency.p99 for _ in range(repeats)]
    p99 = pooled_percentile(each, None)
    low, high = p99.low_ms or p99.over_ms or 0.0, p99.high_ms
    above = 0.0 if high is None else truth_ms / high - 1.0
    outside = max(0.0, low / truth_ms - 1.0, above)
    value = number(p99.value_ms) if p99.value_ms is not None else "not known"
    ends = f"{number(low)} or more" if high is None else f"{number(low)} to {number(high)}"
    told = f"{value} ms ({ends}), by its law {number(truth_ms)}"
    return Figure(f"{queue.name} at {load:.0%}: p99 outside its interval", outside, 0.0, "", told)


def _capacity(queue: Queue, way_ms: float, slos: tuple[Slo, ...], *, quick: bool) -> Figure:
    """How far it is from the law's."""
    within_s = (slos[0].within_s or 0.0) - way_ms / 1e3
    truth = capacity(queue.percentile, 0.99, within_s, SERVICE_US / 1e6)
    points: list[Point] = []
    late_ms = []
    for _ in range(4 if quick else MOST):
        if find(points, slos).known(WITHIN):
            break
        rate = next_rate(points, slos, FULL_RPS, WITHIN)
        if rate is None:
            break
        raw, measured = queue.measure(rate, slos, QUICK_S if quick else WINDOW_S)
        late_ms.append(lateness_ms(measured))
        if late_ms[-1] <= LATE * 1e3 * (slos[0].within_s or 0.0):
            points.append(point(raw, rate, slos))
    found = find(points, slos)
    value = found.value or 0.0
    ends = f"{number(found.low or 0.0)} to {number(found.high or 0.0)}"
    told = (
        f"{number(value)}/s ({ends}) keep {BOUND}, by its law {number(truth)}; {len(points)}"
        f" trials, way {number(way_ms)} ms, generator late {number(median(late_ms))} ms"
    )
    return Figure(f"{queue.name}: capacity off by", abs(value / truth - 1.0), WITHIN, "", told)
