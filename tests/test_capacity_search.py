"""Where a capacity lies: against queues whose own is known, and shares that are made up."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bench.capacity.search import Found, Point, Word, find, next_rate, word
from bench.capacity.slo import parse
from bench.stats import Share
from tests.support.queues import trial

if TYPE_CHECKING:
    from collections.abc import Callable

SLOS = parse(("p99<25ms",))
SERVICE_S = 0.002  # of a server of 500/s


def searched(
    measure: Callable[[float], Point], ceiling: float, most: int, precision: float = 0.05
) -> tuple[Found, list[Point]]:
    """As the command goes about it."""
    points: list[Point] = []
    while len(points) < most and not find(points, SLOS).known(precision):
        rate = next_rate(points, SLOS, ceiling, precision)
        if rate is None:
            break
        points.append(measure(float(f"{rate:.4g}")))
    return find(points, SLOS), points


def test_of_an_m_m_1_queue() -> None:
    """The p99 of what a request takes is ln 100 / (mu - lambda), so 316/s keep 25 ms."""
    truth = 500.0 - math.log(100.0) / 0.025
    found = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        found.append(searched(lambda rate: trial(rate, SERVICE_S, SLOS, 12.0, rng), 500.0, 16)[0])  # noqa: B023
    ends = [(one.low or 0.0, one.value or 0.0, one.high or math.inf) for one in found]
    # Of 95 % intervals seven of eight or more hold it, but for 1 in 20.
    assert sum(low <= truth <= high for low, _, high in ends) >= 7
    assert all(abs(value / truth - 1.0) < 0.10 for _, value, _ in ends)
    assert float(np.median([value for _, value, _ in ends])) == pytest.approx(truth, rel=0.05)
    assert {one.limited_by for one in found} == {0}


def test_of_an_m_d_1_queue() -> None:
    """Of even services 409/s keep 25 ms: from the law of its wait (Erlang, 1909)."""
    rng = np.random.default_rng(3)
    found, points = searched(
        lambda rate: trial(rate, SERVICE_S, SLOS, 12.0, rng, even=True), 500.0, 16
    )
    assert found.known(0.05)
    assert found.value == pytest.approx(409.0, rel=0.05)
    assert len(points) < 16


def step(capacity: float) -> Callable[[float], Point]:
    """Nothing is slow up to it, everything beyond."""
    return lambda rate: Point(rate, (Share(0 if rate <= capacity else 900, 1000),))


@pytest.mark.parametrize("capacity", [30.0, 99.0, 180.0])
def test_a_step_is_halved(capacity: float) -> None:
    """There is no line to follow; both ends are tried twice."""
    found, points = searched(step(capacity), 200.0, 40)
    assert found.known(0.05)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= capacity <= found.high
    for end in (found.low, found.high):
        assert sum(point.rate == end for point in points) >= 2
    assert len(points) < 25


def test_what_falls_behind_fails_at_once() -> None:
    """Whatever its shares would have been; it needn't do so twice."""
    found, _ = searched(
        lambda rate: Point(rate, (Share(0, 1000),)) if rate < 150 else Point(rate), 200.0, 40
    )
    assert found.known(0.05)
    assert found.limited_by is None
    assert found.value == pytest.approx(150, rel=0.06)


def test_where_nothing_holds_it_says_so() -> None:
    """It goes down, by halves, and gives up."""
    found, points = searched(lambda rate: Point(rate, (Share(500, 1000),)), 200.0, 40)
    assert found.low is None
    assert found.high == min(point.rate for point in points) < 4.0
    assert next_rate(points, SLOS, 200.0, 0.05) is None


def test_failures_alone_keep_no_rate_from_holding() -> None:
    """So few requests can't show that there are few; many failures fail."""
    slos = parse(("p99<25ms", "errors<0.1%"))
    clean = Point(10.0, (Share(0, 1000), Share(0, 1000)))
    assert word([clean], slos) is Word.HOLDS
    assert word([Point(10.0, (Share(0, 1000), Share(30, 1000)))], slos) is Word.FAILS


def test_so_few_requests_tell_nothing() -> None:
    """Neither that it holds nor that it fails."""
    assert word([Point(10.0, (Share(1, 100),))], SLOS) is Word.OPEN
    assert find([], SLOS) == Found(None, None, None, None)
