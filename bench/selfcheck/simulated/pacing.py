"""How long a simulated trial lasts: ramp, warm-up and window follow what the cell does.

The rules of a live trial, for all moments at once: it looks at the completions ten times a second
and decides. How many rounds a window has to hold is open here, as it is to be chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.selfcheck.simulated.log import NS_PER_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

RAMP_S = 5.0  # at most
LONGEST_S = 20.0  # warm-up and window each, at most
LEAST_WARMUP_S = 0.5
LEAST_ENDED = 8  # requests in the warm-up, for their rate to tell anything
# Where the rounds would take longer than this, and the server never rests:
BUSY_WINDOW_S = 6.0
BUSY_WARMUP_S = 2.0
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
    blocked: bool = False,
    stretch: int = 1,
) -> tuple[int, int]:
    """The window [t0, t1) in ns that a trial would choose while it runs.

    Args:
        ends_ns: when requests ended, ascending, shape (n,).
        users: of the closed loop.
        delay_s: of the delay server.
        released_ns: when the last user began.
        rng: for the warm-up's random part of a round.
        rounds: how many rounds the window has to hold.
        blocked: whether the server does one request after the other, each to its end, without a
            break: where the rounds don't fit, it needs no more than the least window. That its
            core is used is not enough: a busy event loop swings as any other does.
        stretch: so many times as long, for a cell that swung.
    """
    looks = _looks((ends_ns - np.int64(released_ns)) / NS_PER_S, users)
    after_s, round_s = looks.after_s, looks.round_s
    spared = blocked & (rounds * round_s > BUSY_WINDOW_S) & np.isfinite(round_s)
    patient = after_s < np.maximum(PATIENCE * round_s, PATIENCE)
    warm = (after_s >= (0.5 + rng.random()) * round_s) & (looks.agree | ~patient)
    ready = looks.enough & (warm | (spared & (after_s >= BUSY_WARMUP_S)))
    ready[-1] = True
    at = int(np.argmax(ready))
    few_s = LEAST_COMPLETIONS / looks.rate[at] if looks.rate[at] else LONGEST_S
    least_s = max(LEAST_WINDOW_S, DELAYS * delay_s, few_s)
    wanted_s = least_s if spared[at] else max(least_s, rounds * float(round_s[at]))
    t0_ns = released_ns + int(after_s[at] * NS_PER_S)
    return t0_ns, t0_ns + int(min(stretch * wanted_s, LONGEST_S) * NS_PER_S)


@dataclass(frozen=True, slots=True, eq=False)
class _Looks:
    """What is known at each look at the completions, shape (n,) each.

    ``after_s``: since the last user began. ``rate``: over the last two thirds of that, per second.
    ``round_s``: how long a round is thought to be. ``agree``: whether the halves of those two
    thirds do; ``enough``: whether as much has ended as tells anything.
    """

    after_s: NDArray[np.float64]
    rate: NDArray[np.float64]
    round_s: NDArray[np.float64]
    agree: NDArray[np.bool_]
    enough: NDArray[np.bool_]


def _looks(ends_s: NDArray[np.float64], users: int) -> _Looks:
    """All looks, from completions in seconds since the last user began, ascending.

    A round is the users over the rate. Where answers come in batches two thirds of a warm-up hold
    one batch or two by chance, so a round is no less than it took the last users + 1 of all
    completions to come: for an even flow the same, for batches at least from one to the next.
    """
    after_s = np.arange(LEAST_WARMUP_S, LONGEST_S + _LOOK_S / 2, _LOOK_S)
    began = np.searchsorted(ends_s, 0.0)
    a, b, c = (np.searchsorted(ends_s, after_s * part) for part in (1 / 3, 2 / 3, 1))
    rate = (c - a) / (after_s * 2.0 / 3.0)
    counted_s = np.divide(users, rate, out=np.full(rate.size, np.inf), where=c > a)
    since_s = np.zeros(after_s.size)
    # Only what was seen to end: looks begin with the last user.
    full = c - began > users
    since_s[full] = after_s[full] - ends_s[c[full] - users - 1]
    return _Looks(
        after_s,
        rate,
        np.maximum(counted_s, since_s),
        agree=np.abs(c - 2 * b + a) <= 2.0 * np.sqrt(c - a) + AGREE * (c - a) / 2.0,
        enough=c - began >= LEAST_ENDED,
    )
