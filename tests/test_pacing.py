"""When a window begins and how long it is, from counts alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.config import Profile
from bench.run.pacing import LEAD_S, Pacer, Window

S = 1_000_000_000
FOLLOWS = Profile("p", users=50, delay_s=0.2, budget_s=60.0)
BEGAN = 7 * S


def paced(
    rate: float | list[float],
    profile: Profile = FOLLOWS,
    *,
    phase: float = 0.5,
    stretch: int = 1,
    busy: bool = False,
    for_s: float = 100.0,
) -> Window | None:
    """The window of a cell that completes so many requests a second; a list: in each second."""
    pacer = Pacer(profile, phase=phase, stretch=stretch, busy=lambda: busy)
    rates = rate if isinstance(rate, list) else [rate]
    ended = 0.0
    for tick in range(int(for_s * 10)):
        window = pacer.tell(BEGAN + tick * S // 10, int(ended))
        if window is not None:
            return window
        ended += rates[min(tick // 10, len(rates) - 1)] / 10
    return None


def warmup_s(window: Window | None) -> float:
    """From the last user's start."""
    assert window is not None
    return (window.t0_ns - BEGAN) / S


def width_s(window: Window | None) -> float:
    """Of the window."""
    assert window is not None
    return (window.t1_ns - window.t0_ns) / S


def test_a_fast_cell_takes_the_least() -> None:
    """Half a second of warm-up and two of window, though a round is 50 ms."""
    window = paced(1000.0)
    assert warmup_s(window) == pytest.approx(0.5 + LEAD_S, abs=0.11)
    assert width_s(window) == 2.0


@pytest.mark.parametrize(("rate", "round_s"), [(25.0, 2.0), (12.5, 4.0), (50.0, 1.0)])
def test_a_slow_cell_takes_rounds(rate: float, round_s: float) -> None:
    """A round of warm-up at the middle phase, three and a little of window."""
    window = paced(rate)
    assert warmup_s(window) == pytest.approx(round_s, abs=0.25)
    assert 2.9 * round_s <= width_s(window) <= 3.4 * round_s


def test_thirty_completions_at_least() -> None:
    """Where few users go round fast."""
    assert width_s(paced(5.0, replace(FOLLOWS, users=1))) == pytest.approx(6.0, rel=0.25)


def test_four_delays_at_least() -> None:
    """Whatever else the cell does."""
    assert width_s(paced(1000.0, replace(FOLLOWS, delay_s=2.0))) == 8.0


def test_the_phase_moves_the_window_by_a_round() -> None:
    """So a swing falls differently in each trial."""
    early, late = paced(12.5, phase=0.0), paced(12.5, phase=0.999)
    assert warmup_s(late) - warmup_s(early) == pytest.approx(4.0, abs=0.3)


def test_a_stretched_window_is_so_many_times_as_long() -> None:
    """But not longer than the longest."""
    assert width_s(paced(25.0, stretch=2)) == pytest.approx(2 * width_s(paced(25.0)))
    assert width_s(paced(25.0, stretch=8)) == 20.0


def test_where_rounds_take_long_a_server_that_never_rests_is_told_by_its_gaps() -> None:
    """A blocked loop: two seconds of warm-up, 30 completions of window."""
    window = paced(5.0, busy=True)
    assert warmup_s(window) == pytest.approx(2.0 + LEAD_S, abs=0.11)
    assert width_s(window) == pytest.approx(6.0, rel=0.1)
    assert width_s(paced(10.0, busy=True)) == pytest.approx(3.0, rel=0.1)  # and not 15
    assert width_s(paced(40.0, busy=True)) == pytest.approx(3.75, rel=0.1)  # they take 4 s


def test_where_rounds_dont_fit_and_it_may_rest_the_window_is_the_longest() -> None:
    """Nothing tells then when it is long enough."""
    assert width_s(paced(5.0)) == 20.0


def test_a_warm_up_lasts_until_its_halves_agree() -> None:
    """A rate that falls by half after two seconds is waited for."""
    steady, falling = paced(100.0), paced([400.0, 400.0, 100.0])
    assert warmup_s(falling) >= warmup_s(steady)
    rising = paced([20.0, 100.0, 300.0, 500.0, 500.0])
    assert warmup_s(rising) > 3.0


def test_a_warm_up_that_never_settles_ends() -> None:
    """After four rounds, or four seconds."""
    window = paced([100.0, 600.0] * 50)
    assert warmup_s(window) <= 4.3


def test_a_cell_that_completes_nothing_gets_the_longest_of_both() -> None:
    """Its row will say that nothing came."""
    window = paced(0.0)
    assert warmup_s(window) == pytest.approx(20.0 + LEAD_S, abs=0.11)
    assert width_s(window) == 20.0
    assert window is not None
    assert window.round_trip_s is None


def test_what_is_fixed_does_not_follow_the_cell() -> None:
    """To the nanosecond, from the last user's start."""
    fixed = replace(FOLLOWS, warmup_s=3.0, duration_s=6.0)
    window = paced(5.0, fixed)
    assert window is not None
    assert (window.t0_ns, window.t1_ns) == (BEGAN + 3 * S, BEGAN + 9 * S)
    assert width_s(paced(25.0, replace(FOLLOWS, warmup_s=3.0))) >= 6.0
    assert width_s(paced(25.0, replace(FOLLOWS, duration_s=1.0))) == 1.0


def test_batches_are_no_shorter_rounds() -> None:
    """All users answered together every 2 s: a round is 2 s, whichever batches the time holds."""
    pacer = Pacer(FOLLOWS, phase=0.0, stretch=1, busy=lambda: False)
    window = None
    for tick in range(1000):
        window = pacer.tell(BEGAN + tick * S // 10, 50 * (tick // 20))
        if window is not None:
            break
    assert 6.0 <= width_s(window) <= 13.0


@given(
    rates=st.lists(st.floats(0, 2000), min_size=1, max_size=60),
    users=st.integers(1, 500),
    phase=st.floats(0, 0.999),
    busy=st.booleans(),
)
def test_any_cell_gets_its_window_in_time(
    rates: list[float],
    users: int,
    phase: float,
    busy: bool,  # noqa: FBT001
) -> None:
    """Within the longest warm-up; and never shorter than the least or longer than the longest."""
    profile = replace(FOLLOWS, users=users)
    window = paced(rates, profile, phase=phase, busy=busy)
    assert 0.5 <= warmup_s(window) <= 20.2
    assert 2.0 <= width_s(window) <= 20.0


def test_a_fixed_warm_up_of_nothing_still_waits_for_a_rate() -> None:
    """What follows its cell needs to have seen something of it."""
    window = paced(1000.0, replace(FOLLOWS, warmup_s=0.0))
    assert warmup_s(window) <= 0.21
    assert width_s(window) == 2.0
    nothing = paced(0.0, replace(FOLLOWS, warmup_s=0.0))
    assert warmup_s(nothing) == pytest.approx(20.0, abs=0.11)
    assert warmup_s(paced(1000.0, replace(FOLLOWS, warmup_s=0.0, duration_s=3.0))) == 0.0
