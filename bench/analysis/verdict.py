"""A row's verdict: how well its throughput is known, and what else must be said of its trials."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from bench.analysis.fitness import Fitness
from bench.analysis.reason import Kind, Reason

if TYPE_CHECKING:
    from bench.analysis.known import Known


class Word(Enum):
    """The verdict in a word; the best comes first."""

    VALID = "valid"  # known to the precision asked for
    ROUGH = "rough"  # known less well, or with a doubt
    UNSTABLE = "unstable"  # two regimes
    INVALID = "invalid"
    FAILED = "failed"
    SKIPPED = "skipped"


CORRECTED = 1.1  # times, from which on a row says so
SWUNG = Reason(Kind.SWUNG)  # why a clean trial doesn't count


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of all trials of a cell."""

    word: Word
    reasons: tuple[Reason, ...] = ()
    trials: int = 1  # that count
    remarks: tuple[Reason, ...] = ()  # of figures beside the throughput
    set_aside: tuple[Reason, ...] = ()  # why trials don't count, where others do
    aside: int = 0  # how many trials that are

    @property
    def usable(self) -> bool:
        """Its numbers may be printed."""
        return self.word in {Word.VALID, Word.ROUGH, Word.UNSTABLE}


def verdict(known: Known, precision: float) -> Verdict:
    """The verdict on a cell whose throughput should be known to ``precision`` (0.1: 10 %)."""
    if not known.counted:
        return _without_numbers(known)
    aside = [judged for trial, judged in known.judged if trial not in known.trials]
    reasons = _reasons(known, precision)
    word = Word.UNSTABLE if known.regimes else Word.ROUGH if reasons else Word.VALID
    return Verdict(
        word=word,
        reasons=tuple(reasons),
        trials=len(known.counted),
        remarks=(*_speed(known), *(reason for one in known.counted for reason in one.remarks)),
        set_aside=tuple(reason for judged in aside for reason in judged.reasons or (SWUNG,)),
        aside=len(aside),
    )


def _without_numbers(known: Known) -> Verdict:
    found = {judged.fitness for _, judged in known.judged}
    words = ((Fitness.INVALID, Word.INVALID), (Fitness.FAILED, Word.FAILED))
    word = next((word for fitness, word in words if fitness in found), Word.SKIPPED)
    reasons = tuple(reason for _, judged in known.judged for reason in judged.reasons)
    return Verdict(word, reasons, len(known.judged))


def _reasons(known: Known, precision: float) -> list[Reason]:
    """Why the throughput isn't known to the precision, or is doubtful."""
    reasons: list[Reason] = []
    if known.regimes is not None:
        low, high = known.regimes.low, known.regimes.high
        figures = (_mean(low), _mean(high), len(low), len(high))
        if known.more:
            reasons.append(Reason(Kind.FALLS_APART, (*figures, known.more)))
        else:
            reasons.append(Reason(Kind.TWO_REGIMES, figures))
    elif len(known.counted) == 1:
        reasons.append(Reason(Kind.ONE_TRIAL))
    elif known.half_width is None:
        reasons.append(Reason(Kind.NOTHING_COMPLETED))
    if known.regimes is None and known.half_width is not None and known.half_width > precision:
        reasons.append(Reason(Kind.IMPRECISE, (known.half_width, precision)))
    if known.regimes is None and known.more:
        reasons.append(Reason(Kind.ODD_TRIAL, (len(known.counted), known.more)))
    if known.disturbed:
        reasons += [reason for one in known.counted for reason in one.judged.reasons]
    if known.swings:
        reasons.append(Reason(Kind.SWINGS, known.swings))
    return reasons + [reason for one in known.counted for reason in one.judged.doubts]


def _speed(known: Known) -> tuple[Reason, ...]:
    """That a trial was corrected by much."""
    factors = [one.corrected for one in known.counted]
    least, most = min(factors), max(factors)
    if max(most, 1.0 / least) <= CORRECTED:
        return ()
    return (Reason(Kind.MACHINE_SPEED, (least, most)),)


def _mean(values: tuple[float, ...]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))
