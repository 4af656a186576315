"""`merge`: the parts of a matrix, each measured on a machine of its own, as one run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bench.errors import BadInputError
from bench.records import journal
from bench.records.model import MergedHost, RunRecord
from bench.run.history import run_folders
from bench.run.history.changes import changes
from bench.text import shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.records.journal import Read
    from bench.records.model import ControlRecord, SeriesRecord, ShardRecord, TrialRecord


@dataclass(frozen=True, slots=True)
class Part:
    """One part, read."""

    name: str  # as it was typed
    run: RunRecord
    shard: ShardRecord
    trials: Read[TrialRecord]
    series: Read[SeriesRecord]
    controls: Read[ControlRecord]


def merge(names: Sequence[str], output: Path) -> Path:
    """One run of the parts; gives its folder.

    Args:
        names: of runs, as ids or folders.
        output: where runs are kept; the new one will be, too.

    Raises:
        BadInputError: a line for each part that is none, is damaged, unfinished, of another plan or
            load than the first, or there twice.
    """
    read = [_read(name, output) for name in names]
    parts = [one for one in read if isinstance(one, Part)]
    mistakes = [one for one in read if isinstance(one, str)]
    mistakes += [text for one in parts[1:] for text in _foreign(parts[0], one)]
    mistakes += _twice(parts)
    if mistakes:
        raise BadInputError("\n".join(f"merge: {text}" for text in mistakes))
    parts.sort(key=lambda one: one.shard.number)
    run = _merged(parts)
    folder = output / "runs" / run.id
    run_folders.create(folder, run)
    for at, part in enumerate(parts):
        for trial in part.trials.records:
            away = trial.cell not in part.shard.own
            record = replace(trial, run=run.id, host=at, away=away)
            journal.append(folder / journal.TRIALS_FILE, record)
        for looked in part.series.records:
            journal.append(folder / journal.SERIES_FILE, replace(looked, run=run.id, host=at))
        for control in part.controls.records:
            journal.append(folder / journal.CONTROLS_FILE, replace(control, run=run.id, host=at))
    return folder


def _read(name: str, output: Path) -> Part | str:
    """A part, or what is wrong with it."""
    folder = run_folders.find(name, output)
    run = journal.read_run(folder / journal.RUN_FILE)
    called = shown(name, 200)
    if run.shard is None:
        return f"{called} is no part: it was measured without --shard"
    if run.finished is None:
        return f"{called} isn't finished: the same command resumes it"
    part = Part(
        name,
        run,
        run.shard,
        run_folders.trials_of(folder),
        journal.read_series(folder / journal.SERIES_FILE),
        journal.read_controls(folder / journal.CONTROLS_FILE),
    )
    damage = [*part.trials.damage, *part.controls.damage]
    return f"{called} is damaged: {damage[0]}" if damage else part


def _foreign(first: Part, other: Part) -> list[str]:
    """What differs between two parts but what is to: their cells, and the machine."""
    called = (
        f"{shown(other.name, 200)} is none of the parts that {shown(first.name, 200)} is one of"
    )
    mine, theirs = first.shard, other.shard
    if (mine.plan_hash, mine.of, mine.cells) != (theirs.plan_hash, theirs.of, theirs.cells):
        return [f"{called}: it is {theirs.number}/{theirs.of} of another plan"]
    alike = replace(other.run, cells=first.run.cells, host=first.run.host)
    alike = replace(alike, placement=first.run.placement)
    return [f"{called}: {change.text}" for change in changes(first.run, alike)]


def _twice(parts: Sequence[Part]) -> list[str]:
    found: dict[int, Part] = {}
    told = []
    for part in parts:
        first = found.setdefault(part.shard.number, part)
        if first is not part:
            told.append(
                f"{shown(first.name, 200)} and {shown(part.name, 200)} are both part"
                f" {part.shard.number}/{part.shard.of}"
            )
    return told


def _merged(parts: Sequence[Part]) -> RunRecord:
    first = parts[0]
    whole, runs = first.shard, [part.run for part in parts]
    here = {part.shard.number for part in parts}
    return replace(
        first.run,
        id=run_folders.new_id(whole.plan_hash),
        plan_hash=whole.plan_hash,
        started=min(run.started for run in runs),
        finished=max(run.finished or run.started for run in runs),
        cells=whole.cells,
        trials=sum(run.trials for run in runs),
        environments={name: about for run in runs for name, about in run.environments.items()},
        resumed=tuple(one for run in runs for one in run.resumed),
        shard=None,
        hosts=tuple(
            MergedHost(part.run.host, part.run.id, part.shard.number, part.run.placement)
            for part in parts
        ),
        missing=tuple(number for number in range(1, whole.of + 1) if number not in here),
    )
