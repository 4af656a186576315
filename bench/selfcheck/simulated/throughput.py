"""Errors of the throughput: for each case, length of window, weight and number of users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.selfcheck.simulated.catalogue import CASES
from bench.selfcheck.simulated.log import NS_PER_S
from bench.selfcheck.simulated.pacing import LONGEST_S
from bench.selfcheck.simulated.tapers import TAPERS
from bench.selfcheck.simulated.trial import trials
from bench.stats import gap_error, steadiness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bench.selfcheck.simulated.trial import Noise, Trial

WINDOWS = (3.0, 4.0, 5.0)  # rounds of the closed loop
ROUNDS, TAPER = 3.0, "Hann"  # those that are used
USERS = (50, 100)
FAR = 0.05  # an error beyond this is counted
ERRORS = 2.0  # of its own standard errors, where it knows one


@dataclass(frozen=True, slots=True)
class Errors:
    """Of many trials' throughput, as shares of the truth; ``far``: the share off by over 5 %.

    ``trial_s``: the mean length of a trial, from its first request to t1.
    """

    rounds: float
    taper: str
    bias: float
    rms: float
    far: float
    trial_s: float


@dataclass(frozen=True, slots=True)
class Throughput:
    """What trials of a case say, and of those with the window and the weight that are used:

    ``lengthened``: the share said to swing, which gets a longer window; ``swings``: the share that
    is still said to in the longest. Of those that are not, ``bias`` and ``missed``, the share that
    is off by over 5 % and over two of the standard errors that the trial itself knows of.
    """

    by: tuple[Errors, ...]
    lengthened: float
    swings: float
    bias: float
    missed: float


@dataclass(frozen=True, slots=True)
class Reading:
    """Of one trial, as it is used: error of the throughput and its standard error, as shares."""

    off: float
    error: float | None
    swings: bool

    @property
    def missed(self) -> bool:
        """Off by more than it may be."""
        return abs(self.off) > max(FAR, ERRORS * (self.error or 0.0))


def reading(one: Trial) -> Reading:
    """As a trial's digest has it; the standard error is of gaps where no two rounds fit."""
    ends = one.log.ends_ns
    rate = TAPERS[TAPER](ends, one.t0_ns, one.t1_ns)
    if rate <= 0.0:
        return Reading(-1.0, None, swings=False)
    seen = steadiness(ends, one.t0_ns, one.t1_ns, one.users / rate)
    error = gap_error(ends, one.t0_ns, one.t1_ns) if seen.error is None else seen.error
    return Reading(rate / one.throughput_rps - 1.0, error, seen.swings)


def throughput(name: str, users: int, noise: Noise, count: int, *, seed: int = 1) -> Throughput:
    """Of ``count`` trials of a case, for each length of window and each taper."""
    off: NDArray[np.float64] = np.empty((count, len(WINDOWS), len(TAPERS)))
    took_s: NDArray[np.float64] = np.empty((count, len(WINDOWS)))
    read = []
    for number in range(count):
        found = trials(CASES[name], users, (seed, users, number), rounds=WINDOWS, noise=noise)
        for at, one in enumerate(found):
            ends = one.log.ends_ns
            rates = [rate(ends, one.t0_ns, one.t1_ns) for rate in TAPERS.values()]
            off[number, at] = np.array(rates) / one.throughput_rps - 1.0
            took_s[number, at] = one.t1_ns / NS_PER_S
        first = found[WINDOWS.index(ROUNDS)]
        read.append(_settled(name, users, (seed, users, number), noise, first))
    by = tuple(
        _errors(rounds, taper, off[:, at, to], float(took_s[:, at].mean()))
        for at, rounds in enumerate(WINDOWS)
        for to, taper in enumerate(TAPERS)
    )
    return _summed(by, read)


def _settled(
    name: str, users: int, seed: tuple[int, ...], noise: Noise, first: Trial
) -> tuple[bool, Reading]:
    """Whether the cell needed a longer window, and what it reads in the last one that it got."""
    one, found, stretch = first, reading(first), 1
    while found.swings and one.t1_ns - one.t0_ns < LONGEST_S * NS_PER_S:
        stretch *= 2
        again = (*seed, stretch)
        (one,) = trials(CASES[name], users, again, rounds=(ROUNDS,), noise=noise, stretch=stretch)
        found = reading(one)
    return stretch > 1, found


def _errors(rounds: float, taper: str, off: NDArray[np.float64], trial_s: float) -> Errors:
    return Errors(
        rounds,
        taper,
        bias=float(off.mean()),
        rms=float(np.sqrt(np.square(off).mean())),
        far=float((np.abs(off) > FAR).mean()),
        trial_s=trial_s,
    )


def _summed(by: tuple[Errors, ...], read: Sequence[tuple[bool, Reading]]) -> Throughput:
    settled = [one for _, one in read if not one.swings]
    return Throughput(
        by,
        lengthened=sum(longer for longer, _ in read) / len(read),
        swings=1.0 - len(settled) / len(read),
        bias=float(np.mean([one.off for one in settled])) if settled else 0.0,
        missed=float(np.mean([one.missed for one in settled])) if settled else 0.0,
    )
