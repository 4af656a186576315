"""Long trials of the harness itself: killed again and again, and run for hundreds of trials.

``nox -s torture`` runs all; it takes about half an hour. The tests have short forms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import benchmarks
from bench.torture import endurance, kills

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.benchmarks import Table
    from bench.run.paths import Paths

TORTURES: Table = {"kills": kills.run, "endurance": endurance.run}


def run(names: Sequence[str], paths: Paths) -> int:
    """Run those named, or all.

    Raises:
        BadInput: there is no such one.
    """
    return benchmarks.run_table("torture", TORTURES, names, paths)
