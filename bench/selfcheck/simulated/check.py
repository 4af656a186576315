"""The check `simulated`: what thousands of simulated trials say of the figures, with bounds."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING

from bench.selfcheck.figure import Figure
from bench.selfcheck.simulated.catalogue import CASES
from bench.selfcheck.simulated.cells import EXPERIMENTS, Pools
from bench.selfcheck.simulated.coverage import coverage
from bench.selfcheck.simulated.percentiles import percentiles
from bench.selfcheck.simulated.rows import pool as percentile_pool
from bench.selfcheck.simulated.rows import rows
from bench.selfcheck.simulated.throughput import ROUNDS, USERS, throughput
from bench.selfcheck.simulated.trial import QUIET, Noise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.paths import Paths
    from bench.selfcheck.simulated.percentiles import Percentiles
    from bench.selfcheck.simulated.throughput import Throughput

TRIALS, QUICK_TRIALS = 2000, 2
RUNS, QUICK_RUNS = 2000, 2
BUDGETS_S = (720.0, 1800.0)  # two passes and hardly more; until all is known
SHARED = Noise(within=0.08)  # a shared machine's, measured (docs/throughput.md)
BIAS = 1.0  # %
MISSES = 7.0  # % of the intervals that claim to miss 5 %
WRONGLY = 5.0  # % of trials
RARELY = 1.0  # % of cells


def run(paths: Paths, quick: bool) -> list[Figure]:  # noqa: ARG001, FBT001 - of `CHECKS`
    """Simulated trials, of targets whose truth is known: errors, and what the intervals hold."""
    trials, runs = (QUICK_TRIALS, QUICK_RUNS) if quick else (TRIALS, RUNS)
    # More would say more of what is drawn, but a run's intervals hang on its own few.
    drawn_from = max(trials // 4, 2)
    quiet = [name for name, case in CASES.items() if case.event is None]
    parts = [
        *(partial(throughputs, name, trials) for name in CASES),
        *(partial(latencies, name, trials) for name in quiet),
        *(partial(whole_runs, runs, budget_s, drawn_from) for budget_s in BUDGETS_S),
        partial(row_percentiles, drawn_from, runs // 4 or 1),
    ]
    if quick:
        return [figure for part in parts for figure in part()]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as processes:
        told = processes.map(_figures, parts)
        return [figure for figures in told for figure in figures]


def _figures(part: Callable[[], Iterator[Figure]]) -> list[Figure]:
    return list(part())


def throughputs(name: str, count: int) -> Iterator[Figure]:
    """For each number of users, of a quiet machine and of a shared one."""
    case = CASES[name]
    for users in USERS if case.users is None else (case.users,):
        what = name if case.users else f"{name}, {users} users"
        for noise in (QUIET, SHARED):
            found = throughput(name, users, noise, count)
            quiet = noise is QUIET
            which = what if quiet else f"{what}, speed varying"
            yield from _throughput(which, found, changes=case.event is not None, quiet=quiet)


def _throughput(what: str, found: Throughput, *, changes: bool, quiet: bool) -> Iterator[Figure]:
    """Of windows and weights those in use are held; all stand beside.

    What happens within a window has no place in its mean, but must not pass as known. Where the
    machine's speed varies a rate does swing, so it isn't said wrongly.
    """
    told = " | ".join(
        f"{one.taper} {one.rounds:.0f} R, {one.trial_s:.1f} s: {one.bias:+.1%}, RMS {one.rms:.1%},"
        f" {one.far:.0%} off by over 5 %"
        for one in found.by
    )
    if changes:
        told = f"{found.lengthened:.0%} said to swing; {told}"
        missed = found.missed * 100
        yield Figure(f"{what}: off by over 5 % and two errors", missed, WRONGLY, " %", told)
        return
    bias = abs(found.bias) * 100
    swings = (
        f"{found.lengthened:.1%} got a longer window; {found.missed:.1%} are off by over 5 % and"
        " two of their errors"
    )
    yield Figure(f"{what}: bias of the throughput", bias, BIAS, " %", f"{swings}; {told}")
    if quiet:
        wrongly = found.swings * 100
        yield Figure(f"{what}: said to swing in the longest window", wrongly, WRONGLY, " %")


def latencies(name: str, count: int) -> Iterator[Figure]:
    """The worst of p50, p90 and p99: intervals that miss, values that are printed, and withheld."""
    found = list(percentiles(name, USERS[0], QUIET, count, rounds=ROUNDS))
    what = f"{name}: percentiles"
    misses = max((1.0 - one.held) * 100 for one in found)
    told = "; ".join(_level(one) for one in found)
    yield Figure(f"{what}, intervals that miss", misses, MISSES, " %", told)
    far = max(one.far for one in found) * 100
    yield Figure(f"{what}, printed without interval and off by over 10 %", far, WRONGLY, " %")
    withheld = max(one.withheld_wrongly for one in found) * 100
    yield Figure(f"{what}, wrongly withheld", withheld, WRONGLY, " %")
    starving = max(one.told_wrongly for one in found) * 100
    yield Figure(f"{what}, those of who starves told", starving, WRONGLY, " %")


def _level(one: Percentiles) -> str:
    return (
        f"p{100 * one.level:.0f}: told {one.told:.1%}, as one value {one.sharp:.1%}"
        f" with a typical error of {one.typical:.2%}, held {one.held:.1%}"
    )


def whole_runs(runs: int, budget_s: float, drawn_from: int) -> Iterator[Figure]:
    """Scheduler, pooling and stopping together."""
    found = coverage(runs, budget_s, Pools(drawn_from))
    what = f"{found.runs} runs of {found.budget_s / 60:.0f} min"
    told = (
        f"{found.precise:.1%} of the cells known to 10 %, {found.trials:.1f} trials each;"
        f" of cells that spread by over 6 %: {1 - found.held_noisy:.1%}"
    )
    yield Figure(f"{what}: intervals that miss", 100 * (1 - found.held), MISSES, " %", told)
    worst, held = min(found.held_by, key=lambda one: one[1])
    told = "; ".join(f"{name} {1 - share:.1%}" for name, share in found.held_by)
    yield Figure(f"{what}: of the worst, {worst}", 100 * (1 - held), MISSES, " %", told)
    wrongly = 100 * found.wrongly
    yield Figure(f"{what}: wrongly called two regimes", wrongly, RARELY, " % of cells")
    missed = 100 * (1 - found.told_of_seen)
    told = f"of {found.seen}; of all cells that have two, {found.told:.0%} are told"
    what = f"{what}: two regimes seen twice each, not told"
    yield Figure(what, missed, WRONGLY, " % of cells", told)


def row_percentiles(drawn_from: int, runs: int) -> Iterator[Figure]:
    """Of the rows that have a value: how many of their intervals miss."""
    pools = {name: percentile_pool(name, drawn_from) for name in EXPERIMENTS}
    for one in rows(runs, pools):
        what = f"{one.experiment}: rows' p{100 * one.level:.0f}, intervals that miss"
        told = f"of {runs} runs; {one.told:.1%} of the rows have a value"
        yield Figure(what, 100 * (1 - one.held), MISSES, " %", told)
