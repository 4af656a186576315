"""Durations, as text and as seconds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.config import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("6s", 6.0), ("1m", 60.0), ("1.5s", 1.5), ("0s", 0.0), ("0.1m", 6.0)],
)
def test_durations_are_seconds(text: str, seconds: float) -> None:
    """A number and its unit give seconds, exactly."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["6", "", "s", "-1s", "1h", "6 s", "1e3s", "6s\n", ".5s", "٣s", "9" * 99 + "s", "infs"]
)
def test_all_else_is_refused(text: str) -> None:
    """The error says what a duration looks like."""
    with pytest.raises(ValueError, match="a number with a unit such as 500ms, 6s, 1m"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.25, "250ms"),
        (1, "1s"),
        (1.5, "1.5s"),
        (60, "1m"),
        (90, "90s"),
        (1e-6, "0.001ms"),
    ],
)
def test_seconds_are_written_as_people_do(seconds: float, text: str) -> None:
    """The largest unit that needs no long fraction."""
    assert format_duration(seconds) == text


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 86_400_000_000))
def test_written_durations_read_back(microseconds: int) -> None:
    """What is written means the same seconds."""
    seconds = microseconds / 1_000_000
    assert parse_duration(format_duration(seconds)) == seconds
