"""Little's law and its alarm."""

from __future__ import annotations

import pytest

from bench.stats import little_disagrees, mean_by_little_ms


def test_500_users_at_40_requests_a_second_wait_12_5_seconds() -> None:
    """Users over throughput, in milliseconds."""
    assert mean_by_little_ms(500, 40.0) == 12_500.0


def test_nothing_completed_leaves_the_mean_unknown() -> None:
    """Not infinite, not 0: unknown."""
    assert mean_by_little_ms(500, 0.0) is None


@pytest.mark.parametrize(("users", "rate"), [(0, 1.0), (-1, 1.0), (1, -0.1), (1, float("nan"))])
def test_impossible_inputs_are_refused(users: int, rate: float) -> None:
    """The message names the one that is wrong."""
    with pytest.raises(ValueError, match=r"^(users|throughput_rps) is"):
        mean_by_little_ms(users, rate)


@pytest.mark.parametrize(
    ("measured_ms", "little_ms", "disagrees"),
    [
        (1_000.0, 12_500.0, True),  # last-in-first-out: the starving are not in the mean
        (12_500.0, 12_500.0, False),
        (91.0, 100.0, False),
        (89.0, 100.0, True),
        (111.0, 100.0, True),
        (None, 100.0, False),  # nothing is claimed
        (100.0, None, False),
    ],
)
def test_the_alarm_sounds_beyond_a_tenth_either_way(
    measured_ms: float | None, little_ms: float | None, *, disagrees: bool
) -> None:
    """Relative to Little's mean, which nothing was cut from."""
    assert little_disagrees(measured_ms, little_ms) is disagrees


def test_the_tolerance_can_be_told() -> None:
    """As a share."""
    assert little_disagrees(95.0, 100.0, tolerance=0.02)
