"""When the window of an open load begins and how long it is. Pure.

There are no rounds: requests come whether or not others are answered. What a window must not be
short of is the time in which a queue forgets how it began, which grows without bound as the rate
nears the capacity. It isn't known beforehand, so the warm-up lasts for many of the time that a
request spends in the system, and until completions come as fast as arrivals; who knows more, as
`nox -s capacity` does, says how long both are to be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.run.pacing import DELAYS, LEAD_S, LEAST_ENDED, LEAST_WINDOW_S, Window

if TYPE_CHECKING:
    from bench.config import Profile

LEAST_WARMUP_S = 1.0
SOJOURNS = 10  # of the mean time in the system, in a warm-up
IN_WINDOW = 50  # and in a window
REQUESTS = 1000  # in a window: ten beyond its p99
AGREE = 0.02  # of completions with arrivals, beyond two standard errors


@dataclass(frozen=True, slots=True)
class _Count:
    ns: int
    ended: int
    started: int


class OpenPacer:
    """Told of each count, gives the window once it can be set."""

    def __init__(self, profile: Profile, *, stretch: int) -> None:
        """Of one trial.

        Args:
            profile: with its rate; what is fixed in it does not follow the cell.
            stretch: 2 for a window twice as long.
        """
        self._profile, self._stretch = profile, stretch
        self._rate = profile.rate or 1.0
        self._counts: list[_Count] = []

    def tell(self, ns: int, ended: int, started: int) -> Window | None:
        """So many requests had come and had ended at that time; the first time is the load's start.

        Gives the window as soon as it is set.
        """
        self._counts.append(_Count(ns, ended, started))
        if not self._warm():
            return None
        fixed_s, began_ns = self._profile.warmup_s, self._counts[0].ns
        t0_ns = ns + int(LEAD_S * 1e9) if fixed_s is None else began_ns + int(fixed_s * 1e9)
        t0_ns = max(t0_ns, ns)
        return Window(t0_ns, t0_ns + int(self._window_s() * 1e9), self._sojourn_s())

    def _warm(self) -> bool:
        elapsed_s = (self._counts[-1].ns - self._counts[0].ns) / 1e9
        if self._profile.warmup_s is not None:
            return elapsed_s >= self._profile.warmup_s - 2 * LEAD_S
        if elapsed_s < LEAST_WARMUP_S:
            return False
        if elapsed_s >= self._profile.longest_s:
            return True
        if self._counts[-1].ended - self._counts[0].ended < LEAST_ENDED:
            return False
        return elapsed_s >= SOJOURNS * self._sojourn_s() and self._keeps_up()

    def _window_s(self) -> float:
        profile = self._profile
        if profile.duration_s is not None:
            return profile.duration_s
        least_s = max(
            LEAST_WINDOW_S,
            REQUESTS / self._rate,
            IN_WINDOW * self._sojourn_s(),
            DELAYS * profile.delay_s,
        )
        return min(self._stretch * least_s, profile.longest_s)

    def _sojourn_s(self) -> float:
        """Mean time in the system, of the warm-up's last two thirds: L / λ (Little's law)."""
        later = self._later()
        return sum(one.started - one.ended for one in later) / len(later) / self._rate

    def _keeps_up(self) -> bool:
        """Completions come as fast as arrivals, but for what chance makes of so few."""
        first, last = self._later()[0], self._counts[-1]
        came, went = last.started - first.started, last.ended - first.ended
        return abs(came - went) <= 2.0 * math.sqrt(max(came, went)) + AGREE * came

    def _later(self) -> list[_Count]:
        """The counts of the last two thirds."""
        first, last = self._counts[0].ns, self._counts[-1].ns
        return [one for one in self._counts if one.ns >= first + (last - first) / 3]
