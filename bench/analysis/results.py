"""All that follows from a run's records: what every report is rendered from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.analysis.drift import Drift, drift
from bench.analysis.effects import Effect, effects
from bench.analysis.hosts import Hosts, hosts
from bench.analysis.ladder import Ladder, ladders
from bench.analysis.noise import Noise, noise
from bench.analysis.packages import apart
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
    ladders: tuple[Ladder, ...]  # where users vary
    noise: Noise | None  # with two rounds or more
    drift: Drift | None  # where controls were run
    recorded: int  # trials that have an intact record
    damage: tuple[Damage, ...]  # what was left out
    hosts: Hosts | None = None  # of a run that was merged of several machines


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
        effects=tuple(
            _with_packages(effect, run, found) for effect in effects(found, run.profile.users)
        ),
        ladders=ladders(found),
        # Of a merged run those of its first machine; the others' are in their own runs.
        noise=noise([trial for trial in trials if trial.host == 0], run.host.cores),
        drift=drift([control for control in controls if control.host == 0]),
        recorded=sum(trial.cell in run.cells and not trial.away for trial in trials),
        damage=tuple(damage),
        hosts=hosts(run, trials),
    )


def _with_packages(effect: Effect, run: RunRecord, found: Sequence[Row]) -> Effect:
    """An effect of Python says what else differs between the two environments."""
    if effect.axis != "python":
        return effect
    servers = dict.fromkeys(row.server for row in found)
    return replace(effect, packages=apart(run.environments, servers, effect.level, effect.base))
