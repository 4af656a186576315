"""What a measurement says of a question: a sentence for each contest, and what to do. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.analysis.effects import SAME, between
from bench.analysis.effects import Outcome as Effect
from bench.analysis.packages import apart
from bench.report.reasons import sentences
from bench.text import number
from bench.turns.judge import Outcome, judge
from bench.turns.model import CPU, TURNS, A, B

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.analysis.packages import Environments
    from bench.analysis.rows import Row
    from bench.config.settings import Held, Question
    from bench.turns.model import Contest
    from bench.turns.schedule import Progress

# Cells that are held against each other by trials wait for something, too. Those that are asked in
# turn compute: what a client takes between two requests is none of what they take.
TIME, COST = "time per request", "CPU per request"
HALF = 0.5  # from there on it is easier to think of how much faster it is
OF_EFFECT = {Effect.SAME: Outcome.SAME, Effect.UNKNOWN: Outcome.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Told:
    """One contest: ``ratio`` times what its a takes, its b takes."""

    says: str  # what b is
    than: str  # what a is
    where: str  # what both have in common
    outcome: Outcome
    ratio: float | None  # None: not known at all
    low: float | None  # 95 % confidence interval
    high: float | None
    how: str
    measure: str = TIME  # what a request takes
    packages: tuple[str, ...] = ()  # of two Pythons, whose versions differ as well

    @property
    def sentence(self) -> str:
        """With its interval, and what else differs."""
        differ = f"; packages differ, too: {', '.join(self.packages)}" if self.packages else ""
        return f"{self._said}{differ}"

    @property
    def _said(self) -> str:
        if self.ratio is None or self.low is None or self.high is None:
            return f"{self.says} against {self.than}: no answer: {self.how}"
        times = f"{number(self.ratio)}× ({number(self.low)} to {number(self.high)})"
        match self.outcome:
            case Outcome.SAME:
                return (
                    f"{self.says} and {self.than} take the same {self.measure} within"
                    f" {SAME:.0%}: {times}"
                )
            case Outcome.UNKNOWN:
                return f"{self.says} against {self.than}: not known yet, {times} the {self.measure}"
            case _:
                more = f": {number(1 / self.ratio)} times as many requests"
                rest = more if self.ratio <= HALF else ""
                return f"{self.says}: {times} the {self.measure} of {self.than}{rest}"


@dataclass(frozen=True, slots=True)
class Answer:
    """All there is to tell."""

    name: str
    asks: str
    links: tuple[str, ...]
    told: tuple[Told, ...]
    do: str | None  # None where the first contest isn't known


def by_turns(held: Held, contest: Contest, progress: Progress, threshold: float) -> Told:
    """Of cells that were asked in turn, or tried whole trials of."""
    judged = judge(progress.starts, threshold).get(CPU)
    seen = None if judged is None else judged.contrast
    if judged is None or seen is None:
        why = progress.failures[-1] if progress.failures else "it was not begun twice"
        return unanswered(held, contest, why)
    starts = len(progress.starts)
    turns = progress.method == TURNS
    how = f"in turn on one core, {starts} starts" if turns else f"{starts} trials each"
    return Told(
        held.says, held.than, contest.name, judged.outcome,
        seen.ratio, seen.low, seen.high, how, COST,
    )  # fmt: skip


def by_trials(held: Held, contest: Contest, rows: Mapping[str, Row]) -> Told:
    """Of two rows: at so many users the time per request is users over throughput."""
    a, b = (rows.get(contest.cells[side].id) for side in (A, B))
    part = None if a is None or b is None else between(b, a)
    if part is None:
        return unanswered(held, contest, _unknown(a, b))
    outcome = OF_EFFECT.get(part.outcome)
    if outcome is None:
        outcome = Outcome.SLOWER if part.ratio < 1 else Outcome.FASTER
    trials = " and ".join(str(row.trials) for row in (a, b) if row is not None)
    return Told(
        held.says, held.than, contest.name, outcome,
        1 / part.ratio, 1 / part.high, 1 / part.low, f"{trials} trials",
    )  # fmt: skip


def answer(name: str, question: Question, told: Sequence[Told]) -> Answer:
    """The first contest decides what to do: advice is about that one, and needs an outcome."""
    words = {Outcome.SLOWER: "slower", Outcome.FASTER: "faster", Outcome.SAME: "same"}
    outcome = told[0].outcome
    do = question.do.get(words[outcome]) if outcome in words else None
    return Answer(name, question.asks, question.links, tuple(told), do)


def with_packages(told: Told, contest: Contest, environments: Environments) -> Told:
    """Of two Pythons: told with the packages that differ as well."""
    a, b = (contest.cells[side] for side in (A, B))
    if a.python == b.python:
        return told
    differ = apart(environments, [a.server], str(b.python), str(a.python))
    return replace(told, packages=differ)


def unanswered(held: Held, contest: Contest, why: str) -> Told:
    """Of cells that can't be held against each other, with the reason."""
    return Told(held.says, held.than, contest.name, Outcome.UNKNOWN, None, None, None, why)


def _unknown(a: Row | None, b: Row | None) -> str:
    for row in (a, b):
        if row is None:
            return "a cell was not measured"
        if row.throughput_rps is None or row.throughput_rps.half_width is None:
            why = "; ".join(sentences(row.verdict)) or row.verdict.word.value
            return f"the throughput of {row.cell} isn't known: {why}"
    return "too few trials"
