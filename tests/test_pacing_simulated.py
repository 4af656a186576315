"""The simulated trials' pacing is that of the live ones: the same counts, the same window."""

from __future__ import annotations

import numpy as np
import pytest

from bench.config import Profile
from bench.run.pacing import ROUNDS, Pacer, Window
from bench.selfcheck.simulated.catalogue import CASES
from bench.selfcheck.simulated.throughput import ROUNDS as SIMULATED_ROUNDS
from bench.selfcheck.simulated.trial import Trial, trials

USERS = 50
SEEDS = range(12)


def live(one: Trial, phase: float, delay_s: float) -> Window:
    """What the pacer makes of the same completions, told of them ten times a second."""
    profile = Profile("p", users=one.users, delay_s=delay_s, budget_s=60.0)
    pacer = Pacer(profile, phase=phase, stretch=1, busy=lambda: one.target.blocked)
    for ns in range(one.released_ns, one.released_ns + 21_000_000_000, 100_000_000):
        window = pacer.tell(ns, int(np.searchsorted(one.log.ends_ns, ns)))
        if window is not None:
            return window
    raise AssertionError


@pytest.mark.parametrize(
    "name",
    ["constant 200 ms", "loop 27 + 3 ms around 200 ms", "blocked loop 200 ms", "CPU 10 ms"],
)
def test_the_windows_are_alike(name: str) -> None:
    """At the same look in most trials, and as long; the twin counts exactly, where looks round."""
    assert SIMULATED_ROUNDS == ROUNDS
    case = CASES[name]
    begins, lengths = [], []
    for seed in SEEDS:
        (one,) = trials(case, USERS, (7, seed), rounds=(ROUNDS,))
        phase = float(np.random.default_rng((7, seed, 2)).random())
        window = live(one, phase, one.target.delay_s)
        begins.append((window.t0_ns - one.t0_ns) / 1e9)
        lengths.append((window.t1_ns - window.t0_ns) / (one.t1_ns - one.t0_ns))
    assert np.mean(np.abs(begins) <= 0.13) >= 0.8
    # A blocked loop completes ten requests in its warm-up: one more or less is a tenth.
    assert abs(np.median(lengths) - 1.0) <= (0.1 if one.target.blocked else 0.03)
    assert np.max(np.abs(np.log(lengths))) <= 0.35
