"""Run folders: a new one, or the unfinished one that is to be gone on with."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from bench.ledger import RUN_FILE, TRIALS_FILE, Read, read_run, read_trials, write_run
from bench.problem import FULL, BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bench.record import RunRecord, TrialRecord


def new_id(plan_hash: str) -> str:
    """``20261122-154501-1a2b3c``: sorts by time, and tells the plan."""
    return f"{datetime.now(timezone.utc):%Y%m%d-%H%M%S}-{plan_hash[:6]}"


def unfinished(runs: Path, wanted: RunRecord, warn: Callable[[str], None]) -> Path | None:
    """The newest unfinished run of the same command, plan, environments and machine.

    Folders whose ``run.json`` can't be used are passed over, and named.
    """
    what = (wanted.command, wanted.plan_hash, wanted.fingerprint)
    for folder in _newest_first(runs):
        try:
            run = read_run(folder / RUN_FILE)
        except BadInput as damage:
            warn(f"{damage}; that run is passed over")
            continue
        if (run.command, run.plan_hash, run.fingerprint) == what and run.finished is None:
            return folder
    return None


def create(folder: Path, run: RunRecord) -> None:
    """Make the folder and write the run's record.

    Raises:
        BadInput: the folder can't be made there.
        OSError: its record can't be written (disk full); the folder is gone again.
    """
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        if error.errno in FULL:
            raise
        raise BadInput(f"--output: {folder} can't be written: {error.strerror}") from error
    try:
        write_run(folder / RUN_FILE, run)
    except OSError:
        folder.rmdir()
        raise


def finish(folder: Path, when: str) -> RunRecord:
    """Mark the run as finished: it is not gone on with any more."""
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
