"""The harness checked by itself: what it costs, how true it is, what it survives.

``nox -s bench`` runs what it costs, ``nox -s selfcheck`` the rest; ``-- NAME …`` only some. Each
prints its figures beside the bound it is held to; a bound that is missed makes exit status 1.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Final

from bench.errors import CELLS_FAILED, BadInputError, RequirementError
from bench.selfcheck import (
    accuracy,
    capacities,
    counterfactual,
    endurance,
    judgement,
    kills,
    overhead,
    probe,
    scale,
    sensitivity,
    setup,
)
from bench.selfcheck.simulated import check

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.paths import Paths
    from bench.selfcheck.figure import Figure

# Each takes ``quick``: at its smallest size it shows that it runs, and its figures mean nothing.
CHECKS: Final[dict[str, Callable[[Paths, bool], Sequence[Figure]]]] = {
    "overhead": overhead.run,
    "probe": probe.run,
    "setup": setup.run,
    "digest": scale.digest_speed,
    "plan": scale.plan_speed,
    "report": scale.report_speed,
    "simulated": check.run,
    "accuracy": accuracy.run,
    "judgement": judgement.run,
    "capacity": capacities.run,
    "sensitivity": sensitivity.run,
    "why": counterfactual.run,
    "kills": kills.run,
    "endurance": endurance.run,
}
DEFAULTS: Final = {
    "bench": ("overhead", "probe", "setup", "digest", "plan", "report"),
    "selfcheck": (
        *("simulated", "accuracy", "judgement", "sensitivity", "capacity", "why", "kills"),
        "endurance",
    ),
}


def run(command: str, names: Sequence[str], paths: Paths, *, quick: bool) -> int:
    """Run the checks named, or the command's own; gives the exit status.

    Quick, no bound is held: the sizes are too small for the figures to mean anything.

    Raises:
        BadInputError: there is no such check.
        RequirementError: some could not run, after all others have.
    """
    for name in names:
        if name not in CHECKS:
            raise BadInputError(f"{command}: found {name}, allowed: {', '.join(CHECKS)}")
    missed = 0
    unable: list[str] = []
    for name in names or DEFAULTS[command]:
        print(f"\n{name}: {(CHECKS[name].__doc__ or '').splitlines()[0]}", flush=True)
        try:
            figures = CHECKS[name](paths, quick)
        except (RequirementError, subprocess.TimeoutExpired) as lacking:
            # The others may well be able to run.
            print(f"  not run: {lacking}", flush=True)
            unable.append(name)
            continue
        for figure in figures:
            print(f"  {figure.line(held=not quick)}", flush=True)
            missed += not figure.met
    if unable:
        raise RequirementError(f"{command}: {', '.join(unable)} could not run, as said above")
    if quick:
        print("\n--quick: it runs; at this size the figures mean nothing", flush=True)
        return 0
    return CELLS_FAILED if missed else 0
