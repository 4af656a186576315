"""One planned trial to one record: run it, digest what it left, keep or drop the raw files."""

from __future__ import annotations

import errno
import gzip
import hashlib
import shutil
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import count, takewhile
from typing import TYPE_CHECKING, Literal

from bench.analysis.fitness import judge
from bench.config import fixed
from bench.digest.control import digest_control
from bench.digest.raw import read_all
from bench.digest.read import Unreadable, trial_facts
from bench.digest.requests import watched
from bench.digest.series import series_of
from bench.digest.trial import figures
from bench.placement import own_cores
from bench.records import journal
from bench.records.model import SCHEMA, ControlRecord, Measured, Outcome, SeriesRecord, TrialRecord
from bench.report.reasons import sentence
from bench.run.control import run_control
from bench.run.trial import run_trial

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.plan import Plan, PlannedTrial
    from bench.records.trial_files import TrialFacts
    from bench.run.host.environments import Environment
    from bench.run.lab import Lab

# Worth its time: level 1 takes a tenth of level 9's and is nearly as small here.
LEVEL = 1
ROOM_BYTES = 64 * 2**20  # more than a minute's raw files take
# Of each control: what is asked of the delay server, ms, warm-up and window, s.
CEILING, ADDED = (0, 0.5, 2.0), (200, 0.5, 2.0)
Key = tuple[str, int, bool]  # of a trial: cell, round, whether it is a twin


@dataclass(frozen=True, slots=True)
class TrialRunner:
    """Runs a plan's trials for real: the one seam at which tests put something else."""

    run_id: str
    plan: Plan
    lab: Lab
    environments: dict[tuple[str, str], Environment]
    folder: Path  # of the run
    keep_raw: bool
    cores: int  # that a trial may use
    # What trials looked like over time, until their records are kept.
    series: dict[Key, SeriesRecord] = field(default_factory=dict)

    def __call__(self, planned: PlannedTrial) -> TrialRecord:
        """Measure one trial; what goes wrong in it is in the record.

        Raises:
            OSError: the disk is full or refuses something.
        """
        cell = planned.cell
        environment = self.environments[cell.server, str(cell.python)]
        if environment.python is None:
            outcome = Outcome.SKIPPED if environment.skipped else Outcome.FAILED
            return self._record(planned, outcome, environment.reason)
        if (lacking := self.lab.lacking(cell)) is not None:
            return self._record(planned, Outcome.SKIPPED, lacking)
        _demand_room(self.folder)
        folder = self.raw(planned)
        # What an interrupted attempt left is of no use.
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        run_trial(
            cell,
            cell.load(self.plan.profile),
            phase=_phase(self.plan.seed, planned),
            stretch=planned.stretch,
            lab=self.lab,
            folder=folder,
            processes=self._processes(planned),
        )
        record = self._digest(planned)
        if record.outcome is Outcome.FAILED:
            # For want of room? Then it says nothing about the cell.
            _demand_room(self.folder)
        return record

    def _processes(self, planned: PlannedTrial) -> int:
        """Of the load generator.

        Raises:
            RequirementError: no load machine is left.
        """
        if self.lab.fleet is not None:
            self.lab.fleet.ensure()
            return len(self.lab.fleet.seats())
        asked = self.plan.profile.generators
        return min(planned.generators, most_generators(self)) if asked is None else asked

    def put_away(self, record: TrialRecord) -> None:
        """Of a trial whose record is kept: append its series, and keep or drop its raw files.

        A failed one's are kept. A run that is killed between record and series has none of that
        trial: the other way round it might have two, of which one is of no recorded trial.

        Raises:
            OSError: there is no room for the series, or to compress them; they stay as they are.
        """
        if (looked := self.series.pop(_key(record), None)) is not None:
            journal.append(self.folder / journal.SERIES_FILE, looked)
        folder = self._raw(record.round, record.cell, twin=record.twin)
        if not folder.is_dir():
            return
        if self.keep_raw or record.outcome is Outcome.FAILED:
            _compress(folder)
        else:
            shutil.rmtree(folder)

    def raw(self, planned: PlannedTrial) -> Path:
        """Where a trial leaves its files, until they are put away."""
        return self._raw(planned.round, planned.cell.id, twin=planned.twin)

    def _raw(self, number: int, cell: str, *, twin: bool) -> Path:
        # By its round, not its index, which may be another trial's when the run was resumed.
        return self.folder / "raw" / f"r{number:02d}-{cell}{'-twin' if twin else ''}"

    def _digest(self, planned: PlannedTrial) -> TrialRecord:
        """The record of a trial that has left its raw files."""
        folder = self.raw(planned)
        facts: TrialFacts | None = None
        try:
            facts = trial_facts(folder)
            if facts.failure is not None:
                return self._record(planned, Outcome.FAILED, facts.failure, facts)
            raw = read_all(folder)
            seen = watched(raw)
            measured = figures(raw, seen)
        except Unreadable as damage:
            return self._record(planned, Outcome.FAILED, str(damage), facts)
        record = self._record(planned, Outcome.MEASURED, None, facts, measured)
        judged = judge(record, self.cores)
        told = [sentence([reason]) for reason in judged.reasons]
        self.series[_key(record)] = series_of(raw, seen, record, told)
        return record

    def _record(
        self,
        planned: PlannedTrial,
        outcome: Outcome,
        reason: str | None,
        facts: TrialFacts | None = None,
        measured: Measured | None = None,
    ) -> TrialRecord:
        cell = planned.cell
        return TrialRecord(
            schema=SCHEMA,
            run=self.run_id,
            index=planned.index,
            round=planned.round,
            cell=cell.id,
            experiment=cell.experiment,
            endpoint=cell.endpoint,
            io=cell.io,
            server=cell.server,
            workers=cell.workers,
            python=str(cell.python),
            settings=dict(cell.settings),
            started=now() if facts is None or not facts.started else facts.started,
            wall_s=0.0 if facts is None else facts.wall_s,
            outcome=outcome,
            reason=reason,
            phases_s={} if facts is None else facts.phases_s,
            measured=measured,
            twin=planned.twin,
            purpose=planned.purpose,
        )


