"""How far the figures are from the truth, where the truth is known."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.benchmarks.outcome import Outcome
from bench.benchmarks.targets import BEAT_S, DECLARED, ends, folder_of, served_rps, targets
from bench.benchmarks.trials import cell, short, trials
from bench.stats import hann_rate, plain_rate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.benchmarks.target import Distribution
    from bench.benchmarks.trials import Trials
    from bench.record import Measured
    from bench.run.paths import Paths

SHARE, MS = 0.01, 2.0  # allowed, whichever is more
# Alone: answers that come at the same moment are waited for one after the other, by the server
# and by the generator, and that is no error.
ALONE = {"constant": 1, "bimodal": 1, "bimodal2": 1, "uniform": 10}
TOGETHER = 12  # where throughput is looked at: 60 to 550 requests/s
TIMES = 3  # trials of each; a machine that stalls for a moment spoils one
PERCENTILES = {"p50": 0.50, "p90": 0.90, "p99": 0.99}
WINDOW_S = 12.0
BEAT_USERS, BEAT_WINDOW_S = 50, 6.0
PHASES = 40


@dataclass(frozen=True, slots=True)
class Check:
    """One percentile of one target. Errors are in ms; None where nothing was printed."""

    name: str
    truth_ms: float
    value_ms: float | None
    locust_ms: float | None

    @property
    def allowed_ms(self) -> float:
        """1 % or 2 ms, whichever is more."""
        return max(MS, SHARE * self.truth_ms)

    @property
    def error_ms(self) -> float:
        """Distance from the truth; infinite where there is no value."""
        return float("inf") if self.value_ms is None else abs(self.value_ms - self.truth_ms)

    def text(self) -> str:
        """Truth, ours, Locust's, and both errors."""
        ours = "withheld" if self.value_ms is None else f"{self.value_ms:.1f}"
        theirs, off = "none", ""
        if self.locust_ms is not None:
            theirs, off = f"{self.locust_ms:g}", f" ({self.locust_ms - self.truth_ms:+.1f})"
        return f"{self.name} {self.truth_ms:.1f} ms: {ours}, Locust {theirs}{off}"


def run(paths: Paths) -> list[Outcome]:
    """Percentiles and throughput of targets whose latencies are declared."""
    cells = [cell("async", kind) for kind in (*DECLARED, "beat")]
    with (
        trials(paths, short(8, 1.0, 6.0), cells, delay_s=1.0) as opened,
        targets(opened) as bench,
    ):
        found = [outcome for kind in DECLARED for outcome in _kind(bench, kind)]
        return [*found, phases(bench)]


def _kind(bench: Trials, kind: str) -> list[Outcome]:
    checks = median_checks([latencies(bench, kind, WINDOW_S) for _ in range(TIMES)])
    worst = max(checks, key=lambda check: check.error_ms / check.allowed_ms)
    rates = [throughput(bench, kind, WINDOW_S) for _ in range(TIMES)]
    errors = [abs(ours / theirs - 1) for ours, theirs in rates]
    told = ", ".join(f"{ours:.1f}/s of {theirs:.1f}/s" for ours, theirs in rates)
    return [
        Outcome(
            f"{kind}: worst error of p50, p90, p99 (medians of {TIMES})",
            worst.error_ms,
            worst.allowed_ms,
            " ms",
            "; ".join(check.text() for check in checks),
        ),
        Outcome(
            f"{kind}: error of the throughput (median of {TIMES})",
            statistics.median(errors) * 100,
            SHARE * 100,
            " %",
            f"ours of the target's own count: {told}",
        ),
    ]


def latencies(bench: Trials, kind: str, duration_s: float) -> list[Check]:
    """One trial: each percentile against the declared one."""
    profile = short(ALONE[kind], 1.0, duration_s)
    _, measured = bench.under(profile, delay_s=1.0).measured(cell("async", kind))
    return percentiles(measured, DECLARED[kind])


def throughput(bench: Trials, kind: str, duration_s: float) -> tuple[float, float]:
    """One trial: our throughput, and the target's own count."""
    which = cell("async", kind)
    profile = short(TOGETHER, 1.0, duration_s)
    _, measured = bench.under(profile, delay_s=1.0).measured(which)
    return measured.throughput_rps, served_rps(folder_of(bench, which), measured)


def median_checks(trials: Sequence[Sequence[Check]]) -> list[Check]:
    """Of each percentile the trial whose error is the median; one withheld counts as far off."""
    middle = len(trials) // 2
    return [
        sorted(same, key=lambda check: check.error_ms)[middle] for same in zip(*trials, strict=True)
    ]


def percentiles(measured: Measured, declared: Distribution) -> list[Check]:
    """Each percentile beside the truth.

    A sample of n tells a percentile to within one request, so at the edge between two parts
    of a distribution (1 % of 500 ms, and the 99th percentile) either side is the truth.
    """
    latency, locust = measured.latency, measured.locust
    share = 1.0 / max(1, measured.requests.window_succeeded)
    values = {"p50": latency.p50, "p90": latency.p90, "p99": latency.p99}
    return [
        _check(name, declared, level, share, values[name].value_ms, locust)
        for name, level in PERCENTILES.items()
    ]


def _check(
    name: str,
    declared: Distribution,
    level: float,
    share: float,
    value_ms: float | None,
    locust: Mapping[str, float | None],
) -> Check:
    truths = [declared.quantile(at) for at in (level, level - share, level + share)]
    near = truths[0] if value_ms is None else min(truths, key=lambda ms: abs(ms - value_ms))
    return Check(name, near, value_ms, locust.get(f"{name}_ms"))


def phases(bench: Trials) -> Outcome:
    """Answers that come all at once: the throughput must not depend on where the window begins."""
    which = cell("async", "beat")
    profile = short(BEAT_USERS, 2.5, BEAT_WINDOW_S + 2 * BEAT_S)
    _, measured = bench.under(profile, delay_s=1.0).measured(which)
    end_ns = ends(folder_of(bench, which))
    truth, window_ns = BEAT_USERS / BEAT_S, int(BEAT_WINDOW_S * 1e9)
    starts = measured.load.t0_ns + np.linspace(0, BEAT_S * 1e9, PHASES).astype(np.int64)
    ours = [hann_rate(end_ns, int(t0), int(t0) + window_ns) / truth - 1 for t0 in starts]
    plain = [plain_rate(end_ns, int(t0), int(t0) + window_ns) / truth - 1 for t0 in starts]
    return Outcome(
        f"answers all at once each {BEAT_S} s: worst error of the throughput at {PHASES} phases",
        max(map(abs, ours)) * 100,
        SHARE * 100,
        " %",
        f"a plain count: {max(map(abs, plain)):.1%}",
    )
