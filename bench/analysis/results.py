"""All that follows from a run's records: what every report is rendered from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.analysis.drift import Drift, drift
from bench.analysis.effects import Effect, effects
from bench.analysis.noise import Noise, noise
from bench.analysis.rows import Row, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.records.model import ControlRecord, Damage, RunRecord, TrialRecord


@dataclass(frozen=True, slots=True)
class Results:
    """A run with its rows, the effects between them, and how far both can be trusted."""

    run: RunRecord
    rows: tuple[Row, ...]
    effects: tuple[Effect, ...]
    noise: Noise | None  # with two rounds or more
    drift: Drift | None  # where controls were run
    recorded: int  # trials that have an intact record
    damage: tuple[Damage, ...]  # what was left out


def results(
    run: RunRecord,
    trials: Sequence[TrialRecord],
    controls: Sequence[ControlRecord] = (),
    damage: Sequence[Damage] = (),
) -> Results:
    """The results; the same records give the same."""
    found = rows(run, trials)
    return Results(
        run=run,
        rows=found,
        effects=effects(found, run.profile.users),
        noise=noise(trials, run.host.cores),
        drift=drift(controls),
        recorded=sum(trial.cell in run.cells for trial in trials),
        damage=tuple(damage),
    )
