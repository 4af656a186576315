"""How well each cell is known, as the scheduler sees it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bench.analysis.standing import Standing, standings
from bench.stats import Steadiness
from tests.support.records import measured, trial

SWINGS = Steadiness(
    tapered_rps=60.0, plain_rps=44.0, first_half_rps=40.0, second_half_rps=48.0, error=0.01,
    swings=True,
)  # fmt: skip


def standing(*loads: dict[str, Any]) -> Standing:
    """Of a cell whose trials swing, each in a window such as this."""
    records = [
        replace(
            trial(),
            round=number,
            measured=measured(steadiness=SWINGS, **{"longest_s": 20.0} | load),
        )
        for number, load in enumerate(loads, 1)
    ]
    return standings(records, 2)["sync_http-uvicorn-w1"]


def test_a_cell_that_swings_gets_a_window_twice_as_long() -> None:
    """Until it is the longest: then its trials count, swinging as they are."""
    short = {"duration_s": 6.0, "stretch": 1}
    found = standing(short, short)
    assert (found.swings, found.stretch, found.trials) == (True, 2, 2)
    long = {"duration_s": 12.0, "stretch": 2}
    found = standing(short, short, long)
    assert (found.swings, found.stretch, found.trials) == (True, 4, 3)  # one alone tells too little
    found = standing(short, short, long, long)
    assert (found.swings, found.stretch, found.trials) == (True, 4, 2)


@pytest.mark.parametrize("longest", [20.0, 20.0 - 1e-9])
def test_no_window_is_longer_than_the_longest(longest: float) -> None:
    """However often the cell is tried: a nanosecond less is no reason to try again."""
    last = {"duration_s": longest, "stretch": 4}
    found = standing(last, last, last)
    assert (found.swings, found.stretch, found.trials) == (False, 4, 3)


def test_a_cell_whose_generator_was_the_bound_gets_twice_the_processes() -> None:
    """Until they suffice; then it keeps them, for one of fewer would be the bound again."""

    def needed(*loads: tuple[int, float]) -> int:
        records = [
            replace(trial(), round=number, measured=measured(generators=of, generator_cores=cores))
            for number, (of, cores) in enumerate(loads, 1)
        ]
        return standings(records, 2)["sync_http-uvicorn-w1"].generators

    assert needed((1, 0.5)) == 1
    assert needed((1, 0.9)) == 2
    assert needed((1, 0.9), (2, 0.9)) == 4
    assert needed((1, 0.9), (2, 0.5)) == 2
    # Once it sufficed, another time not.
    assert needed((1, 0.8), (1, 0.9)) == 2


def test_a_window_that_is_given_stays() -> None:
    """As a fixed profile has it."""
    found = standing({"duration_s": 6.0, "longest_s": 0.0})
    assert (found.swings, found.stretch) == (False, 1)
