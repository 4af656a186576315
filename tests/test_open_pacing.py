"""When the window of an open load begins and how long it is, from counts alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.config import Profile
from bench.run.open_pacing import OpenPacer
from bench.run.pacing import LEAD_S, Window

S = 1_000_000_000
BEGAN = 7 * S
OPEN = Profile("p", users=50, delay_s=0.2, budget_s=60.0, rate=100.0)


def paced(
    profile: Profile, sojourn_s: float, *, capacity: float = 1e9, stretch: int = 1
) -> Window | None:
    """Of a cell in which each request spends so long, and that completes so many a second."""
    pacer = OpenPacer(profile, stretch=stretch)
    for tick in range(1000):
        now_s = tick / 10
        started = (profile.rate or 0.0) * now_s
        ended = min(max(0.0, now_s - sojourn_s) * (profile.rate or 0.0), capacity * now_s)
        window = pacer.tell(BEGAN + int(now_s * S), int(ended), int(started))
        if window is not None:
            return window
    return None


def times(window: Window | None) -> tuple[float, float]:
    """Warm-up and window, s."""
    assert window is not None
    return (window.t0_ns - BEGAN) / S - LEAD_S, (window.t1_ns - window.t0_ns) / S


def test_a_quick_cell_takes_the_least() -> None:
    """A second of warm-up; a window of a thousand requests."""
    assert times(paced(OPEN, 0.01)) == pytest.approx((1.0, 10.0), abs=0.01)
    assert times(paced(replace(OPEN, rate=5000.0), 0.01)) == pytest.approx((1.0, 2.0), abs=0.01)


def test_a_slow_cell_takes_many_of_the_time_in_the_system() -> None:
    """Ten of it to warm up, and fifty as a window, up to the longest."""
    warmup_s, window_s = times(paced(replace(OPEN, rate=1000.0), 0.2))
    assert warmup_s == pytest.approx(2.0, abs=0.2)
    assert window_s == pytest.approx(10.0, rel=0.1)
    assert times(paced(OPEN, 0.2, stretch=4))[1] == 20.0


def test_one_that_falls_behind_is_waited_for_as_long_as_may_be() -> None:
    """Its completions never come as fast as its arrivals: the generator's cap ends it, mostly."""
    assert times(paced(OPEN, 0.01, capacity=60.0))[0] == pytest.approx(20.0, abs=0.11)


def test_what_is_fixed_stays() -> None:
    """As who knows the cell better has it."""
    fixed = replace(OPEN, warmup_s=3.0, duration_s=6.0)
    assert times(paced(fixed, 0.01)) == pytest.approx((3.0 - LEAD_S, 6.0), abs=0.1)
