"""Run folders: a new one, or the unfinished one that is to be gone on with."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from bench.problem import BadInput
from bench.record import RunRecord, TrialRecord, read_run, read_trials, write_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RUN_FILE = "run.json"
TRIALS_FILE = "trials.jsonl"
CONTROLS_FILE = "controls.jsonl"


def new_id(plan_hash: str) -> str:
    """``20261122-154501-1a2b3c``: sorts by time, and tells the plan."""
    return f"{datetime.now(timezone.utc):%Y%m%d-%H%M%S}-{plan_hash[:6]}"


def unfinished(runs: Path, wanted: RunRecord) -> Path | None:
    """The newest unfinished run of the same command, plan, environments and machine."""
    what = (wanted.command, wanted.plan_hash, wanted.fingerprint)
    for folder in _newest_first(runs):
        try:
            run = read_run(folder / RUN_FILE)
        except BadInput:
            continue
        if (run.command, run.plan_hash, run.fingerprint) == what and run.finished is None:
            return folder
    return None


def newest(runs: Path, *, command: str | None = None) -> Path | None:
    """The newest run that measured something."""
    for folder in _newest_first(runs):
        try:
            run = read_run(folder / RUN_FILE)
        except BadInput:
            continue
        if command in {None, run.command} and (folder / TRIALS_FILE).is_file():
            return folder
    return None


def create(folder: Path, run: RunRecord) -> None:
    """Make the folder and write the run's record.

    Raises:
        BadInput: the folder can't be made there.
    """
    try:
        folder.mkdir(parents=True)
        write_run(folder / RUN_FILE, run)
    except OSError as error:
        raise BadInput(f"--output: {folder} can't be written: {error.strerror}") from error


def finish(folder: Path, when: str) -> RunRecord:
    """Mark the run as finished."""
    run = replace(read_run(folder / RUN_FILE), finished=when)
    write_run(folder / RUN_FILE, run)
    return run


def trials_of(folder: Path) -> tuple[TrialRecord, ...]:
    """What the run has measured so far."""
    path = folder / TRIALS_FILE
    return read_trials(path) if path.exists() else ()


def _newest_first(runs: Path) -> Iterator[Path]:
    if runs.is_dir():
        yield from sorted((f for f in runs.iterdir() if f.is_dir()), reverse=True)
