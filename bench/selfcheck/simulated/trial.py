"""One simulated trial of a case: what the generator would have seen, and the truth beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.selfcheck.simulated import speed as speeds
from bench.selfcheck.simulated.log import NS_PER_S
from bench.selfcheck.simulated.pacing import (
    LEAST_WINDOW_S,
    LONGEST_S,
    PATIENCE,
    RAMP_S,
    releases,
    window_of,
)
from bench.selfcheck.simulated.truth import truth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.selfcheck.simulated.catalogue import Case, Target
    from bench.selfcheck.simulated.log import Log
    from bench.selfcheck.simulated.speed import Speed

HORIZON_NS = int((RAMP_S + 2 * LONGEST_S + 0.1) * NS_PER_S)
_SLOWER, _STALL_S = 0.8, 0.5


@dataclass(frozen=True, slots=True)
class Noise:
    """Standard deviations of the speed's logarithm: from trial to trial, and within one."""

    between: float = 0.0
    within: float = 0.0


QUIET = Noise()


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """The requests, the window [t0, t1) in ns, and the truth.

    ``throughput_rps``: in steady state; where something happens in the window, the mean of what
    the machine could do in it.
    """

    target: Target
    users: int
    log: Log
    t0_ns: int
    t1_ns: int
    throughput_rps: float
    released_ns: int  # when the last user began


def trials(
    case: Case,
    users: int,
    seed: tuple[int, ...],
    *,
    rounds: tuple[float, ...],
    noise: Noise = QUIET,
    stretch: int = 1,
) -> list[Trial]:
    """The same trial with windows of different lengths, one for each of ``rounds``.

    Args:
        case: what is simulated.
        users: of the profile; the case may have its own.
        seed: of all that is drawn; the same gives the same.
        rounds: lengths of windows, in rounds of the closed loop.
        noise: of the machine's speed.
        stretch: how many times as long, as for a cell that swung.
    """
    start = _start(case, case.users or users, seed, noise)
    horizon_ns = _near(start, max(rounds) * stretch)
    log = start.log(horizon_ns, start.speed)
    windows = start.windows(log, rounds, stretch)
    if max(t1 for _, t1 in windows) >= horizon_ns:
        horizon_ns = HORIZON_NS
        log = start.log(horizon_ns, start.speed)
        windows = start.windows(log, rounds, stretch)
    if case.event is None:
        return [
            Trial(start.target, start.users, log, *window, start.steady_rps, start.released_ns)
            for window in windows
        ]
    found = []
    for t0, t1 in windows:
        then = _disturbed(start.speed, case.event, t0, t1)
        seen = t0 / NS_PER_S, t1 / NS_PER_S
        true_rps = start.steady_rps * then.mean(*seen) / start.speed.mean(*seen)
        log = start.log(horizon_ns, then)
        found.append(Trial(start.target, start.users, log, t0, t1, true_rps, start.released_ns))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Start:
    """All that a trial begins with; ``steady_rps``: the truth, ``seed`` of what is drawn later."""

    target: Target
    users: int
    starts_ns: NDArray[np.int64]
    speed: Speed
    steady_rps: float
    seed: tuple[int, ...]

    @property
    def released_ns(self) -> int:
        """When the last user began."""
        return int(self.starts_ns[-1])

    def log(self, horizon_ns: int, speed: Speed) -> Log:
        """What comes of it, from the same draws each time: until the speed differs, the same."""
        rng = np.random.default_rng((*self.seed, 1))
        return self.target.simulate(self.starts_ns, horizon_ns, speed, rng)

    def windows(self, log: Log, rounds: tuple[float, ...], stretch: int) -> list[tuple[int, int]]:
        """One for each number of rounds, all with the same random part of the warm-up."""
        ends_ns = log.ends_ns
        return [
            window_of(
                ends_ns,
                self.users,
                self.target.delay_s,
                self.released_ns,
                np.random.default_rng((*self.seed, 2)),
                rounds=several,
                blocked=self.target.blocked,
                stretch=stretch,
            )
            for several in rounds
        ]


def _start(case: Case, users: int, seed: tuple[int, ...], noise: Noise) -> _Start:
    rng = np.random.default_rng(seed)
    target = case.targets[int(rng.integers(len(case.targets)))]
    steady_rps = truth(target, users, noise.within).throughput_rps
    starts_ns = releases(users, users / steady_rps, rng)
    speed = speeds.noisy(rng, HORIZON_NS / NS_PER_S, between=noise.between, within=noise.within)
    return _Start(target, users, starts_ns, speed, steady_rps, seed)


def _near(start: _Start, rounds: float) -> int:
    """When the trial will be over, most likely: to simulate what nobody looks at takes time."""
    round_s = start.users / start.steady_rps
    warmup_s = min(PATIENCE * round_s + PATIENCE, LONGEST_S)
    window_s = min(1.5 * rounds * round_s + 2 * LEAST_WINDOW_S, LONGEST_S)
    return min(HORIZON_NS, int(start.starts_ns[-1] + (warmup_s + window_s) * NS_PER_S))


def _disturbed(speed: Speed, event: str, t0_ns: int, t1_ns: int) -> Speed:
    """The same speed, but that something happens in the middle of the window."""
    middle_s = (t0_ns + t1_ns) / 2 / NS_PER_S
    if event == "step":
        return speeds.changed(speed, middle_s, np.inf, _SLOWER)
    return speeds.changed(speed, middle_s - _STALL_S / 2, middle_s + _STALL_S / 2, 0.0)
