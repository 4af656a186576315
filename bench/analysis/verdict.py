"""Whether a trial's numbers may be printed, and how far they can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.doubts import doubts
from bench.analysis.reconcile import imbalance
from bench.analysis.why import (
    GENERATOR_CORES,
    Evidence,
    delay_server_late,
    generator_bound,
    generator_figures,
)

if TYPE_CHECKING:
    from bench.records.model import TrialRecord


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
    reasons = doubts(evidence)
    return Verdict("suspect" if reasons else "valid", reasons)


def _invalidating(evidence: Evidence) -> tuple[str, ...]:
    measured = evidence.measured
    signals, process = measured.signals, measured.process
    reasons = []
    if generator_bound(evidence):
        reasons.append(f"{generator_figures(evidence)} (allowed in all: {GENERATOR_CORES:.0%})")
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
    if process.delay_exit is not None:
        reasons.append(
            f"the delay server ended during the trial, with exit status {process.delay_exit}; it is"
            " started again for the next"
        )
    if delay_server_late(measured):
        reasons.append(
            f"the delay server was late: p99 overshoot {signals.overshoot_p99_ms:.0f} ms"
        )
    return (*reasons, *imbalance(measured))


def _ids(pids: tuple[int, ...]) -> str:
    return ", ".join(map(str, pids)) or "none"
