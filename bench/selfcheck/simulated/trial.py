"""One simulated trial of a case: what the generator would have seen, and the truth beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.selfcheck.simulated import speed as speeds
from bench.selfcheck.simulated.log import NS_PER_S
from bench.selfcheck.simulated.pacing import LONGEST_S, RAMP_S, releases, window_of
from bench.selfcheck.simulated.truth import truth

if TYPE_CHECKING:
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
    log: Log
    t0_ns: int
    t1_ns: int
    throughput_rps: float


def trials(
    case: Case,
    users: int,
    seed: tuple[int, ...],
    *,
    rounds: tuple[float, ...],
    noise: Noise = QUIET,
) -> list[Trial]:
    """The same trial with windows of different lengths, one for each of ``rounds``.

    Args:
        case: what is simulated.
        users: of the profile; the case may have its own.
        seed: of all that is drawn; the same gives the same.
        rounds: lengths of windows, in rounds of the closed loop.
        noise: of the machine's speed.
    """
    users = case.users or users
    rng = np.random.default_rng(seed)
    target = case.targets[int(rng.integers(len(case.targets)))]
    steady_rps = truth(target, users, noise.within).throughput_rps
    starts_ns = releases(users, users / steady_rps, rng)
    speed = speeds.noisy(rng, HORIZON_NS / NS_PER_S, between=noise.between, within=noise.within)

    def log_at(speed: Speed) -> Log:
        # From the same draws each time: until something happens, all is as if nothing did.
        return target.simulate(starts_ns, HORIZON_NS, speed, np.random.default_rng((*seed, 1)))

    log = log_at(speed)
    ends_ns = log.ends_ns
    found = []
    for several in rounds:
        t0, t1 = window_of(
            ends_ns,
            users,
            target.delay_s,
            int(starts_ns[-1]),
            np.random.default_rng((*seed, 2)),
            rounds=several,
            blocked=target.blocked,
        )
        if case.event is None:
            found.append(Trial(target, log, t0, t1, steady_rps))
            continue
        then = _disturbed(speed, case.event, t0, t1)
        mean = then.mean(t0 / NS_PER_S, t1 / NS_PER_S) / speed.mean(t0 / NS_PER_S, t1 / NS_PER_S)
        found.append(Trial(target, log_at(then), t0, t1, steady_rps * mean))
    return found


def _disturbed(speed: Speed, event: str, t0_ns: int, t1_ns: int) -> Speed:
    """The same speed, but that something happens in the middle of the window."""
    middle_s = (t0_ns + t1_ns) / 2 / NS_PER_S
    if event == "step":
        return speeds.changed(speed, middle_s, np.inf, _SLOWER)
    return speeds.changed(speed, middle_s - _STALL_S / 2, middle_s + _STALL_S / 2, 0.0)
