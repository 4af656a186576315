"""Rules between settings; the rules of a single value are in `model`.

Each gives None when it is kept, else what is allowed. `reader` holds the file against them,
`overrides` the options.
"""

from __future__ import annotations

import math

from bench.config.durations import format_duration
from bench.config.settings import ramp_s

_DELAYS_IN_WINDOW = 4  # below, batches of completions bias the throughput
_LONGEST_RAMP_S = 3600


def window_allowed(duration_s: float | None, delay_s: float) -> str | None:
    """The window, or the longest one, holds four delays at least."""
    least_s = _DELAYS_IN_WINDOW * delay_s
    if duration_s is None or duration_s >= least_s:
        return None
    return f"at least {format_duration(least_s)} (four delays of {format_duration(delay_s)})"


def spawn_rate_allowed(users: int, spawn_rate: float | None) -> str | None:
    """All users are there within the hour."""
    if spawn_rate is None or ramp_s(users, spawn_rate) <= _LONGEST_RAMP_S:
        return None
    least = math.ceil(users / _LONGEST_RAMP_S * 100) / 100
    return f"at least {least:g} (all {users} users within an hour)"


def ramp_allowed(spawn_rate: float | None, rate: float | None) -> str | None:
    """An open load's requests come at its rate from the first on: there is nothing to start."""
    if spawn_rate is None or rate is None:
        return None
    return "none with an open load, which has its rate from the first request on"
