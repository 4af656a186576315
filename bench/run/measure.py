"""One planned trial to one record: run it, digest what it left, keep or drop the raw files."""

from __future__ import annotations

import gzip
import json
import shutil
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from bench.config import Profile
from bench.digest.control import digest_control
from bench.digest.read import Unreadable
from bench.digest.trial import digest
from bench.record import SCHEMA, ControlRecord, Measured, TrialRecord
from bench.run.control import run_control
from bench.run.trial import Lab, run_trial

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.plan import Plan, PlannedTrial
    from bench.run.environments import Environment

# Worth its time: level 1 takes a tenth of level 9's and is nearly as small here.
LEVEL = 1
# Of each control: what is asked of the delay server, warm-up and window.
CONTROLS = ((0, 0.5, 2.0), (1000, 1.0, 4.0))


@dataclass(frozen=True, slots=True)
class Bench:
    """Runs a plan's trials for real: the one seam at which tests put something else."""

    run_id: str
    plan: Plan
    lab: Lab
    environments: dict[tuple[str, str], Environment]
    folder: Path  # of the run
    keep_raw: bool

    def __call__(self, planned: PlannedTrial) -> TrialRecord:
        """Measure one trial; what goes wrong in it is in the record."""
        cell = planned.cell
        environment = self.environments[cell.server, str(cell.python)]
        if environment.python is None:
            outcome = "skipped" if environment.skipped else "failed"
            return self._record(planned, outcome, environment.reason, {}, None)
        # Not by its number, which may be another trial's when the run was resumed.
        name = f"r{planned.round:02d}-{cell.id}{'-twin' if planned.twin else ''}"
        folder = self.folder / "raw" / name
        # What an interrupted attempt left is of no use.
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        run_trial(
            cell,
            self.plan.profile,
            delay_s=self.plan.delay_s,
            python=str(cell.python),
            lab=self.lab,
            folder=folder,
        )
        record = self._digest(planned, folder, self.plan.profile)
        if self.keep_raw or record.outcome == "failed":
            _compress(folder)
        else:
            shutil.rmtree(folder)
        return record

    def _digest(self, planned: PlannedTrial, folder: Path, profile: Profile) -> TrialRecord:
        facts = json.loads((folder / "trial.json").read_text(encoding="utf-8"))
        if facts["failure"]:
            return self._record(planned, "failed", facts["failure"], facts, None)
        try:
            measured = digest(folder, profile, self.plan.delay_s)
        except Unreadable as damage:
            return self._record(planned, "failed", str(damage), facts, None)
        return self._record(planned, "measured", None, facts, measured)

    def _record(
        self,
        planned: PlannedTrial,
        outcome: str,
        reason: str | None,
        facts: dict[str, Any],
        measured: Measured | None,
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
            started=facts.get("started") or now(),
            wall_s=facts.get("wall_s", 0.0),
            outcome=outcome,
            reason=reason,
            phases_s=facts.get("phases_s", {}),
            measured=measured,
            twin=planned.twin,
        )


@dataclass(frozen=True, slots=True)
class Controls:
    """Runs the controls of one end of a run: the generator straight at the delay server."""

    bench: Bench
    users: int

    def __call__(self, when: str) -> Iterator[ControlRecord]:
        """One record for each wait; ``when`` is start or end."""
        for wait_ms, warmup_s, duration_s in CONTROLS:
            profile = Profile("control", self.users, float(self.users), warmup_s, duration_s, 1)
            folder = self.bench.folder / "raw" / f"control-{when}-{wait_ms}ms"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            run_control(wait_ms, profile, self.bench.lab, folder)
            run = self.bench.run_id
            yield digest_control(folder, run=run, when=when, wait_ms=wait_ms, profile=profile)
            shutil.rmtree(folder)


def now() -> str:
    """ISO 8601, UTC, to the millisecond."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def _compress(folder: Path) -> None:
    """Gzip the trial's files; the thread log's empty tail takes nothing then."""
    for path in sorted(folder.iterdir()):
        if path.suffix == ".gz":
            continue
        packed = path.with_name(path.name + ".gz")
        with path.open("rb") as source, gzip.open(packed, "wb", compresslevel=LEVEL) as target:
            shutil.copyfileobj(source, target)
        path.unlink()
