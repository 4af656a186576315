"""Errors of the throughput: for each case, length of window, weight and number of users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.selfcheck.simulated.catalogue import CASES
from bench.selfcheck.simulated.log import NS_PER_S
from bench.selfcheck.simulated.tapers import TAPERS
from bench.selfcheck.simulated.trial import Noise, trials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

WINDOWS = (3.0, 4.0, 5.0)  # rounds of the closed loop
ROUNDS, TAPER = 3.0, "Hann"  # those that are used
USERS = (50, 100)
FAR = 0.05  # an error beyond this is counted


@dataclass(frozen=True, slots=True)
class Errors:
    """Of many trials' throughput, as shares of the truth; ``far``: the share off by over 5 %.

    ``trial_s``: the mean length of a trial, from its first request to t1.
    """

    case: str
    users: int
    rounds: float
    taper: str
    noise: Noise
    bias: float
    rms: float
    far: float
    trial_s: float


def errors(name: str, users: int, noise: Noise, count: int, *, seed: int = 1) -> Iterator[Errors]:
    """The errors of ``count`` trials of a case, for each length of window and each taper."""
    case = CASES[name]
    off: NDArray[np.float64] = np.empty((count, len(WINDOWS), len(TAPERS)))
    took_s: NDArray[np.float64] = np.empty((count, len(WINDOWS)))
    for number in range(count):
        found = trials(case, users, (seed, users, number), rounds=WINDOWS, noise=noise)
        for at, one in enumerate(found):
            ends = one.log.end_ns[one.log.succeeded]
            off[number, at] = [
                rate(ends, one.t0_ns, one.t1_ns) / one.throughput_rps - 1.0
                for rate in TAPERS.values()
            ]
            took_s[number, at] = one.t1_ns / NS_PER_S
    for at, rounds in enumerate(WINDOWS):
        for to, taper in enumerate(TAPERS):
            yield Errors(
                name,
                case.users or users,
                rounds,
                taper,
                noise,
                bias=float(off[:, at, to].mean()),
                rms=float(np.sqrt(np.square(off[:, at, to]).mean())),
                far=float((np.abs(off[:, at, to]) > FAR).mean()),
                trial_s=float(took_s[:, at].mean()),
            )
