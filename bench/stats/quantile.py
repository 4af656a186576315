"""Reading a percentile off a survival curve, or why it cannot be known.

A percentile is told only if all of these hold:

* the curve reaches it while at least 5 are at risk (`survival` says why it ends there);
* at least 5 completions lie beyond it;
* it stays within 10 % if the requests the curve has no hold on are counted as slower than all.
  Those entered at ages that no 5 younger ones were seen to reach: under a steady load there are
  hardly any, since whoever is old was young; many of them are users that starve while others
  are served (last-in-first-out), or a window that is shorter than what it measures.

Otherwise it is None, with the bound that is known, if any, and a reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.stats.survival import FEWEST_AT_RISK

if TYPE_CHECKING:
    from bench.stats.counted import Counted
    from bench.stats.survival import Curve

FEWEST_BEYOND = 5
SWAY = 0.10  # how far a percentile may move with what cannot be known

_NS_PER_MS = 1e6
_HALF_Z = 0.98  # a count's square root is known to ± 1 / 2, nearly whatever the count
# What drifts more slowly than a window lasts no error from within it can tell: in a pool of
# threads with a queue, p90 drifts by 2 % (40 threads, 100 users, windows of 4 round trips).
SLOW = 1.02


@dataclass(frozen=True, slots=True)
class Percentile:
    """One percentile: a value; or, withheld, the bound that is known and the reason.

    ``over_ms``: the percentile is above this: the age that the curve has a share of more than
    1 - q outlast, 97.5 % sure, at most the age that 5 were seen to reach; or, where clearly more
    than 1 - q of all requests of the window were older than the curve can follow, the age that
    such a share of them had outlasted when last seen.

    ``low_ms`` and ``high_ms``: the 95 % interval of a value. Without a high end nothing is known
    of how much higher it may be; without both, too few requests were independent.
    """

    value_ms: float | None
    over_ms: float | None
    reason: str | None
    low_ms: float | None = None
    high_ms: float | None = None


def read_percentile(curve: Curve, finished: Counted, tail: float, times: float = 1.0) -> Percentile:
    """The age that a share ``tail`` of the requests outlasts, if it can be known.

    Args:
        curve: of all requests, ages in nanoseconds.
        finished: the ages of those that completed, ascending, shape (n,).
        tail: 1 - q, in (0, 1).
        times: how many times Greenwood's error the true one is (`dependence`).
    """
    found = age_or_reason(curve, finished, tail)
    surely = surely_below(curve, tail, times)
    if isinstance(found, str):
        return withheld(_known_ns(curve, tail, times, surely), found)
    low, high = _interval_ms(curve, tail, times, surely)
    return Percentile(found / _NS_PER_MS, None, None, low, high)


def age_or_reason(curve: Curve, finished: Counted, tail: float) -> int | str:
    """The age in nanoseconds, or why it can't be known; arguments as above."""
    adrift = curve.detached_ns.size
    if adrift > tail * curve.subjects:
        # Even where the curve gets there: more of the window's requests than that were older.
        told = f"{adrift} of {curve.subjects} requests were older than the window can follow"
        return told if finished.size else _NOTHING
    at = curve.reaches(tail)
    if at is None:
        return _TOO_SHORT if finished.size else _NOTHING
    beyond = _beyond(curve, finished, at, tail)
    if beyond < FEWEST_BEYOND:
        return f"{beyond} of the {FEWEST_BEYOND} completions needed beyond it"
    value_ns = int(curve.age_ns[at])
    if _sways(curve, value_ns, tail):
        return f"hangs on {adrift} of {curve.subjects} requests older than the window can follow"
    return value_ns


def _known_ns(curve: Curve, tail: float, times: float, surely_ns: int) -> int:
    """What a percentile that can't be told is above all the same."""
    adrift = curve.detached_ns.size
    # So few may be chance: another window may have had none of them.
    if max(np.sqrt(adrift) - _HALF_Z * times, 0.0) ** 2 <= tail * curve.subjects:
        return surely_ns
    # One that ended at its last age outlasted only the nanosecond before.
    return int(curve.detached_ns[adrift - int(tail * curve.subjects) - 1]) - 1


_NOTHING = "no request succeeded in the window"
_TOO_SHORT = f"fewer than {FEWEST_AT_RISK} requests were followed to that age"


def surely_below(curve: Curve, tail: float, times: float) -> int:
    """The age in nanoseconds that the percentile is above; -1 if none is known."""
    return int((curve.surely_below(tail, times) + 1) / SLOW) - 1


def withheld(known_ns: int, reason: str) -> Percentile:
    """No value, but what is known: above so many nanoseconds (nothing, if not positive)."""
    return Percentile(None, known_ns / _NS_PER_MS if known_ns > 0 else None, reason)


def _interval_ms(
    curve: Curve, tail: float, times: float, surely_ns: int
) -> tuple[float | None, float | None]:
    if surely_ns < 0:
        return None, None
    high = curve.surely_reached(tail, times)
    return (surely_ns + 1) / _NS_PER_MS, None if high is None else high * SLOW / _NS_PER_MS


def _beyond(curve: Curve, finished: Counted, at: int, tail: float) -> int:
    """Completions beyond the percentile; of those tied at it, the part the curve has not used."""
    after = finished.size - int(finished.before(curve.age_ns[at], "right"))
    above = float(curve.survival[at - 1]) if at else 1.0
    below = float(curve.survival[at])
    tied = float(curve.events[at]) * max(0.0, tail - below) / (above - below)
    return int(after + tied + 1e-6)  # 1 % of 500 are 5, not 4.999…


def _sways(curve: Curve, value_ns: int, tail: float) -> bool:
    """Whether the percentile moves by over 10 % if the detached count as slower than all."""
    share = curve.detached_ns.size / curve.subjects
    # share + (1 - share) S = tail, solved for the S of those that the curve does follow.
    at = curve.reaches((tail - share) / (1.0 - share))
    return at is None or int(curve.age_ns[at]) > (1.0 + SWAY) * value_ns
