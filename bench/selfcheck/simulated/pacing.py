"""How long a simulated trial lasts: ramp, warm-up and window follow what the cell does.

The rules of a live trial, for all moments at once: it looks at the completions ten times a second
and decides. How many rounds a window has to hold is open here, as it is to be chosen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.selfcheck.simulated.log import NS_PER_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

RAMP_S = 5.0  # at most
LONGEST_S = 20.0  # warm-up and window each, at most
LEAST_WARMUP_S = 0.5
BUSY_WARMUP_S = 2.0  # where the rounds don't fit into a window, and the server never rests
AGREE = 0.05  # the halves of a warm-up, beyond their two standard errors
PATIENCE = 4.0  # so many rounds is waited for them, or so many seconds if that is more
LEAST_WINDOW_S = 2.0
LEAST_COMPLETIONS = 30
DELAYS = 4
_LOOK_S = 0.1  # how often the warm-up is looked at


def releases(users: int, round_s: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """When each user sends its first request, ns, shape (users,): spread over one round.

    User i starts at (i + U) / N of it, U drawn anew for each trial.
    """
    ramp_s = min(round_s, RAMP_S)
    return np.rint((np.arange(users) + rng.random()) / users * ramp_s * NS_PER_S).astype(np.int64)


def window_of(
    ends_ns: NDArray[np.int64],
    users: int,
    delay_s: float,
    released_ns: int,
    rng: np.random.Generator,
    *,
    rounds: float,
    busy: bool = False,
) -> tuple[int, int]:
    """The window [t0, t1) in ns that a trial would choose while it runs.

    Args:
        ends_ns: when requests ended, ascending, shape (n,).
        users: of the closed loop.
        delay_s: of the delay server.
        released_ns: when the last user began.
        rng: for the warm-up's random part of a round.
        rounds: how many rounds the window has to hold.
        busy: whether the server works without a break: where the rounds don't fit, it needs
            no more than the least window.
    """
    after_s, rate, agree = _looks((ends_ns - np.int64(released_ns)) / NS_PER_S)
    round_s = np.divide(users, rate, out=np.full(rate.size, np.inf), where=rate > 0)
    spared = busy & np.isfinite(round_s) & (rounds * round_s > LONGEST_S)
    patient = after_s < np.maximum(PATIENCE * round_s, PATIENCE)
    warm = (after_s >= (0.5 + rng.random()) * round_s) & (agree | ~patient)
    ready = warm | (spared & (after_s >= BUSY_WARMUP_S))
    ready[-1] = True
    at = int(np.argmax(ready))
    least_s = max(LEAST_WINDOW_S, DELAYS * delay_s, LEAST_COMPLETIONS / users * float(round_s[at]))
    wanted_s = least_s if spared[at] else max(least_s, rounds * float(round_s[at]))
    t0_ns = released_ns + int(after_s[at] * NS_PER_S)
    return t0_ns, t0_ns + int(min(wanted_s, LONGEST_S) * NS_PER_S)


def _looks(
    ends_s: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """When it is looked, the rate over the last two thirds until then, whether its halves agree."""
    after_s = np.arange(LEAST_WARMUP_S, LONGEST_S + _LOOK_S / 2, _LOOK_S)
    a, b, c = (np.searchsorted(ends_s, after_s * part) for part in (1 / 3, 2 / 3, 1))
    agree = np.abs(c - 2 * b + a) <= 2.0 * np.sqrt(c - a) + AGREE * (c - a) / 2.0
    return after_s, (c - a) / (after_s * 2.0 / 3.0), agree
