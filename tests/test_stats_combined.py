"""Several measured ratios as one."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stats import LogEffect, combine

WELL = LogEffect(0.2, 0.01, 20.0)


def test_one_that_is_known_badly_does_not_spoil_the_rest() -> None:
    """It has hardly a part in the mean, and so in how well its error is known."""
    badly = LogEffect(0.5, 0.2, 1.0)
    found = combine([WELL, WELL, badly])
    assert found.freedom == 20.0
    assert found.log == pytest.approx(0.2, abs=0.001)


def test_one_known_badly_that_decides_is_known_as_badly() -> None:
    """All the mean's error is its own then."""
    found = combine([LogEffect(0.2, 1.0, 20.0), LogEffect(0.5, 0.01, 1.5)])
    assert found.freedom == pytest.approx(1.5, rel=0.01)


@given(st.lists(st.tuples(st.floats(0.001, 1), st.floats(1, 100)), min_size=1, max_size=6))
def test_freedom_lies_between_the_least_and_the_largest(known: list[tuple[float, float]]) -> None:
    """They may rest on one spread, so it is not their sum."""
    found = combine([LogEffect(0.0, error, freedom) for error, freedom in known])
    freedoms = [freedom for _, freedom in known]
    assert min(freedoms) - 1e-6 <= found.freedom <= max(freedoms)


def test_an_error_that_is_known_exactly_has_the_normal_distributions_interval() -> None:
    """And no interval reaches beyond what floats hold."""
    assert LogEffect(0.0, 0.1, math.inf).reach() == pytest.approx(0.196, rel=1e-3)
    assert combine([LogEffect(0.1, 0.1, math.inf)] * 2).freedom == math.inf
    assert math.isfinite(math.exp(LogEffect(0.0, 10.0, 0.1).reach()))
