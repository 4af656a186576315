"""Whether a trial's numbers may be printed, and how far they can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from bench.analysis.doubts import doubts
from bench.analysis.reason import Kind, Reason
from bench.analysis.reconcile import disagreements
from bench.analysis.why import (
    GENERATOR_CORES,
    NOTABLE_WAIT,
    Evidence,
    delay_server_late,
    generator_bound,
)
from bench.records.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.records.model import Signals, TrialRecord


class Word(Enum):
    """The verdict in a word; the best comes first."""

    VALID = "valid"
    SUSPECT = "suspect"
    INVALID = "invalid"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one trial, or of all trials of a cell."""

    word: Word
    reasons: tuple[Reason, ...] = ()
    trials: int = 1
    unusable: int = 0  # of the trials, where others can be used

    @property
    def usable(self) -> bool:
        """Its numbers may be printed."""
        return self.word in {Word.VALID, Word.SUSPECT}


def judge(trial: TrialRecord, cores: int) -> Verdict:
    """The verdict on one trial that could use so many cores."""
    if trial.measured is None or trial.outcome is not Outcome.MEASURED:
        word = Word.SKIPPED if trial.outcome is Outcome.SKIPPED else Word.FAILED
        why = trial.reason or "no reason was recorded"
        return Verdict(word, (Reason(Kind.NOT_MEASURED, words=(why,)),))
    requests = trial.measured.requests
    if requests.failed and not requests.succeeded:
        kinds = requests.failure_kinds.items()
        return Verdict(
            Word.FAILED,
            tuple(Reason(Kind.ALL_FAILED, (count,), (name,)) for name, count in kinds),
        )
    evidence = Evidence(trial, trial.measured, cores)
    if invalid := _invalidating(evidence):
        return Verdict(Word.INVALID, invalid)
    reasons = doubts(evidence)
    return Verdict(Word.SUSPECT if reasons else Word.VALID, reasons)


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """One verdict for a cell; a trial that can't be used leaves a doubt on the others."""
    words = {verdict.word for verdict in verdicts}
    reasons = tuple(reason for verdict in verdicts for reason in verdict.reasons)
    count = len(verdicts)
    if words == {Word.VALID}:
        return Verdict(Word.VALID, (), count)
    if words & {Word.VALID, Word.SUSPECT}:
        unusable = sum(not verdict.usable for verdict in verdicts)
        return Verdict(Word.SUSPECT, reasons, count, unusable)
    word = next(word for word in (Word.INVALID, Word.FAILED, Word.SKIPPED) if word in words)
    return Verdict(word, reasons, count)


def _invalidating(evidence: Evidence) -> tuple[Reason, ...]:
    measured = evidence.measured
    signals, process = measured.signals, measured.process
    reasons = []
    if generator_bound(evidence):
        reasons.append(_generator(signals))
    if process.workers != process.workers_after:
        before, after = set(process.workers), set(process.workers_after)
        figures = (len(before), len(before - after), len(after - before))
        reasons.append(Reason(Kind.WORKERS_CHANGED, figures))
    if measured.requests.redirects:
        reasons.append(Reason(Kind.REDIRECTS, (measured.requests.redirects,)))
    if process.delay_exit is not None:
        reasons.append(Reason(Kind.DELAY_SERVER_ENDED, words=(str(process.delay_exit),)))
    if delay_server_late(measured) and signals.overshoot_p99_ms is not None:
        reasons.append(Reason(Kind.DELAY_SERVER_LATE, (signals.overshoot_p99_ms,)))
    return (*reasons, *disagreements(measured))


def _generator(signals: Signals) -> Reason:
    used, waited = signals.generator_cores, signals.generator_waited
    if used is None:
        return Reason(Kind.GENERATOR_WAITED, (waited or 0.0, GENERATOR_CORES))
    if waited is None or waited < NOTABLE_WAIT:
        return Reason(Kind.GENERATOR_BOUND, (used, GENERATOR_CORES))
    return Reason(Kind.GENERATOR_STARVED, (used, waited, GENERATOR_CORES))
