"""How far the figures are from the truth, where the truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from bench.analysis.fitness import judge
from bench.config import fixed
from bench.report.reasons import of_trial
from bench.run.host.machine import describe
from bench.selfcheck.figure import Figure
from bench.selfcheck.real_regimes import regimes
from bench.selfcheck.targets import (
    BEAT_S,
    DECLARED,
    ends,
    folder_of,
    served_ms,
    served_rps,
    targets,
)
from bench.selfcheck.trials import cell, trials
from bench.stats import hann_rate, plain_rate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from bench.paths import Paths
    from bench.records.model import Measured, TrialRecord
    from bench.selfcheck.target import Distribution
from bench.selfcheck.trials import Trials

SHARE, MS = 0.01, 2.0  # allowed, whichever is more
# Alone: answers that come at the same moment are waited for one after the other, by the server
# and by the generator, and that is no error.
USERS = {"constant": 1, "bimodal": 1, "bimodal2": 1, "uniform": 10}
TOGETHER = 6  # where throughput is looked at: 40 to 400 requests/s
TIMES = 5  # trials of each; a machine that stalls for a moment spoils one
WINDOW_S = 13.0  # alone, enough for a p99
QUICK_WINDOW_S = 1.0
# What is claimed, and so what is held to a bound, are the figures of trials that the verdict
# finds nothing against; of others the report says itself that they are doubtful.
TRIES_EACH = 3
PERCENTILES = {"p50": 0.50, "p90": 0.90, "p99": 0.99}
BEAT_USERS, BEAT_WINDOW_S = 50, 6.0
PHASES = 40
NONE_VALID = "no trial was valid: the machine is too noisy; `nox -s doctor` says why"


@dataclass(frozen=True, slots=True)
class Check:
    """One percentile of one target, in ms; None where nothing was printed.

    ``served_ms`` is the truth: what the target itself took, by its own clock and count.
    """

    name: str
    declared_ms: float
    served_ms: float
    value_ms: float | None
    locust_ms: float | None

    @property
    def allowed_ms(self) -> float:
        """1 % or 2 ms, whichever is more."""
        return max(MS, SHARE * self.served_ms)

    @property
    def error_ms(self) -> float:
        """Distance from the truth; infinite where there is no value."""
        return float("inf") if self.value_ms is None else abs(self.value_ms - self.served_ms)

    def text(self) -> str:
        """Declared, served, ours and Locust's with its error."""
        ours = "withheld" if self.value_ms is None else f"{self.value_ms:.1f}"
        locust = "none"
        if self.locust_ms is not None:
            locust = f"{self.locust_ms:g} ({self.locust_ms - self.served_ms:+.1f})"
        return (
            f"{self.name} declared {self.declared_ms:.1f} ms, served {self.served_ms:.1f}:"
            f" {ours}, Locust {locust}"
        )


@dataclass(frozen=True, slots=True)
class Latencies:
    """One trial's percentiles; the verdict's reasons against it; lateness of a timer, p99, ms."""

    doubts: tuple[str, ...]
    checks: tuple[Check, ...]
    late_ms: float


@dataclass(frozen=True, slots=True)
class Throughput:
    """One trial's throughput and the truth; the verdict's reasons against it."""

    doubts: tuple[str, ...]
    ours_rps: float
    served_rps: float

    @property
    def error(self) -> float:
        """Share by which ours is off."""
        return abs(self.ours_rps / self.served_rps - 1)


Found = TypeVar("Found", Latencies, Throughput)


def run(paths: Paths, quick: bool) -> list[Figure]:  # noqa: FBT001 - of `CHECKS`
    """Percentiles and throughput of targets whose latencies are declared."""
    cells = [cell("async", kind) for kind in (*DECLARED, "beat")]
    with (
        trials(paths, fixed(8, 1.0, 6.0), cells, delay_s=1.0) as opened,
        targets(opened) as bench,
    ):
        kinds = [*DECLARED][:1] if quick else [*DECLARED]
        found = [outcome for kind in kinds for outcome in _kind(bench, kind, quick=quick)]
        return [*found, *(() if quick else (phases(bench), regimes(bench)))]


def _kind(bench: Trials, kind: str, *, quick: bool) -> list[Figure]:
    times, window_s = (1, QUICK_WINDOW_S) if quick else (TIMES, WINDOW_S)
    # Quick, any trial will do, so that a noisy machine takes no longer.
    taken = _first if quick else _valid
    return [
        latency_outcome(kind, taken(lambda: latencies(bench, kind, window_s), times)),
        throughput_outcome(kind, taken(lambda: throughput(bench, kind, window_s), times)),
    ]


def _first(one: Callable[[], Found], times: int) -> list[Found]:
    """So many trials, whatever the verdict."""
    return [one() for _ in range(times)]


def _valid(one: Callable[[], Found], times: int) -> list[Found]:
    """So many trials that the verdict finds nothing against, or fewer if they don't come."""
    found: list[Found] = []
    for _ in range(TRIES_EACH * times):
        trial = one()
        if not trial.doubts:
            found.append(trial)
        if len(found) == times:
            break
    return found


