"""The benchmarks of the harness itself, as ratios from one run where that can be.

``nox -s bench`` runs all; ``nox -s bench -- probe`` only some. Each prints its
figures beside the bound it is held to; a bound that is missed makes exit status 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from bench.benchmarks import accuracy, judgement, overhead, probe, scale, setup
from bench.problem import CELLS_FAILED, BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.benchmarks.outcome import Outcome
    from bench.run.paths import Paths

Table: TypeAlias = "dict[str, Callable[[Paths], Sequence[Outcome]]]"

BENCHMARKS: Table = {
    "accuracy": accuracy.run,
    "judgement": judgement.run,
    "overhead": overhead.run,
    "probe": probe.run,
    "setup": setup.run,
    "digest": scale.digest_speed,
    "plan": scale.plan_speed,
    "report": scale.report_speed,
}


def run(names: Sequence[str], paths: Paths) -> int:
    """Run the benchmarks named, or all.

    Raises:
        BadInput: there is no such benchmark.
    """
    return run_table("bench", BENCHMARKS, names, paths)


def run_table(what: str, table: Table, names: Sequence[str], paths: Paths) -> int:
    """Run those of a table that are named, or all; a bound that is missed makes exit status 1.

    Raises:
        BadInput: there is no such one.
    """
    for name in names:
        if name not in table:
            raise BadInput(f"{what}: found {name}, allowed: {', '.join(table)}")
    missed = 0
    for name in names or table:
        print(f"\n{name}: {(table[name].__doc__ or '').splitlines()[0]}", flush=True)
        for outcome in table[name](paths):
            print(f"  {outcome.line()}", flush=True)
            missed += not outcome.met
    return CELLS_FAILED if missed else 0
