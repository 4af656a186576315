"""Real trials for the benchmarks, in a temporary folder."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import RequirementError
from bench.paths import default_python
from bench.placement import UNPINNED, Placement
from bench.plan import Cell, PlannedTrial, make_plan
from bench.run import lab
from bench.run.away.fleet import open_fleet
from bench.run.host import machine
from bench.run.trial_runner import TrialRunner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.config import Profile
    from bench.paths import Paths
    from bench.records.model import Measured, TrialRecord


@dataclass(frozen=True, slots=True)
class Trials:
    """Runs single trials, on an open lab."""

    runner: TrialRunner

    def under(self, profile: Profile, delay_s: float) -> Trials:
        """The same, under another load and with another delay."""
        plan = replace(self.runner.plan, profile=replace(profile, delay_s=delay_s))
        return replace(self, runner=replace(self.runner, plan=plan))

    def of(self, root: Path) -> Trials:
        """The same, of another application: ``root`` holds its app/ and locustfiles/."""
        return replace(self, runner=replace(self.runner, lab=replace(self.runner.lab, root=root)))

    def run(self, cell: Cell) -> TrialRecord:
        """One trial; its raw files are dropped."""
        return _run(self.runner, cell)

    def measured(self, cell: Cell, *, probe: bool = True) -> tuple[TrialRecord, Measured]:
        """One trial that must succeed.

        Raises:
            RequirementError: it did not.
        """
        bench = replace(self.runner, lab=replace(self.runner.lab, probe=probe))
        record = _run(bench, cell)
        if record.measured is None:
            raise RequirementError(f"The benchmark's trial of {cell.id} failed: {record.reason}")
        return record, record.measured


def _run(bench: TrialRunner, cell: Cell) -> TrialRecord:
    record = bench(PlannedTrial(1, 1, cell))
    bench.put_away(record)
    return record


def cell(endpoint: str, io: str, server: str = "uvicorn", workers: int = 1) -> Cell:
    """A cell on the Python that the harness runs on."""
    return Cell(endpoint, io, server, workers, default_python())


@contextlib.contextmanager
def trials(
    paths: Paths,
    profile: Profile,
    cells: list[Cell],
    delay_s: float,
    *,
    late_ms: int = 0,
    placement: Placement = UNPINNED,
    warn: Callable[[str], None] = lambda _: None,
) -> Iterator[Trials]:
    """Open a lab for these cells; its delay server answers ``late_ms`` late.

    ``warn`` is told of load machines of the profile that are lost.

    Raises:
        RequirementError: an environment or the delay server is missing.
    """
    found = lab.find_environments(paths, cells)
    plan = make_plan(cells, replace(profile, delay_s=delay_s), seed=1)
    with (
        tempfile.TemporaryDirectory(prefix="matrix-bench-") as name,
        open_fleet(paths.root, plan, lambda _: None, warn) as fleet,
        lab.open_lab(
            *(paths, found, Path(name)),
            late_ms=late_ms,
            placement=placement,
            fleet=fleet,
            listen=profile.listen,
        ) as opened,
    ):
        folder = Path(name)
        opened.keeper.remove_at_end(folder)
        yield Trials(
            TrialRunner(
                *("bench", plan, opened, found.servers, folder),
                keep_raw=False,
                cores=machine.describe().cores,
            )
        )
