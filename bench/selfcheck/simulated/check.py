"""The check `simulated`: what thousands of simulated trials say of the figures, with bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.selfcheck.figure import Figure
from bench.selfcheck.simulated.catalogue import CASES
from bench.selfcheck.simulated.throughput import ROUNDS, TAPER, USERS, Errors, errors
from bench.selfcheck.simulated.trial import QUIET, Noise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.paths import Paths

TRIALS, QUICK_TRIALS = 2000, 2
SHARED = Noise(within=0.08)  # a shared machine's, measured (docs/measurement.md)
BIAS = 1.0  # %
FAR = 5.0  # % of the trials of a quiet machine that are off by more than 5 %


def run(paths: Paths, quick: bool) -> list[Figure]:  # noqa: ARG001, FBT001 - of `CHECKS`
    """Simulated trials, of targets whose truth is known: throughput by window, weight and users."""
    count = QUICK_TRIALS if quick else TRIALS
    return [figure for name in CASES for figure in throughput(name, count)]


def throughput(name: str, count: int) -> Iterator[Figure]:
    """One figure for each number of users, and one for how often a quiet machine's is far off.

    The value is of the weight and the window that are used; the others' stand beside.
    """
    own = CASES[name].users
    for users in USERS if own is None else (own,):
        quiet = list(errors(name, users, QUIET, count))
        noisy = list(errors(name, users, SHARED, count))
        used = [_used(found) for found in (quiet, noisy)]
        told = " | ".join(_told(*both) for both in zip(quiet, noisy, strict=True))
        what = f"{name}, {users} users"
        worst = max(abs(one.bias) for one in used) * 100
        yield Figure(f"{what}: bias of the throughput", worst, BIAS, " %", told)
        yield Figure(f"{what}: off by over 5 %", used[0].far * 100, FAR, " % of trials")


def _used(found: Sequence[Errors]) -> Errors:
    return next(one for one in found if one.taper == TAPER and one.rounds == ROUNDS)


def _told(quiet: Errors, noisy: Errors) -> str:
    return (
        f"{quiet.taper} {quiet.rounds:.0f} R, {quiet.trial_s:.1f} s: {quiet.bias:+.1%},"
        f" RMS {quiet.rms:.1%}, with noise {noisy.rms:.1%}"
    )
