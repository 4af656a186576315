"""Whether a trial's numbers may be printed, and how far they can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.books import imbalance
from bench.analysis.why import GENERATOR_CORES, Evidence, delay_server_late, generator_bound
from bench.figures import milliseconds
from bench.stats import little_disagrees

if TYPE_CHECKING:
    from bench.record import Measured, TrialRecord

FEWEST_COMPLETIONS = 30
NOISE_SHARE = 0.05  # of all cores, for steal and for other programs


@dataclass(frozen=True, slots=True)
class Verdict:
    """``valid``, ``suspect``, ``invalid``, ``failed`` or ``skipped``, with every reason for it."""

    word: str
    reasons: tuple[str, ...]

    @property
    def usable(self) -> bool:
        """Its numbers may be printed."""
        return self.word in {"valid", "suspect"}


def judge(trial: TrialRecord, cores: int) -> Verdict:
    """The verdict on one trial on a machine of ``cores`` cores."""
    if trial.measured is None or trial.outcome != "measured":
        word = "skipped" if trial.outcome == "skipped" else "failed"
        return Verdict(word, (trial.reason or "no reason was recorded",))
    measured = trial.measured
    requests = measured.requests
    if requests.failed and not requests.succeeded:
        kinds = ", ".join(f"{count} {name}" for name, count in requests.failure_kinds.items())
        return Verdict("failed", (f"all requests failed: {kinds}",))
    evidence = Evidence(trial, measured, cores)
    invalid = _invalidating(evidence)
    if invalid:
        return Verdict("invalid", invalid)
    doubts = _doubts(measured, cores)
    return Verdict("suspect" if doubts else "valid", doubts)


def _invalidating(evidence: Evidence) -> tuple[str, ...]:
    measured = evidence.measured
    signals, process = measured.signals, measured.process
    reasons = []
    if generator_bound(evidence):
        reasons.append(
            f"the load generator used {signals.generator_cores:.2f} of its 1 core"
            f" (allowed: {GENERATOR_CORES})"
        )
    if process.workers != process.workers_after:
        reasons.append(
            f"the workers changed during the load: {_ids(process.workers)} before,"
            f" {_ids(process.workers_after)} after"
        )
    if measured.requests.redirects:
        count = measured.requests.redirects
        reasons.append(
            "1 answer was a redirect" if count == 1 else f"{count} answers were redirects"
        )
    if delay_server_late(measured):
        reasons.append(
            f"the delay server was late: p99 overshoot {signals.overshoot_p99_ms:.0f} ms"
        )
    return (*reasons, *imbalance(measured))


def _doubts(measured: Measured, cores: int) -> tuple[str, ...]:
    signals, latency = measured.signals, measured.latency
    reasons = []
    completions = measured.requests.window_succeeded
    if completions < FEWEST_COMPLETIONS:
        reasons.append(f"only {completions} completions in the window")
    little, mean = latency.mean_by_little_ms, latency.mean_measured_ms
    if little is not None and mean is not None and little_disagrees(mean, little):
        reasons.append(
            f"what finished took {milliseconds(mean)} on average, users / throughput is"
            f" {milliseconds(little)}: the warm-up was too short, or some users starve"
        )
    for name, used in (("steal", signals.steal_cores), ("other programs", signals.foreign_cores)):
        if used is not None and used > NOISE_SHARE * cores:
            reasons.append(f"{name} took {used / cores:.0%} of the machine's CPU")
    return tuple(reasons)


def _ids(pids: tuple[int, ...]) -> str:
    return ", ".join(map(str, pids)) or "none"
