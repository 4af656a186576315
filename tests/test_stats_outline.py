"""A survival curve as a few points: on the curve, near it everywhere, and no further than known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.stats import latency, outline, product_limit
from bench.stats.outline import LEVELS, POINTS

if TYPE_CHECKING:
    from bench.stats import Curve, Latency

MS = 1_000_000
S = 1_000 * MS
STEP = 2 / (POINTS - 1)  # of width and height together


def curve_of(took: list[int]) -> Curve:
    """Of requests that were all seen whole, in ms."""
    last = np.array(took, dtype=np.int64) * MS
    return product_limit(np.zeros_like(last), last, np.ones(last.size, dtype=np.bool_))


def seen(took_ms: list[float], users: int, until_s: float = 10.0) -> Latency:
    """Latencies of users who ask again at once; each takes those times in turn, from its own on."""
    start, end = [], []
    for user in range(users):
        now, number = 0, user
        while now < until_s * S:
            took = int(took_ms[number % len(took_ms)] * MS)
            start.append(now)
            end.append(now + took)
            now, number = now + took, number + 1
    began, ended = np.array(start, dtype=np.int64), np.array(end, dtype=np.int64)
    return latency(began, ended, np.ones(began.size, dtype=np.bool_), 2 * S, int(until_s * S))


@given(st.lists(st.integers(1, 100_000), min_size=5, max_size=400))
def test_all_points_lie_on_the_curve_and_keep_its_shape(took: list[int]) -> None:
    """Few, in order, the told percentiles among them; only a jump of the curve's own is longer."""
    curve = curve_of(took)
    found = outline(curve, lambda _: True)
    ages = (curve.age_ns / MS).tolist()
    assert len(found.ms) == len(found.below) <= POINTS + len(LEVELS)
    assert list(found.ms) == sorted(set(found.ms))
    for ms, below in zip(found.ms, found.below, strict=True):
        assert below == 1 - curve.survival[ages.index(ms)]
    for level in LEVELS:
        at = curve.reaches(level)
        assert at is None or len(ages) <= POINTS or ages[at] in found.ms
    width, height = ages[-1] - ages[0], float(curve.survival[0] - curve.survival[-1])
    for left, right in zip(found.ms[:-1], found.ms[1:], strict=True):
        a, b = ages.index(left), ages.index(right)
        if b == a + 1:  # neighbours on the curve: nothing was left out
            continue
        before = (ages[b - 1] - left) / width + (curve.survival[a] - curve.survival[b - 1]) / height
        assert before <= STEP + 1e-9


def test_of_no_completion_there_is_nothing_to_draw() -> None:
    """And nothing that is known."""
    found = outline(curve_of([]), lambda _: True)
    assert (found.ms, found.below, found.known_to_ms) == ((), (), 0.0)


def test_it_is_known_as_far_as_percentiles_can_be_told() -> None:
    """Up to the first point where one can't; what comes after it doesn't count."""
    curve = curve_of(list(range(1, 101)))
    found = outline(curve, lambda share: share > 0.25 or share < 0.1)
    assert found.known_to_ms == max(
        ms for ms, below in zip(found.ms, found.below, strict=True) if below < 0.755
    )
    assert outline(curve, lambda _: False).known_to_ms == 0.0


@pytest.mark.parametrize(
    ("took_ms", "users"),
    [([100.0, 110.0, 120.0, 400.0], 50), ([900.0], 20), ([8500.0, 9000.0], 10), ([3.0, 5.0], 4)],
)
def test_curve_and_percentiles_agree(took_ms: list[float], users: int) -> None:
    """A percentile that is told lies on the known part; one that is withheld lies beyond it."""
    found = seen(took_ms, users)
    drawn = outline(found.window.curve, found.window.tells)
    for tail, told in ((0.5, found.p50), (0.1, found.p90), (0.01, found.p99)):
        assert found.window.tells(tail) == (told.value_ms is not None)
        if told.value_ms is not None:
            assert told.value_ms in drawn.ms
            assert told.value_ms <= drawn.known_to_ms
