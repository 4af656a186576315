"""Long trials of the harness itself: killed again and again, and run for hundreds of trials.

``nox -s torture`` runs all; it takes about half an hour. The tests have short forms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.problem import CELLS_FAILED, BadInput
from bench.torture import endurance, kills

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.benchmarks.outcome import Outcome
    from bench.run.paths import Paths

TORTURES: dict[str, Callable[[Paths], Sequence[Outcome]]] = {
    "kills": kills.run,
    "endurance": endurance.run,
}


def run(names: Sequence[str], paths: Paths) -> int:
    """Run those named, or all.

    Raises:
        BadInput: there is no such one.
    """
    for name in names:
        if name not in TORTURES:
            raise BadInput(f"torture: found {name}, allowed: {', '.join(TORTURES)}")
    missed = 0
    for name in names or TORTURES:
        print(f"\n{name}: {(TORTURES[name].__doc__ or '').splitlines()[0]}", flush=True)
        for outcome in TORTURES[name](paths):
            print(f"  {outcome.line()}", flush=True)
            missed += not outcome.met
    return CELLS_FAILED if missed else 0
