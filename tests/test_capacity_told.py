"""A capacity in words and as JSON, from trials that are made up."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bench.capacity.search import Point
from bench.capacity.slo import parse
from bench.capacity.told import Capacity, as_json, headline, lines, step
from bench.capacity.trials import Cell, Trial, horizon_s, paced, relaxation_s
from bench.config import Profile
from bench.records.model import OpenLoad
from bench.stats import Percentile, Share
from tests.support.goldens import as_golden
from tests.support.records import measured

SLOS = parse(("p99<250ms", "errors<0.1%"))
SEEN = Cell(ceiling_rps=200.0, alone_s=0.2)
PROFILE = Profile("p", users=50, delay_s=0.2, rounds=1, spawn_rate=9.0)


def trial(rate: float, slow: int, p99_ms: float, *, failed: int = 0, late: bool = False) -> Trial:
    """Of 2,000 requests."""
    opened = OpenLoad(rate, "poisson", 2000, 0, 0.1, 0.3, 0.1, in_system_avg=rate / 5)
    found = measured(
        open=opened, p50=Percentile(203.0, None, None), p99=Percentile(p99_ms, None, None),
        window_failed=failed,
    )  # fmt: skip
    point = Point(rate, (Share(slow, 2000, 2.0), Share(failed, 2000)))
    return Trial(rate, point, None, found, f"pool-bound: at {rate:g}", late=late)


def whole() -> Capacity:
    """One that is known."""
    one = Capacity("sync_http_pooled-uvicorn-w1", SLOS, 0.05)
    one.ladder = [(4, 19.7, 203.0), (16, 79.0, 203.0), (64, 198.0, 320.0), (256, 196.0, None)]
    one.seen = SEEN
    one.trials = [
        trial(49.4, 0, 206.0, late=True),
        trial(158.0, 4, 236.0),
        trial(158.0, 6, 236.0),
        trial(166.0, 15, 251.0),
        trial(166.0, 20, 252.0),
        trial(174.0, 40, 271.0),
        trial(174.0, 44, 275.0),
        trial(191.0, 1100, 430.0),
        Trial(210.0, Point(210.0), "overloaded: arrivals 210/s, completions 198/s"),
        Trial(140.0, None, "the load generator used 0.90 of its 1 core"),
    ]
    return one


def test_it_is_told_whole() -> None:
    """On a terminal, and for programs."""
    as_golden("capacity/lines.txt", "\n".join(lines(whole())) + "\n")
    text = json.dumps(as_json([whole()]), indent=1, ensure_ascii=False) + "\n"
    as_golden("capacity/found.json", text)
    assert whole().known


def test_each_trial_is_told_as_it_ends() -> None:
    """With what its requests say of each objective, or why they say nothing."""
    told = "\n".join(step(one, SLOS) for one in whole().trials)
    as_golden("capacity/steps.txt", told + "\n")


def test_errors_take_many_requests() -> None:
    """Few clean ones show nothing, and that is said."""
    one = whole()
    one.trials = one.trials[1:2]
    one.trials[0] = replace(one.trials[0], point=Point(158.0, (Share(0, 2000), Share(0, 2000))))
    (told,) = one.open_errors()
    assert told == (
        "errors<0.1% isn't known: 0 of 2,000 requests failed, and without a failure it takes 2,995"
        " to show it"
    )
    assert not one.known


@pytest.mark.parametrize(
    ("trials", "told"),
    [
        ([], "c: not known: the server died"),
        ([trial(50.0, 900, 300.0)], "c: not even 50 requests/s keep p99<250ms, errors<0.1%"),
        ([trial(50.0, 0, 206.0)], "c: 50 requests/s or more keep p99<250ms, errors<0.1%"),
    ],
)
def test_what_is_known_in_part(trials: list[Trial], told: str) -> None:
    """One end, or none."""
    one = Capacity("c", SLOS, 0.05, trials=trials, stopped="the server died")
    assert headline(one) == told


def test_trials_follow_the_queue() -> None:
    """Longer near the ceiling, within bounds; a request may be in flight as long as its bound."""
    quick = paced(PROFILE, 100.0, SEEN, SLOS, 60.0)
    slow = paced(PROFILE, 180.0, SEEN, SLOS, 60.0)
    assert (quick.rate, quick.spawn_rate) == (100.0, None)
    assert quick.warmup_s == pytest.approx(1.0)  # five times what one takes alone
    assert quick.duration_s == pytest.approx(20.25)  # 2,000 requests, and the bound
    assert slow.warmup_s == pytest.approx(5 * relaxation_s(180.0, 200.0), rel=0.01)
    assert slow.duration_s == pytest.approx(40.25)
    assert (quick.in_flight, slow.in_flight) == (450, 650)
    assert paced(PROFILE, 180.0, SEEN, SLOS, 6.0).duration_s == pytest.approx(4.5)
    assert horizon_s(SLOS) == 0.25
    assert paced(PROFILE, 100.0, SEEN, SLOS[1:], 60.0).in_flight == 1200