def most_generators(runner: TrialRunner) -> int:
    """Processes of the load generator that have a core each, if it isn't said how many there are.

    Where all share the cores, as many as would have one each if they didn't. On other machines as
    many as were asked for there.
    """
    if runner.lab.fleet is not None:
        return len(runner.lab.fleet.seats())
    return len(runner.lab.placement.generator) or own_cores(runner.cores)


@dataclass(frozen=True, slots=True)
class Controls:
    """Runs the controls of one end of a run: the generator straight at the delay server."""

    runner: TrialRunner
    users: int

    def __call__(self, when: Literal["start", "end"]) -> Iterator[ControlRecord]:
        """At the start the ceiling of one process, of two, four and so on; at the end of one."""
        for processes in self._processes() if when == "start" else (1,):
            yield self._control(when, *CEILING, processes=processes)
        yield self._control(when, *ADDED)

    def _processes(self) -> Iterator[int]:
        """Up to as many as a trial may have."""
        asked = self.runner.plan.profile.generators
        most = min(most_generators(self.runner) if asked is None else asked, self.users)
        yield from takewhile(lambda processes: processes < most, (2**power for power in count()))
        yield most

    def _control(
        self,
        when: Literal["start", "end"],
        wait_ms: int,
        warmup_s: float,
        duration_s: float,
        *,
        processes: int = 1,
    ) -> ControlRecord:
        # No longer than the trials that it stands beside.
        duration_s = min(duration_s, self.runner.plan.profile.duration_s or duration_s)
        profile = fixed(self.users, warmup_s, duration_s, delay_s=wait_ms / 1e3)
        folder = self.runner.folder / "raw" / f"control-{when}-{wait_ms}ms"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        run_control(profile, self.runner.lab, folder, processes=processes)
        record = digest_control(
            folder,
            run=self.runner.run_id,
            when=when,
            wait_ms=wait_ms,
            users=self.users,
            generators=processes,
        )
        shutil.rmtree(folder)
        return record


def _key(record: TrialRecord) -> Key:
    return record.cell, record.round, record.twin


def _phase(seed: int, planned: PlannedTrial) -> float:
    """Of the trial's start, 0 to 1: drawn anew for each, the same when it is run again."""
    text = f"{seed}:{planned.round}:{planned.cell.id}:{planned.twin}:phase"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / 2**32


def now() -> str:
    """ISO 8601, UTC, to the millisecond."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def _demand_room(folder: Path) -> None:
    """A server whose log finds no room is killed, and its trial would be told as a failed one."""
    free = shutil.disk_usage(folder).free
    if free < ROOM_BYTES:
        told = f"{free >> 20} MB are free, a trial may need {ROOM_BYTES >> 20}"
        raise OSError(errno.ENOSPC, told, str(folder))


def _compress(folder: Path) -> None:
    """Gzip the trial's files; the thread log's empty tail takes nothing then."""
    for path in sorted(folder.iterdir()):
        if path.suffix == ".gz":
            continue
        packed = path.with_name(path.name + ".gz")
        draft = path.with_name(f".{packed.name}")
        try:
            with path.open("rb") as source, gzip.open(draft, "wb", compresslevel=LEVEL) as target:
                shutil.copyfileobj(source, target)
            # Half a compressed file would hide the whole one.
            draft.replace(packed)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise OSError(error.errno, error.strerror, str(packed)) from error
        path.unlink()
