"""Run folders: made, found, completed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import FULL, BadInputError
from bench.records.journal import RUN_FILE, TRIALS_FILE, Read, read_run, read_trials, write_run
from bench.run.history.changes import Change, changes
from bench.text import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.records.model import RunRecord, TrialRecord


def new_id(plan_hash: str) -> str:
    """``20261122-154501-1a2b3c``: sorts by time, and tells the plan."""
    return f"{datetime.now(timezone.utc):%Y%m%d-%H%M%S}-{plan_hash[:6]}"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A run that might be resumed, and what has changed since it was measured."""

    folder: Path
    run: RunRecord
    done: int  # trials that have an intact record
    worked_on: str  # ISO 8601, UTC: when its last trial started, or it did itself
    changes: tuple[Change, ...]
    superseded: bool  # one like it has been finished since


def unfinished(runs: Path, wanted: RunRecord, warn: Callable[[str], None]) -> list[Unfinished]:
    """The unfinished runs of the same command that have cells in common with ``wanted``.

    One that had ended, as the last of its like, is unfinished again under a larger budget. The one
    worked on last comes first. Of those without a single trial, which come
    last, only such are listed that nothing has changed for. Folders whose
    ``run.json`` can't be used are passed over, and named.

    Raises:
        BadInputError: the trials can't be read of one that nothing has changed for.
    """
    found: list[Unfinished] = []
    finished = ""
    for folder in _newest_first(runs):
        try:
            run = read_run(folder / RUN_FILE)
        except BadInputError as damage:
            warn(f"{damage}; that run is passed over")
            continue
        if run.command != wanted.command or not set(run.cells) & set(wanted.cells):
            continue
        if run.finished is not None and _takes_the_place(run, wanted):
            finished = max(finished, run.finished)
        if run.finished is not None and not _has_more_to_spend(run, wanted):
            continue
        if (one := _unfinished(folder, run, wanted)) is not None:
            found.append(one)
    found = [replace(one, superseded=_ended(one) < finished) for one in found]
    found = [one for one in found if one.run.finished is None or _goes_on(one)]
    return sorted(found, key=lambda one: (one.done > 0, one.worked_on), reverse=True)


def _takes_the_place(run: RunRecord, wanted: RunRecord) -> bool:
    """Whether a run that ended has measured all this, under the same load."""
    apart = any(change.apart for change in changes(run, wanted))
    return not apart and set(run.cells) >= set(wanted.cells)


def _has_more_to_spend(run: RunRecord, wanted: RunRecord) -> bool:
    """A larger budget, or as large a one and a finer precision."""
    before, now = run.profile, wanted.profile
    if before.budget_s is None or now.budget_s is None or now.budget_s < before.budget_s:
        return False
    return now.budget_s > before.budget_s or now.precision < before.precision


def _ended(one: Unfinished) -> str:
    return one.run.finished or one.worked_on


def _goes_on(one: Unfinished) -> bool:
    return not one.changes and not one.superseded


def _unfinished(folder: Path, run: RunRecord, wanted: RunRecord) -> Unfinished | None:
    changed = changes(run, wanted)
    try:
        trials = trials_of(folder).records
    except BadInputError:
        if changed:
            return None
        raise
    if changed and not trials:
        return None
    worked_on = max((trial.started for trial in trials), default=run.started)
    return Unfinished(folder, run, len(trials), worked_on, changed, superseded=False)


def create(folder: Path, run: RunRecord) -> None:
    """Make the folder and write the run's record.

    Raises:
        BadInputError: the folder can't be made there.
        OSError: its record can't be written (disk full); the folder is gone again.
    """
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        if error.errno in FULL:
            raise
        raise BadInputError(f"--output: {folder} can't be written: {error.strerror}") from error
    try:
        write_run(folder / RUN_FILE, run)
    except OSError:
        folder.rmdir()
        raise


def finish(folder: Path, when: str) -> RunRecord:
    """Mark the run as finished: it is not resumed any more."""
    run = replace(read_run(folder / RUN_FILE), finished=when)
    write_run(folder / RUN_FILE, run)
    return run


def trials_of(folder: Path) -> Read[TrialRecord]:
    """What the run has measured so far."""
    path = folder / TRIALS_FILE
    return read_trials(path) if path.exists() else Read((), ())


def _newest_first(runs: Path) -> Iterator[Path]:
    if runs.is_dir():
        yield from sorted((f for f in runs.iterdir() if f.is_dir()), reverse=True)


def find(name: str, output: Path) -> Path:
    """The folder of a run, by its id or its own path.

    Raises:
        BadInputError: there is none.
    """
    for folder in (output / "runs" / name, Path(name)):
        if (folder / RUN_FILE).is_file():
            return folder
    known = sorted(path.name for path in (output / "runs").glob("*") if path.is_dir())
    listed = ", ".join(known[-5:]) or "none"
    raise BadInputError(
        f"found {shown(name)}, allowed: a run's id or folder; the newest: {shown(listed)}"
    )
