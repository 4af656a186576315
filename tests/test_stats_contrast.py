"""B over A, with a twin of A beside it: true ratios are found, and intervals hold."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.stats import FIRST_STAGE, contrast, starts_needed

RUNS = 2000


def starts(
    draw: np.random.Generator, n: int, *, ratio: float = 1.0, deviation: float = 0.02
) -> tuple[list[float], list[float], list[float]]:
    """As many, on a machine that wanders by 20 % between them: it moves all sides alike."""
    machine = draw.normal(0.0, 0.2, n)
    noise = draw.normal(0.0, deviation, (3, n))
    a, twin, b = np.exp(machine + noise + np.array([[0.0], [0.0], [math.log(ratio)]]))
    return [*a], [*twin], [*b]


def test_a_ratio_is_found_though_the_machine_wanders() -> None:
    """Of pairs that share a start, drift between starts cancels."""
    found = contrast(*starts(np.random.default_rng(1), 20, ratio=1.1))
    assert found is not None
    assert found.low < 1.1 < found.high
    assert found.half_width < 0.02
    assert found.twin_low < 1.0 < found.twin_high
    assert found.starts == 20


def test_the_interval_holds_its_share_with_stopping_and_all() -> None:
    """95 % of runs whose length the first stage has chosen; 2,000 runs, 3 standard errors."""
    draw = np.random.default_rng(2)
    held = 0
    lengths = []
    for _ in range(RUNS):
        a, twin, b = starts(draw, 60, ratio=1.07, deviation=0.03)
        n = min(60, starts_needed(a, twin, b, 0.025))
        lengths.append(n)
        found = contrast(a[:n], twin[:n], b[:n])
        assert found is not None
        held += found.low <= 1.07 <= found.high
    assert held / RUNS >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / RUNS)
    assert len(set(lengths)) > 5  # the first stage does choose


def test_what_is_decided_is_kept() -> None:
    """Later starts don't move how many there are to be: nothing stops at a good moment."""
    a, twin, b = starts(np.random.default_rng(3), 30)
    wanted = starts_needed(a[:FIRST_STAGE], twin[:FIRST_STAGE], b[:FIRST_STAGE], 0.01)
    assert {starts_needed(a[:n], twin[:n], b[:n], 0.01) for n in range(FIRST_STAGE, 31)} == {wanted}


def test_one_start_tells_no_interval() -> None:
    """And values must be times."""
    assert contrast([1.0], [1.0], [1.0]) is None
    with pytest.raises(ValueError, match="positive and finite"):
        contrast([1.0, 0.0], [1.0, 1.0], [1.0, 1.0])
    with pytest.raises(ValueError, match="1 starts"):
        starts_needed([1.0], [1.0], [1.0], 0.1)
