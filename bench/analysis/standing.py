"""How well each cell is known so far, for the scheduler: widths and counts, and no values.

What decides whether a cell is measured again must not look at who is ahead: the widths are those
of the pooled spread, since stopping by a cell's own spread makes intervals that hold the truth too
seldom.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.fitness import Fitness
from bench.analysis.known import Known, knowledge
from bench.analysis.reason import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bench.records.model import TrialRecord

LEAST = 2  # trials of a cell
GENERATOR_KINDS = {
    Kind.GENERATOR_BOUND,
    Kind.GENERATOR_STARVED,
    Kind.GENERATOR_WAITED,
    Kind.GENERATORS_BOUND,
}
A_LITTLE_S = 1e-3  # windows are whole nanoseconds
MOST_UNUSABLE = 4  # trials of a cell of which none could be used: another won't be, either


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one cell."""

    clean: bool = False  # some trial counts that was not disturbed
    trials: int = 0  # that count
    hopeless: bool = False  # it fails, is skipped or is invalid each time
    half_width: float | None = None  # of the interval, as a share: 0.11 for ± 11 %
    regimes: bool = False  # two of them: no interval will get narrower
    more: int = 0  # trials that a gap between them needs before it is judged
    swings: bool = False  # more slowly than its window, which can be longer yet
    stretch: int = 1  # of its next trial's window
    generators: int = 1  # processes that its load needs
    trial_s: float = 0.0  # that its last trial took, all in all


def standings(trials: Iterable[TrialRecord], cores: int) -> Mapping[str, Standing]:
    """By cell; one never tried is absent."""
    return {cell: _standing(known) for cell, known in knowledge(trials, cores).items()}


def _standing(known: Known) -> Standing:
    stretch, swings = _stretch(known)
    return Standing(
        clean=bool(known.counted) and not known.disturbed,
        trials=len(known.counted),
        hopeless=_hopeless(known),
        half_width=known.half_width,
        regimes=known.regimes is not None and known.regimes.settled,
        more=known.more,
        swings=swings,
        stretch=stretch,
        generators=_generators(known),
        trial_s=known.judged[-1][0].wall_s,
    )


def _hopeless(known: Known) -> bool:
    found = [judged.fitness for _, judged in known.judged]
    nothing = [one for one in known.counted if one.measured.throughput_rps == 0]
    if nothing:  # then there is no interval, however many trials
        return len(known.counted) >= (
            LEAST if len(nothing) == len(known.counted) else MOST_UNUSABLE
        )
    if any(fitness in {Fitness.CLEAN, Fitness.DISTURBED} for fitness in found):
        return False
    never = all(fitness in {Fitness.FAILED, Fitness.SKIPPED} for fitness in found)
    return len(found) >= (2 if never else MOST_UNUSABLE)


def _generators(known: Known) -> int:
    """Twice as many as were the bound of a trial; else as many as there were."""
    needed = 1
    for trial, judged in known.judged:
        if trial.measured is not None:
            bound = any(reason.kind in GENERATOR_KINDS for reason in judged.reasons)
            needed = max(needed, trial.measured.load.generators * (2 if bound else 1))
    return needed


def _stretch(known: Known) -> tuple[int, bool]:
    """The next window's, and whether the last one was too short for a swing."""
    if not known.counted:
        return 1, False
    last = known.counted[-1]
    load, steadiness = last.measured.load, last.measured.steadiness
    if steadiness is None or not steadiness.swings:
        return load.stretch, False
    longer = load.duration_s < load.longest_s - A_LITTLE_S
    return 2 * load.stretch if longer else load.stretch, longer
