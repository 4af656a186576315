"""Which trials of a cell count: clean ones, else disturbed ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.doubts import remarks
from bench.analysis.evidence import Evidence
from bench.analysis.fitness import Fitness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.analysis.fitness import Judged
    from bench.analysis.reason import Reason
    from bench.records.model import Measured, TrialRecord

LEAST = 2  # trials


@dataclass(frozen=True, slots=True)
class Counted:
    """A trial whose figures count.

    ``measured`` may be what it would have read on a machine of the usual speed; then its throughput
    is ``corrected`` times what was read (`bench.analysis.usual_speed`).
    """

    trial: TrialRecord
    measured: Measured
    judged: Judged
    remarks: tuple[Reason, ...]
    corrected: float = 1.0


def counted(judged: Sequence[tuple[TrialRecord, Judged]], cores: int) -> tuple[Counted, ...]:
    """Those of one cell that count.

    A swing slower than its window is one trial's phase of it; a longer window sees more of it, so
    it takes the place of a shorter one that swung.
    """
    for fitness in (Fitness.CLEAN, Fitness.DISTURBED):
        found = [
            Counted(trial, trial.measured, one, remarks(Evidence(trial, trial.measured, cores)))
            for trial, one in judged
            if one.fitness is fitness and trial.measured is not None
        ]
        if found:
            return _steadiest(found)
    return ()


def _steadiest(found: Sequence[Counted]) -> tuple[Counted, ...]:
    """Without the swinging ones that a longer window has been made for, if enough are left.

    One alone may be of either of two regimes, which those that it would replace may show.
    """
    longest = max(one.measured.load.stretch for one in found)
    steady = [one for one in found if not _swings(one) or one.measured.load.stretch == longest]
    return tuple(steady if len(steady) >= LEAST else found)


def _swings(one: Counted) -> bool:
    return one.measured.steadiness is not None and one.measured.steadiness.swings
