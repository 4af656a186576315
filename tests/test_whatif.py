"""What would help: by the why, and as it is told."""

from __future__ import annotations

import pytest

from bench.analysis.evidence import Evidence
from bench.analysis.resources import Resource, Use
from bench.analysis.why import Why
from bench.plan import Cell
from bench.turns.model import SIDES, TRIALS, Cost, Start
from bench.whatif.command import default_budget_s
from bench.whatif.remedies import remedies
from bench.whatif.told import effect
from tests.support.records import measured, trial

CELL = Cell("sync", "http_pooled", "uvicorn", 1, "3.12")


def why(*resources: Resource) -> Why:
    """These are used up."""
    uses = tuple(Use(resource, 1.0) for resource in resources)
    return Why(Evidence(trial(), measured(), 2), uses, None, None)


@pytest.mark.parametrize(
    ("cell", "resources", "said"),
    [
        (CELL, [Resource.POOL], ["200 threads", "`async def` that awaits"]),
        (
            Cell("async_sync", "sleep", "uvicorn", 1),
            [Resource.LOOP],
            ["`def`", "an awaited call", "2 workers"],
        ),
        (Cell("async", "http", "uvicorn", 1), [Resource.CORE],
         ["2 workers", "the client of http_pooled"]),
        (Cell("async", "json", "uvicorn", 2), [Resource.CORE], []),
        (Cell("async", "json", "uvicorn", 2, settings=(("loop", "asyncio"),)), [Resource.CORE],
         ["uvloop"]),
        (Cell("async", "sleep", "uvicorn", 1), [Resource.DELAY], ["100 users"]),
        (Cell("async", "sleep", "uvicorn", 1), [], ["100 users"]),
        (Cell("", "list_items", "uvicorn", 1), [Resource.CORE], ["2 workers"]),
        (CELL, [Resource.GENERATOR], []),
    ],
)  # fmt: skip
def test_each_cause_has_its_remedies(
    cell: Cell, resources: list[Resource], said: list[str]
) -> None:
    """The likeliest first; a full machine, or a generator at its limit, has none."""
    found = remedies(cell, why(*resources), users=50, cores=2)
    assert [one.says for one in found] == said
    assert all(one.cell != cell for one in found)
    assert len({one.cell.id for one in found} | {cell.id}) == len(found) + 1


def starts(ratio: float, more_mb: float = 0.0) -> list[Start]:
    """In which the remedy has so many times the throughput."""
    return [
        Start("x", number, TRIALS, {
            side: Cost(100.0 * noise / (ratio if side == "b" else 1.0), 1.0, 100,
                       50.0 + (more_mb if side == "b" else 0.0))
            for side in SIDES
        })
        for number, noise in enumerate((1.0, 1.01, 0.99, 1.0), 1)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ratio", "more_mb", "said"),
    [
        (1.61, 53.0, "400 threads: 1.61× ("),
        (1.02, 0.0, "400 threads: no help: 1.02× ("),
        (0.8, 0.0, "400 threads: worse: 0.800× ("),
    ],
)
def test_an_effect_is_told(ratio: float, more_mb: float, said: str) -> None:
    """With its interval, and memory if it is any to speak of."""
    told = effect("400 threads", starts(ratio, more_mb), (50, 50), "").sentence
    assert told.startswith(said)
    assert told.endswith(", and 53 MB more memory") is bool(more_mb)


def test_twice_the_users_at_the_same_latency_are_twice_the_throughput() -> None:
    """As users over latency is throughput."""
    found = effect("100 users", starts(1.0), (50, 100), "")
    assert found.ratio == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("remedies", "trial_s", "expected_s"),
    [(3, 3.0, 240.0), (3, 25.0, 555.0), (3, 90.0, 900.0), (1, 0.0, 240.0)],
)
def test_each_remedy_is_tried_twice(remedies: int, trial_s: float, expected_s: float) -> None:
    """However long the trials of the cell are, within a quarter of an hour."""
    assert default_budget_s(remedies, trial_s) == expected_s


def test_a_remedy_that_failed() -> None:
    """Says why."""
    told = effect("2 workers", starts(1.0)[:1], (50, 50), "b: it ended").sentence
    assert told == "2 workers: not known: b: it ended"
