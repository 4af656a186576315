"""When a trial's window begins and how long it is: live, from the requests that have ended. Pure.

N users in a closed loop go round in R = N / X seconds at X requests a second, so R is over when N
requests have ended. A window of fewer than a few R shows a phase of the start-up wave and not the
cell; so it is as long as its cell needs. Its end is set together with its beginning, and nothing
that comes after can move it: no stopping at a good moment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.config import Profile

ROUNDS = 3  # of R in a window (docs/method.md says why)
LEAST_WINDOW_S = 2.0
LEAST_WARMUP_S = 0.5
LEAST_ENDED = 8  # requests in the warm-up, for their rate to tell anything
# Where the rounds would take longer than this, and the server never rests:
BUSY_WINDOW_S = 6.0
BUSY_WARMUP_S = 2.0
COMPLETIONS = 30
DELAYS = 4
AGREE = 0.05  # the halves of a warm-up, beyond their two standard errors
PATIENCE = 4.0  # so many R is waited for them to
LEAD_S = 0.02  # from the decision to the window: so both its ends are looked at in time


@dataclass(frozen=True, slots=True)
class Window:
    """[t0, t1), ns of CLOCK_MONOTONIC, and what it was decided on."""

    t0_ns: int
    t1_ns: int
    round_trip_s: float | None  # R in the warm-up; None: nothing ended


@dataclass(frozen=True, slots=True)
class _Count:
    ns: int
    ended: int


class Pacer:
    """Told of each count, gives the window once it can be set."""

    def __init__(
        self, profile: Profile, *, phase: float, stretch: int, busy: Callable[[], bool]
    ) -> None:
        """Of one trial.

        Args:
            profile: what is fixed in it does not follow the cell.
            phase: 0 to 1, drawn for each trial: it moves the window's beginning against the
                start by up to one R, so that a swing doesn't fall alike in each.
            stretch: 2 for a window twice as long, for a cell that swung in an earlier one.
            busy: whether the server has worked without a break since all users were there.
        """
        self._profile, self._phase, self._stretch, self._busy = profile, phase, stretch, busy
        self._counts: list[_Count] = []

    def tell(self, ns: int, ended: int, _started: int = 0) -> Window | None:
        """So many requests had ended at that time; the first time is that of the last user's start.

        Gives the window as soon as it is set.
        """
        self._counts.append(_Count(ns, ended))
        if not self._warm(ns):
            return None
        began_ns = self._counts[0].ns
        fixed_s = self._profile.warmup_s
        t0_ns = ns + int(LEAD_S * 1e9) if fixed_s is None else began_ns + int(fixed_s * 1e9)
        t0_ns = max(t0_ns, ns)
        round_trip_s = self._round_trip_s()
        return Window(t0_ns, t0_ns + int(self._window_s(round_trip_s) * 1e9), round_trip_s)

    def _warm(self, ns: int) -> bool:
        elapsed_s = (ns - self._counts[0].ns) / 1e9
        if self._profile.warmup_s is not None:
            known = self._profile.duration_s is not None or self._ended() >= LEAST_ENDED
            return elapsed_s >= self._profile.warmup_s - 2 * LEAD_S and (
                known or elapsed_s >= self._profile.longest_s
            )
        if elapsed_s < LEAST_WARMUP_S:
            return False
        if elapsed_s >= self._profile.longest_s:
            return True
        round_trip_s = self._round_trip_s()
        if round_trip_s is None or self._ended() < LEAST_ENDED:
            return False
        if self._too_long(round_trip_s) and elapsed_s >= BUSY_WARMUP_S and self._busy():
            return True
        return elapsed_s >= (0.5 + self._phase) * round_trip_s and (
            self._halves_agree() or elapsed_s >= max(PATIENCE * round_trip_s, PATIENCE)
        )

    def _window_s(self, round_trip_s: float | None) -> float:
        profile = self._profile
        if profile.duration_s is not None:
            return profile.duration_s
        if round_trip_s is None:
            return profile.longest_s
        rate = self._rate()
        least_s = max(
            LEAST_WINDOW_S,
            COMPLETIONS / rate if rate else profile.longest_s,
            DELAYS * profile.delay_s,
        )
        if not (self._too_long(round_trip_s) and self._busy()):
            least_s = max(least_s, ROUNDS * round_trip_s)
        return min(self._stretch * least_s, profile.longest_s)

    def _too_long(self, round_trip_s: float) -> bool:
        """The rounds take long: if the server never rests, the gaps between completions tell."""
        return ROUNDS * round_trip_s > min(BUSY_WINDOW_S, self._profile.longest_s)

    def _round_trip_s(self) -> float | None:
        """R, from the last two thirds of the warm-up: its beginning is still the start's.

        Where answers come in batches, few of which fall into that time, their rate is known
        badly; but as many requests as there are users have taken one round at least.
        """
        rate = self._rate()
        if not rate:
            return None
        last, users = self._counts[-1], self._profile.users
        before = [count.ns for count in self._counts if count.ended < last.ended - users]
        return max(users / rate, (last.ns - before[-1]) / 1e9 if before else 0.0)

    def _ended(self) -> int:
        """Requests, since all users are there."""
        return self._counts[-1].ended - self._counts[0].ended

    def _rate(self) -> float:
        """Requests that ended a second, over the last two thirds of the warm-up."""
        since, last = self._since(1 / 3), self._counts[-1]
        took_s = (last.ns - since.ns) / 1e9
        return (last.ended - since.ended) / took_s if took_s > 0 else 0.0

    def _halves_agree(self) -> bool:
        """Of the same two thirds: within two standard errors and 5 %."""
        first, middle, last = self._since(1 / 3), self._since(2 / 3), self._counts[-1]
        if not first.ns < middle.ns < last.ns:
            return False
        early, late = middle.ended - first.ended, last.ended - middle.ended
        early_s, late_s = (middle.ns - first.ns) / 1e9, (last.ns - middle.ns) / 1e9
        both = (early + late) / (early_s + late_s)
        error = math.sqrt(early / early_s**2 + late / late_s**2)
        return abs(early / early_s - late / late_s) <= 2 * error + AGREE * both

    def _since(self, part: float) -> _Count:
        """The count at that part of the warm-up so far."""
        first, last = self._counts[0].ns, self._counts[-1].ns
        at = first + part * (last - first)
        return min(self._counts, key=lambda count: abs(count.ns - at))