def latency_outcome(kind: str, found: Sequence[Latencies]) -> Figure:
    """The percentile that is farthest off, by the median of its errors; none: infinitely far."""
    what = f"{kind}: worst error of p50, p90, p99 (medians of {len(found)} valid trials)"
    if not found:
        return Figure(what, float("inf"), MS, " ms", NONE_VALID)
    checks = median_checks([trial.checks for trial in found])
    worst = max(checks, key=lambda check: check.error_ms / check.allowed_ms)
    late_ms = median(trial.late_ms for trial in found)
    told = [*(check.text() for check in checks), f"the generator's timer late by {late_ms:.1f} p99"]
    return Figure(what, worst.error_ms, worst.allowed_ms, " ms", "; ".join(told))


def throughput_outcome(kind: str, found: Sequence[Throughput]) -> Figure:
    """The trial whose error is the median; none: infinitely far."""
    what = f"{kind}: error of the throughput (median of {len(found)} valid trials)"
    if not found:
        return Figure(what, float("inf"), SHARE * 100, " %", NONE_VALID)
    middle = sorted(found, key=lambda trial: trial.error)[len(found) // 2]
    told = f"{middle.ours_rps:.1f}/s, the target's own count {middle.served_rps:.1f}/s"
    return Figure(what, middle.error * 100, SHARE * 100, " %", told)


def latencies(bench: Trials, kind: str, duration_s: float) -> Latencies:
    """One trial: each percentile beside what the target itself served."""
    which = cell("async", kind)
    profile = fixed(USERS[kind], 1.0, duration_s)
    record, measured = bench.under(profile, delay_s=1.0).measured(which)
    took_ms = served_ms(folder_of(bench, which), measured)
    late_ms = measured.signals.generator_late_p99_ms or 0.0
    checks = percentiles(measured, DECLARED[kind], took_ms)
    return Latencies(_doubts(record), tuple(checks), late_ms)


def throughput(bench: Trials, kind: str, duration_s: float) -> Throughput:
    """One trial: our throughput, and the target's own count."""
    which = cell("async", kind)
    profile = fixed(TOGETHER, 1.0, duration_s)
    record, measured = bench.under(profile, delay_s=1.0).measured(which)
    count_rps = served_rps(folder_of(bench, which), measured)
    return Throughput(_doubts(record), measured.throughput_rps, count_rps)


def _doubts(record: TrialRecord) -> tuple[str, ...]:
    return tuple(of_trial(judge(record, describe().cores)))


def median_checks(trials: Sequence[Sequence[Check]]) -> list[Check]:
    """Of each percentile the trial whose error is the median; one withheld counts as far off."""
    middle = len(trials) // 2
    return [
        sorted(same, key=lambda check: check.error_ms)[middle] for same in zip(*trials, strict=True)
    ]


def percentiles(
    measured: Measured, declared: Distribution, took_ms: NDArray[np.float64]
) -> list[Check]:
    """Each percentile beside the truth.

    A sample of n tells a percentile to within one request, so at the edge between two parts
    of a distribution (1 % of 500 ms, and the 99th percentile) either side is the truth.
    """
    latency, locust = measured.latency, measured.locust
    values = {"p50": latency.p50, "p90": latency.p90, "p99": latency.p99}
    return [
        _check(name, level, declared, took_ms, values[name].value_ms, locust)
        for name, level in PERCENTILES.items()
    ]


def _check(
    name: str,
    level: float,
    declared: Distribution,
    took_ms: NDArray[np.float64],
    value_ms: float | None,
    locust: Mapping[str, float | None],
) -> Check:
    n = len(took_ms)
    levels = np.clip([level, level - 1 / n, level + 1 / n], 0, 1)
    truths = np.quantile(took_ms, levels, method="inverted_cdf")
    near = truths[0] if value_ms is None else min(truths, key=lambda ms: abs(ms - value_ms))
    return Check(name, declared.quantile(level), float(near), value_ms, locust.get(f"{name}_ms"))


def phases(bench: Trials) -> Figure:
    """Answers that come all at once: the throughput must not depend on where the window begins."""
    which = cell("async", "beat")
    profile = fixed(BEAT_USERS, 2.5, BEAT_WINDOW_S + 2 * BEAT_S)
    _, measured = bench.under(profile, delay_s=1.0).measured(which)
    end_ns = ends(folder_of(bench, which))
    truth, window_ns = BEAT_USERS / BEAT_S, int(BEAT_WINDOW_S * 1e9)
    starts = measured.load.t0_ns + np.linspace(0, BEAT_S * 1e9, PHASES).astype(np.int64)
    ours = [hann_rate(end_ns, int(t0), int(t0) + window_ns) / truth - 1 for t0 in starts]
    plain = [plain_rate(end_ns, int(t0), int(t0) + window_ns) / truth - 1 for t0 in starts]
    return Figure(
        f"answers all at once each {BEAT_S} s: worst error of the throughput at {PHASES} phases",
        max(map(abs, ours)) * 100,
        SHARE * 100,
        " %",
        f"a plain count: {max(map(abs, plain)):.1%}",
    )
