"""What starts say, how many there are, and what is told of it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bench.ab.report import Comparison, document, markdown, outcome_of, summary
from bench.turns.judge import Outcome, judge, more_seconds, needed
from bench.turns.model import TRIALS, TURNS, TWIN, A, B, Cost, Start
from bench.turns.schedule import MOST_FAILURES, Progress, run
from tests.support.goldens import as_golden


def start(
    number: int, *, latency: float = 1.0, cpu: float = 1.0, noise: float = 0.005, seed: int = 1
) -> Start:
    """B takes so many times A's time and CPU, about."""
    draw = np.random.default_rng([seed, number])
    a, twin, b = np.exp(draw.normal(0.0, noise, 3))
    return Start(
        cell="list_items-uvicorn-w1",
        number=number,
        method=TURNS,
        costs={
            A: Cost(8.0 * a, 1.0 * a, 5000),
            TWIN: Cost(8.0 * twin, 1.0 * twin, 5000),
            B: Cost(8.0 * b * latency, 1.0 * b * cpu, 5000),
        },
        took_s=9.0,
        block=30,
        busy=0.97,
    )


def starts(n: int = 4, **how: float) -> list[Start]:
    """So many."""
    return [start(number, **how) for number in range(1, n + 1)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("times", "outcome"),
    [(1.1, Outcome.SLOWER), (0.9, Outcome.FASTER), (1.0, Outcome.SAME), (1.05, Outcome.UNKNOWN)],
)
def test_outcomes(times: float, outcome: Outcome) -> None:
    """By the interval, beyond or within 5 %."""
    judged = judge(starts(latency=times, cpu=times), 0.05)
    assert {one.outcome for one in judged.values()} == {outcome}
    assert outcome_of(judged) is outcome


def test_more_cpu_alone_is_slower_too() -> None:
    """A server that had time left hides it from its users, but not from who pays for cores."""
    judged = judge(starts(latency=1.0, cpu=1.2), 0.05)
    assert judged["latency_ms"].outcome is Outcome.SAME
    assert outcome_of(judged) is Outcome.SLOWER


def test_nothing_is_known_of_one_start() -> None:
    """Nor of none."""
    assert {one.outcome for one in judge(starts(1), 0.05).values()} == {Outcome.UNKNOWN}
    assert judge([], 0.05) == {}
    assert outcome_of({}) is Outcome.UNKNOWN


def test_what_is_near_the_threshold_takes_longer() -> None:
    """And some time at least, as long as it isn't known."""
    near, far = starts(latency=1.05, noise=0.03), starts(latency=1.02, noise=0.03)
    assert more_seconds(near, 0.05) > more_seconds(far, 0.05) > 0
    assert more_seconds([], 0.05) == 0.0


def test_a_noisy_cell_gets_more_starts() -> None:
    """By what the first four show."""
    assert needed(starts(3), 0.05) == 4
    assert needed(starts(4, noise=0.001), 0.05) == 4
    assert needed(starts(4, noise=0.05), 0.05) > 10


class Clock:
    """Each start takes nine seconds."""

    def __init__(self, **how: float) -> None:
        self.now, self.how = 0.0, how
        self.order: list[str] = []

    def __call__(self) -> float:
        """Seconds."""
        return self.now

    def start(self, cell: Progress) -> None:
        """One more of the cell."""
        self.order.append(cell.cell)
        cell.method = TURNS
        cell.starts.append(start(len(cell.starts) + 1, **self.how))  # type: ignore[arg-type]
        self.now += 9.0


def cells(count: int = 3) -> list[Progress]:
    """None measured yet."""
    return [Progress(f"cell{number}") for number in range(count)]


def test_cells_take_turns_until_they_are_known() -> None:
    """Each round has each open cell once."""
    clock, some = Clock(noise=0.001), cells()
    run(some, clock.start, threshold=0.05, budget_s=1e9, clock=clock, seed=1)
    assert [len(cell.starts) for cell in some] == [4, 4, 4]
    assert all(len(set(clock.order[at : at + 3])) == 3 for at in range(0, 12, 3))


def test_the_budget_ends_it() -> None:
    """No start begins that would end later; but each cell is tried once."""
    clock, some = Clock(noise=0.1), cells()
    run(some, clock.start, threshold=0.05, budget_s=100.0, clock=clock, seed=1)
    assert 90 < clock.now <= 100
    short, few = Clock(), cells()
    run(few, short.start, threshold=0.05, budget_s=1.0, clock=short, seed=1)
    assert [len(cell.starts) for cell in few] == [1, 1, 1]


def test_a_cell_that_fails_is_given_up() -> None:
    """After its second failure; the others go on."""
    clock, some = Clock(noise=0.001), cells(2)

    def start_or_fail(cell: Progress) -> None:
        if cell is some[0]:
            cell.failures.append("HTTP 500")
            clock.now += 1.0
        else:
            clock.start(cell)

    run(some, start_or_fail, threshold=0.05, budget_s=1e9, clock=clock, seed=1)
    assert len(some[0].failures) == MOST_FAILURES
    assert some[0].failed
    assert len(some[1].starts) == 4


def comparison() -> Comparison:
    """One of each kind."""
    waits = [
        Start(s.cell, s.number, TRIALS, s.costs, took_s=20.0)
        for s in starts(2, latency=1.0, noise=0.04)
    ]
    return Comparison(
        a="main (1a2b3c4)",
        b="HEAD (5d6e7f8)",
        commits=("1a2b3c4", "5d6e7f8"),
        started="2026-11-24T12:00:00+00:00",
        finished="2026-11-24T12:05:00+00:00",
        host="Some CPU, 2 cores",
        threshold=0.05,
        users=8,
        cells=(
            Progress("list_items-uvicorn-w1", starts(latency=1.1, cpu=1.12), TURNS),
            Progress("add_item-uvicorn-w1", starts(latency=1.0, cpu=1.0), TURNS),
            Progress("browse-uvicorn-w1", starts(latency=0.8, cpu=0.8), TURNS),
            Progress("search-uvicorn-w1", waits, TRIALS, "it uses 20% of its core"),
            Progress("broken-uvicorn-w1", [], None, None, ["a request failed: HTTP 500"] * 2),
        ),
    )


def test_a_table_fit_for_a_pull_request() -> None:
    """Each outcome, with how it was measured."""
    assert summary(comparison()) == (
        "1 slower, 1 faster, 1 not known yet, 1 the same within 5%, 1 without figures"
    )
    assert comparison().regressions == ("list_items-uvicorn-w1",)
    assert comparison().untold == ("broken-uvicorn-w1",)
    as_golden("ab/latest.md", markdown(comparison()))


def test_the_same_for_programs() -> None:
    """With its schema, and each start's figures."""
    found = json.loads(document(comparison()))
    assert (found["schema"], found["kind"]) == (1, "ab")
    assert [cell["outcome"] for cell in found["cells"]] == [
        "slower", "same", "faster", "not known yet", "failed",
    ]  # fmt: skip
    slower = found["cells"][0]
    assert slower["latency_ms"]["low"] > 1.05
    assert len(slower["samples"]) == 4
    as_golden("ab/latest.json", document(comparison()))
